"""The register that the cards of a journey are issued from: licences, certificates and approvals, and what was issued.

The register's own store and rules (`jinka.store.issues_in`, `jinka.registry.CN_2001`). What the sectors declare is
applied for, reviewed by a second officer and granted before the journey begins: the maker's licence, the certificates
of chip and system, and for each issuer the approval of its applications in its region, with a fee of the card's cost.
No audit log is kept of it: journeys last for a second.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinka.declaration import Sector
from jinka.kit import FIRST_DATE, LAST_DATE
from jinka.profile import ApplicationKind, ApplicationProfile
from jinka.registry import (
    Act,
    Deed,
    EntryAct,
    EntryDeed,
    Item,
    Kind,
    Order,
    Registration,
    Terms,
)
from jinka.registry.card_fees import fee_rule, highest_fees
from jinka.registry.issue_rules import CN_2001, Held, check_issue
from jinka.store import issues_in, open_database

MAKER = "maker.cards"
MADE: Mapping[str, str] = {"chip": "SC01", "chip_version": "A1", "os": "JCOS", "os_version": "1.2"}
COST_FEN = 2_000  # of one card; a figure of Jinka's own
_CLERK, _EXAMINER = "clerk", "examiner"
_FEES = highest_fees(fee_rule("cn-2001"), COST_FEN)


@functools.cache
def migrated() -> bytes:
    """An empty database after all its migrations, which take longer than a journey."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        open_database(path).dispose()
        return path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What is said of a card that is to be issued."""

    maker: str = MAKER
    made: Mapping[str, str] = field(default_factory=lambda: MADE)
    fee_fen: int = 0
    again: bool = False


class CardRegister:
    """A register with the grants of some sectors, in a journey's own database."""

    def __init__(self, journey: str, sectors: Iterable[Sector], database: Callable[[bytes], Any]) -> None:
        """``database`` makes an engine of the bytes of a database."""
        approvals = {
            (sector.issuer, sector.region, profile.name)
            for sector in sectors
            for profile in sector.profiles
            if profile.application is not ApplicationKind.EMV
        }
        self._journey, self._engine = journey.replace("|", "/"), database(_granted(tuple(sorted(approvals))))

    def enter(
        self, sector: Sector, profile: ApplicationProfile, card_no: bytes, making: Making, at: dt.datetime
    ) -> None:
        """Enter a card before it is personalised; raises `MissingGrants`, and `Refused` for one issued before."""
        order = self._order(sector, profile, card_no, making)
        deed = EntryDeed(act=EntryAct.ENTER, officer=_CLERK, at_micros=int(at.timestamp()) * 1_000_000)
        with issues_in(self._engine) as register:
            register.enter(CN_2001, order, deed, at.date())

    def check(
        self, sector: Sector, profile: ApplicationProfile, card_no: bytes, making: Making, on: dt.date
    ) -> None:
        """What each further application of a card needs: its own issuer's grants. Raises `MissingGrants`."""
        check_issue(CN_2001, self._held, self._order(sector, profile, card_no, making), on)

    @functools.cached_property
    def _held(self) -> list[Held]:
        with issues_in(self._engine) as register:
            return register.held()

    def _order(self, sector: Sector, profile: ApplicationProfile, card_no: bytes, making: Making) -> Order:
        bank = profile.application is ApplicationKind.EMV
        facts = dict(making.made)
        if not bank:
            facts |= {"use": profile.name, "region": sector.region, "purse": _purse(profile)}
        number = card_no.hex().upper()
        return Order(
            id=f"{self._journey}/{number[-4:]}", item=Item.BANK_CARD if bank else Item.CARD, maker=making.maker,
            issuer=sector.issuer, facts=tuple(sorted(facts.items())), first=number, last=number, count=1,
            fee_fen=making.fee_fen, again=making.again,
        )  # fmt: skip


def _purse(profile: ApplicationProfile) -> str:
    return "no" if profile.purse is None else "yes"


@functools.lru_cache(maxsize=64)
def _granted(approvals: tuple[tuple[str, str, str], ...]) -> bytes:
    """A register's database in which all of this is granted."""
    chip = {name: [MADE[name]] for name in ("chip", "chip_version", "os", "os_version")}
    wanted = [
        (Kind.MAKER_LICENCE, "XK09-008-00001", MAKER, Terms.of({"item": ["card", "bank-card"]})),
        (Kind.PRODUCT_CERTIFICATE, "CERT-1", MAKER, Terms.of({"item": ["card", "bank-card"], **chip})),
    ]
    by_issuer: dict[tuple[str, str], list[str]] = {}
    for issuer, region, use in approvals:
        by_issuer.setdefault((issuer, region), []).append(use)
    for place, ((issuer, region), uses) in enumerate(by_issuer.items(), 1):
        scope = {"use": uses, "region": [region], "purse": ["yes", "no"]}
        wanted.append((Kind.CARD_APPROVAL, f"AP-{place}", issuer, Terms.of(scope, fees=_FEES)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "register.db"
        path.write_bytes(migrated())
        engine = open_database(path)
        with issues_in(engine) as register:
            for kind, value, holder, terms in wanted:
                paper = hashlib.sha256(value.encode()).hexdigest()
                draft = Registration(
                    number=0, kind=kind, value=value, holder=holder, valid_from=FIRST_DATE, valid_to=LAST_DATE,
                    terms=terms, deeds=(_deed(Act.APPLY, _CLERK, paper),),
                )  # fmt: skip
                made = register.registrations.apply(draft, FIRST_DATE)
                for act in (Act.REVIEW, Act.GRANT):
                    register.registrations.act(made.number, _deed(act, _EXAMINER), FIRST_DATE)
        engine.dispose()
        return path.read_bytes()


def _deed(act: Act, officer: str, *papers: str) -> Deed:
    return Deed(act=act, officer=officer, at_micros=0, reason="as declared", documents=papers)
