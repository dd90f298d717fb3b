"""Who may hold an organisation's post in a certificate: whom the base records name as its officers.

Market regulation looks the organisation up by its credit code, and the persons whom its record refers to
(市场主体登记管理条例, 国务院令第746号, Art. 8: the legal representative is a registered item; Art. 15: real names).
Both looks are noted, and a person who is looked at reads of it. Only ``legal_representative`` holds that post; every
other post of an organisation is of its officers or its legal representative. Namesakes within one organisation are not
told apart. A post without an organisation is of the staff of the authority whose desk issues: no register of staff is
kept here.
"""

from __future__ import annotations

from jinka.app.sector_base import OFFICER, Register, register_of
from jinka.app.sector_world import World
from jinka.declaration.steps_identity import Certify
from jinka.identity.base_records import Look, LookRefused, Ref, Sought
from jinka.identity.base_records.catalogue import UPKEEP
from jinka.kit import NotFound, Refused

NO_OFFICER = "NO_OFFICER"
LEGAL_REPRESENTATIVE = "legal representative"
_REGISTRAR, _ACTIVE = "market-regulation", "active"
_HEAD, _OFFICERS = "legal_representative", "officers"


class NoOfficer(Refused):
    """The register does not name the holder as who he says that he is; ``reason`` is NO_OFFICER."""

    reason = NO_OFFICER

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what, where=where, fix="market regulation enters officers of an organisation")


def require_officer(step: Certify, world: World) -> None:
    """Raise `NoOfficer` for a post of an organisation that the base records do not give to this holder."""
    if not step.post:
        return
    if not (step.organisation or step.code):
        if step.post == LEGAL_REPRESENTATIVE:
            raise NoOfficer("a legal representative of no organisation", step.card)
        return
    register = register_of(world)
    known = _organisation(register, step)
    fields = (_HEAD,) if step.post == LEGAL_REPRESENTATIVE else (_HEAD, _OFFICERS)
    persons = [Ref.parse(value) for name in fields for value in known.get(name, ())]
    if not any(_name(register, person) == step.holder for person in persons):
        raise NoOfficer(f"{step.organisation} names no such {step.post}", step.card)


def _organisation(register: Register, step: Certify) -> dict[str, tuple[str, ...]]:
    look = Look(
        department=_REGISTRAR, officer=OFFICER, purpose=UPKEEP, kind="organisation",
        fields=("name", "status", _HEAD, _OFFICERS),
    )  # fmt: skip
    try:
        seen = register.books.look(look, Sought(field="credit_code", value=step.code))
    except (NotFound, Refused) as error:
        raise NoOfficer(f"no organisation of this code is registered: {error.what}", step.card) from error
    known = {name: tuple(values) for name, values in seen.values.items()}
    if known.get("name", ())[-1:] != (step.organisation,):
        raise NoOfficer("the code is of an organisation of another name", step.card)
    if known.get("status", ())[-1:] != (_ACTIVE,):
        raise NoOfficer("the organisation is not active", step.card)
    return known


def _name(register: Register, person: Ref) -> str:
    look = Look(
        department=_REGISTRAR, officer=OFFICER, purpose="identity-check", kind=person.kind, fields=("name",)
    )
    try:
        names = register.books.look(look, Sought(ref=person)).values.get("name", ())
    except LookRefused:  # a catalogue without that rule: unseen is not named
        return ""
    return names[-1] if names else ""
