"""May a department see these fields of this record, for this purpose, now? A ground for each field, or `LookRefused`.

Grounds are a law that the catalogue cites, the holder's consent, or that the department keeps the field itself.
Consent follows the Personal Information Protection Law (个人信息保护法): given for a purpose (Art. 14), withdrawn at
will (15), separate for what is sensitive (29), a guardian's for children under 14 (31). Breaking the glass (13(1)(4))
is a ground of its own, for the fields that a rule lets out in an emergency; a review follows (`cases`).

A refusal has one message, whatever its cause, so that nobody learns from it whether a record or a consent exists; the
cause stands in `LookRefused.why`, for the log and for the holder. Who an officer is, is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from jinka.identity.base_records.catalogue import UPKEEP, Catalogue, Clause
from jinka.identity.base_records.fields import FieldSpec, Ref, Sensitivity
from jinka.kit import Refused, Usage

_OFFICER = re.compile(r"[a-z][a-z0-9.-]{1,30}")
TEXT_MAX = 200
CHILD_YEARS = 14  # Art. 28: everything about a younger child is sensitive
CONSENT_FIELDS_MAX = 64


class Why(Enum):
    """What a look failed for: (value, Chinese title)."""

    NO_GROUND = ("no law and no consent", "无法律依据且未经同意")
    NO_CASE = ("no case was named", "未注明业务编号")
    NO_COMMISSION = ("the holder did not commission it", "本人未委托查询")
    OTHER_PURPOSE = ("the consent is for another purpose", "同意的目的不符")
    WITHDRAWN = ("the consent was withdrawn", "同意已撤回")
    EXPIRED = ("the consent is over, or not begun", "同意不在有效期内")
    NOT_SEPARATE = ("what is sensitive wants a separate consent", "敏感信息未取得单独同意")
    NOT_GUARDIAN = ("a child's guardian did not consent", "未取得儿童监护人同意")
    NO_EMERGENCY = ("no rule lets it out in an emergency", "紧急情况亦无授权")

    @property
    def title(self) -> tuple[str, str]:
        """In both languages."""
        return self.value


class LookRefused(Refused):
    """A look was refused. What it shows is the same for every cause; ``why`` is for the log."""

    def __init__(self, why: Why) -> None:
        super().__init__(
            "neither a law nor a consent in force lets this department see this for this purpose",
            where="look",
            fix="name the purpose and the case that the law asks for, or ask the holder for consent",
        )
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is asked. Without ``fields``: whatever may be seen."""

    department: str
    officer: str
    purpose: str
    kind: str
    fields: tuple[str, ...] = ()
    case: str = ""
    reason: str = ""
    emergency: bool = False

    def __post_init__(self) -> None:
        check_officer(self.officer)
        for name, text in (("case", self.case), ("reason", self.reason)):
            check_text(text, name)
        if self.emergency and not self.reason.strip():
            raise Usage("no reason is given", where="reason", fix="say what the emergency is")
        if len(set(self.fields)) != len(self.fields):
            raise Usage("a field is named twice", where="fields")

    def __repr__(self) -> str:
        return f"Look({self.department}, {self.purpose}, {self.kind}, {', '.join(self.fields)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which record: by its number, or by a key of its kind."""

    ref: Ref | None = None
    field: str = ""
    value: str = ""

    def __repr__(self) -> str:
        return f"Sought({self.ref or self.field})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a holder allows: one department, one purpose, some fields of one kind, for a time.

    ``separate``: it was asked for by itself, for these fields, as Art. 29 wants it. ``guardian``: the record number of
    whoever consented for a child; 0: the holder did.
    """

    number: int
    holder: int
    department: str
    purpose: str
    kind: str
    fields: frozenset[str]
    separate: bool
    guardian: int
    given_us: int
    until_us: int
    withdrawn_us: int | None = None

    def canonical(self) -> bytes:
        """The bytes that its proof in the log is made of; its end is a note of its own."""
        fields, said = ",".join(sorted(self.fields)), f"{self.department} {self.purpose} {self.kind}"
        times = f"{self.guardian} {self.separate} {self.given_us} {self.until_us}"
        return f"{self.number} {self.holder} {said} {fields} {times}".encode()

    def in_force(self, at_micros: int) -> bool:
        """Whether it holds at a time."""
        return self.withdrawn_us is None and self.given_us <= at_micros < self.until_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why a field may be seen: one of the three."""

    clause: Clause | None = None
    consent: int = 0

    def __str__(self) -> str:
        if self.clause is not None:
            return str(self.clause)
        return f"consent {self.consent}" if self.consent else "own record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The fields that may be shown, each with its ground."""

    grounds: Mapping[str, Ground]
    emergency: bool

    @property
    def fields(self) -> tuple[str, ...]:
        """Their names, in the order that was asked for."""
        return tuple(self.grounds)

    @property
    def consents(self) -> frozenset[int]:
        """The consents that it rests on."""
        return frozenset(ground.consent for ground in self.grounds.values() if ground.consent)


def check_look(catalogue: Catalogue, look: Look) -> None:
    """Raises `Usage` where a look names what is not declared."""
    catalogue.check_department(look.department)
    catalogue.check_purpose(look.purpose)
    kind = catalogue.kind(look.kind)
    for name in look.fields:
        kind.field(name)


def check_consent(catalogue: Catalogue, consent: Consent) -> None:
    """Raises `Usage` where a consent makes no sense, `Refused` where the law wants it otherwise."""
    catalogue.check_department(consent.department)
    catalogue.check_purpose(consent.purpose)
    kind = catalogue.kind(consent.kind)
    if not 0 < len(consent.fields) <= CONSENT_FIELDS_MAX:
        raise Usage("a consent names its fields", where="fields")
    specs = [kind.field(name) for name in sorted(consent.fields)]
    if consent.until_us <= consent.given_us:
        raise Usage("it is over before it begins", where="until", fix="name a later day")
    sensitive = [spec.name for spec in specs if spec.sensitivity is Sensitivity.SENSITIVE]
    if sensitive and not consent.separate:
        raise Refused(
            "what is sensitive wants a separate consent (个人信息保护法 Art. 29)",
            where=", ".join(sensitive),
            fix="ask for these by themselves",
        )


def decide(
    catalogue: Catalogue,
    look: Look,
    consents: Sequence[Consent],
    at_micros: int,
    *,
    child: bool = False,
) -> Decision:
    """The grounds of a look. ``consents`` are those of the record's holder, ``child`` is whether he is under 14.

    Fields that were asked for by name are granted all or none; raises `LookRefused`.
    """
    check_look(catalogue, look)
    kind = catalogue.kind(look.kind)
    wanted = [kind.field(name) for name in look.fields] or list(kind.fields)
    grounds: dict[str, Ground] = {}
    missing: list[Why] = []
    for spec in wanted:
        found = _ground(catalogue, look, spec, consents, at_micros, child)
        if isinstance(found, Ground):
            grounds[spec.name] = found
        else:
            missing.append(found)
    if missing and (look.fields or not grounds):
        raise LookRefused(_gravest(missing))
    return Decision(grounds=grounds, emergency=look.emergency)


def _ground(
    catalogue: Catalogue,
    look: Look,
    spec: FieldSpec,
    consents: Sequence[Consent],
    at_micros: int,
    child: bool,
) -> Ground | Why:
    rules = [
        rule
        for rule in catalogue.rules_for(look.department, look.purpose, look.kind)
        if spec.name in rule.fields and rule.emergency is look.emergency
    ]
    if look.emergency:
        return Ground(clause=rules[0].clause) if rules else Why.NO_EMERGENCY
    if spec.source == look.department and look.purpose == UPKEEP:
        return Ground()
    missing = Why.NO_GROUND
    for rule in rules:
        if rule.case and not look.case.strip():
            missing = Why.NO_CASE
        elif rule.commissioned and not _commissioned(look, consents, at_micros):
            missing = Why.NO_COMMISSION
        else:
            return Ground(clause=rule.clause)
    by_consent = _by_consent(look, spec, consents, at_micros, child)
    return missing if by_consent is Why.NO_GROUND else by_consent


def _commissioned(look: Look, consents: Iterable[Consent], at_micros: int) -> bool:
    return any(
        consent.department == look.department
        and consent.purpose == look.purpose
        and consent.in_force(at_micros)
        for consent in consents
    )


def _by_consent(
    look: Look, spec: FieldSpec, consents: Iterable[Consent], at_micros: int, child: bool
) -> Ground | Why:
    missing = [Why.NO_GROUND]
    for consent in consents:
        if (
            consent.department != look.department
            or consent.kind != look.kind
            or spec.name not in consent.fields
        ):
            continue
        if consent.purpose != look.purpose:
            missing.append(Why.OTHER_PURPOSE)
        elif consent.withdrawn_us is not None:
            missing.append(Why.WITHDRAWN)
        elif not consent.in_force(at_micros):
            missing.append(Why.EXPIRED)
        elif child and not consent.guardian:
            missing.append(Why.NOT_GUARDIAN)
        elif (child or spec.sensitivity is Sensitivity.SENSITIVE) and not consent.separate:
            missing.append(Why.NOT_SEPARATE)
        else:
            return Ground(consent=consent.number)
    return _gravest(missing)


def _gravest(found: Sequence[Why]) -> Why:
    """The most telling cause: the later in the table, the nearer it was to a ground."""
    order = list(Why)
    return max(found, key=order.index)


def check_text(text: str, where: str) -> None:
    """Raises `Usage` for what is too long or not printable."""
    if len(text) > TEXT_MAX or not (text.isprintable() or not text):
        raise Usage("not a text", where=where, fix=f"at most {TEXT_MAX} printable characters")


def check_officer(code: str) -> None:
    """Raises `Usage` unless ``code`` can name an officer; a name of a person it is not."""
    if not _OFFICER.fullmatch(code):
        raise Usage("not an officer's code", where="officer", fix="a-z, then a-z, 0-9, . and -, at most 31")
