"""`Sector`: everything that one use of cards is, in one declaration that the kernel runs, checks, documents and
counts.

Applications on the card, fares and tables, rights, subscriptions, parties and accounts, who may read what, reports,
journeys and worked cases. Inert: `jinka.app.sector_run` plays it, `jinka.app.sector_check` proves it. A third party's
sector is the value of an entry point in the group ``jinka.sectors``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from jinka.declaration.steps import Step
from jinka.declaration.steps_meter import Meter
from jinka.declaration.steps_subscription import Plan
from jinka.declaration.steps_television import Channel
from jinka.declaration.trace import Trace
from jinka.identity.base_records import Part
from jinka.kit import Unit, Usage
from jinka.profile import ApplicationProfile, EmvSpec
from jinka.profile.entitlement import Entitlement
from jinka.profile.records import RecordSpec
from jinka.registry import Role
from jinka.tariff import HolderClass, Mode, Tariff
from jinka.tariff.sheet import Fact, Sheet

_T = TypeVar("_T")
_NAME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*")
STEPS_MAX = 1_000  # of a journey, which the walker must come to the end of


class Archetype(Enum):
    """What a sector is made of; most are one of them, campus and citizen cards are compositions."""

    PURSE = "purse"
    RECORD = "record with entitlement"
    SUBSCRIPTION = "subscription"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who is paid or pays. The issuer, acquirer, load agent and scheme of a sector need no declaration."""

    code: str
    title_en: str
    title_zh: str
    role: Role = Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Account:
    """Money outside the purses: a fund, a treasury, a personal account. ``opening`` is what it holds to begin with.

    It cannot be overdrawn, unless ``overdraws`` says that it stands for somebody outside who pays in. ``category`` is
    a merchant's code (ISO 18245), which the acquirer says of it in each request.
    """

    code: str
    title_en: str
    title_zh: str
    opening: int = 0
    overdraws: bool = False
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """How a terminal finds the gross fare itself: a sheet over what it measures, by the stop of entry and that of exit.

    Facts that are always known: ``minutes`` since the entry, ``hour`` of the day, ``gross`` as the till gave it.
    ``measures`` adds others (metres, zones) for pairs of stops, ``constants`` for all. ``lost_exit`` is asked of a card
    that comes in again without having gone out; None asks nothing.
    """

    name: str
    sheet: Sheet
    measures: Mapping[tuple[int, int], Mapping[str, Fact]] = field(default_factory=dict)
    constants: Mapping[str, Fact] = field(default_factory=dict)
    lost_exit: int | None = None


class DeviceKind(Enum):
    """What stands there."""

    PURSE = "purse terminal"  # gates, validators, tills, machines
    LOAD = "load counter"
    CHECK = "right checker"  # reads and writes records: a counter, a gate without a purse
    PUMP = "fuel pump"


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a party. ``fare`` names a `Fare`; without one the fare comes with the tap.

    It writes, reads and judges records of its own ``application`` and of those in ``also``, and of no other on the
    card: the keys of an authority are for its own devices. ``knows`` are facts of the place itself, which rights are
    judged by: a lock's room, a gate's name. No step can tell a device of its sector anything else in their stead.
    """

    name: str
    title_en: str
    title_zh: str
    kind: DeviceKind
    operator: str = ""
    mode: Mode = Mode.SHOP
    fare: str = ""
    application: str = ""  # the profile's name; the sector's first when empty
    station: str = ""  # of a pump: those of one station know one another's claims
    grade: int = 0  # of a pump: what its nozzle sells, a bit of the card's rule; 0 for any
    also: tuple[str, ...] = ()  # further profiles whose records it uses, by name
    knows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What an application holds when the card is issued."""

    application: str
    balance: int = 0
    holder: HolderClass = HolderClass.ORDINARY
    records: Mapping[str, str] = field(default_factory=dict)
    pin: str = ""  # digits; needed where the application has a PIN that is not the same for all


@dataclass(frozen=True, slots=True)
class JourneyCard:
    """A card of a journey with its applications.

    ``holder`` names the person or body of the base records; where none are kept, it is the person's own name, which
    no page shows whole.
    """

    name: str
    title_en: str
    title_zh: str
    starts: tuple[Start, ...]
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A worked story: documentation and test at once. Every step says what must come of it."""

    name: str
    title_en: str
    title_zh: str
    date: dt.date
    steps: tuple[Step, ...]
    cards: tuple[JourneyCard, ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise Usage(
                "a journey without a step", where=self.name, fix="say what happens and what must come of it"
            )
        if not isinstance(self.steps, tuple) or len(self.steps) > STEPS_MAX:
            raise Usage(f"more than {STEPS_MAX} steps, or no tuple", where=self.name, fix="make two journeys")
        for number, step in enumerate(self.steps, 1):
            if not isinstance(step, Step):
                raise Usage(f"{type(step).__name__} is no step", where=f"{self.name}, step {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedCase:
    """A result that a public rule or tariff publishes itself, which the sheet must give to the unit.

    ``gives`` names the sheet's result or a line of money, and whatever other lines are published with it.
    In place of a sheet, ``check`` may name a standard of check characters (gb11643, gb32100 ...): then ``number`` is a
    published number, and its last character is what the standard must give for those before it.
    """

    title_en: str
    title_zh: str
    sheet: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    gives: Mapping[str, int] = field(default_factory=dict)
    source: str  # document, number, date, clause
    address: str = ""
    check: str = ""
    number: str = ""
    derived: bool = False  # one step of arithmetic on printed figures; else the result itself is printed


class Counted(Enum):
    """What a report counts."""

    PAID = "paid"  # purchases that were cleared and paid
    LOADED = "loaded"
    ADMITTED = "admitted"
    REFUSED = "refused"
    ASSESSED = "assessed"
    MOVED = "moved"  # money between accounts
    WRITTEN = "written"  # records on cards
    EVENT = "event"  # trace events
    LOOKED = "looked"  # looks at base records, allowed or refused
    BILLED = "billed"
    SIGNED = "signed"  # documents and invoices, by cards
    INSPECTED = "inspected"  # travel documents, whatever the verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A table: how often something happened and how much it came to, by one thing."""

    name: str
    title_en: str
    title_zh: str
    counts: Counted
    by: str  # product, device, operator, application, reason, entitlement, sheet, account, record, department;
    # of events: step, place, item, verdict, zone
    unit: Unit = Unit.FEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """One sector. ``name`` is unique; `Usage` where the parts do not fit together."""

    name: str
    title_en: str
    title_zh: str
    about_en: str
    about_zh: str
    authority: str
    standards: tuple[str, ...]
    archetypes: tuple[Archetype, ...]
    journeys: tuple[Journey, ...]
    reports: tuple[Report, ...]
    profiles: tuple[ApplicationProfile, ...] = ()
    records: Mapping[str, tuple[RecordSpec, ...]] = field(default_factory=dict)  # by profile's name
    emv: Mapping[str, EmvSpec] = field(default_factory=dict)  # of bank cards, by profile's name
    composes: tuple[str, ...] = ()  # profiles of other sectors, by name, that its cards carry as well
    parties: tuple[Party, ...] = ()
    accounts: tuple[Account, ...] = ()
    devices: tuple[Device, ...] = ()
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)  # by profile's name
    fares: tuple[Fare, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    worked_cases: tuple[WorkedCase, ...] = ()
    no_worked_case: str = ""  # why no public rule with a published result was found
    meters: tuple[Meter, ...] = ()
    plans: tuple[Plan, ...] = ()
    channels: tuple[Channel, ...] = ()
    trace: Trace | None = None  # things that are followed, and where
    part: Part | None = None  # departments, purposes, kinds and rules of base records that it adds
    words: Mapping[str, str] = field(default_factory=dict)  # names and coded values, in Chinese
    region: str = "440300"  # GB/T 2260
    fees_bp: tuple[int, int, int] = (10, 20, 15)  # of scheme, issuer, acquirer, in hundredths of a percent

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Usage(
                f"{self.name!r} is no name", where="sector.name", fix="small letters, digits, hyphens, dots"
            )
        if bool(self.worked_cases) == bool(self.no_worked_case):
            raise Usage(
                "worked cases, or the reason why there is none",
                where=f"{self.name}.worked_cases",
                fix="one of them",
            )
        for what, found in (
            ("journey", [one.name for one in self.journeys]),
            ("device", [one.name for one in self.devices]),
            ("sheet", [one.name for one in self.all_sheets]),
            ("entitlement", [one.name for one in self.entitlements]),
            ("account", [one.code for one in self.accounts]),
            ("party", [one.code for one in self.parties]),
            ("profile", [one.name for one in self.profiles]),
            ("report", [one.name for one in self.reports]),
            ("meter", [one.name for one in self.meters]),
            ("plan", [one.code for one in self.plans]),
            ("channel", [one.code for one in self.channels]),
        ):
            twice = {name for name in found if found.count(name) > 1}
            if twice:
                raise Usage(
                    f"a {what} stands twice: {sorted(twice)[0]}", where=self.name, fix="name each once"
                )
        for case in self.worked_cases:
            if bool(case.sheet) == bool(case.check) or bool(case.check) != bool(case.number):
                raise Usage("a sheet, or a check and its number", where=f"{self.name}.{case.title_en}")
            if case.check:
                continue
            sheet = self.sheet(case.sheet)
            for line in case.gives:
                sheet.line(line)

    @property
    def all_sheets(self) -> tuple[Sheet, ...]:
        """Its sheets, those of its fares included, each once."""
        return tuple(dict.fromkeys((*self.sheets, *(fare.sheet for fare in self.fares))))

    def sheet(self, name: str) -> Sheet:
        """Find a sheet; `Usage` when there is none."""
        return _found(self.all_sheets, "name", name, f"{self.name}.sheets")

    def fare(self, name: str) -> Fare:
        return _found(self.fares, "name", name, f"{self.name}.fares")

    def device(self, name: str) -> Device:
        return _found(self.devices, "name", name, f"{self.name}.devices")

    def entitlement(self, name: str) -> Entitlement:
        return _found(self.entitlements, "name", name, f"{self.name}.entitlements")

    def journey(self, name: str) -> Journey:
        return _found(self.journeys, "name", name, f"{self.name}.journeys")

    @property
    def issuer(self) -> str:
        """Whose cards these are: a declared party of that role, or one named after the sector."""
        return self._party(Role.ISSUER, "issuer")

    @property
    def acquirer(self) -> str:
        return self._party(Role.ACQUIRER, "acquirer")

    @property
    def load_agent(self) -> str:
        return self._party(Role.LOAD_AGENT, "loads")

    def _party(self, role: Role, word: str) -> str:
        return next((party.code for party in self.parties if party.role is role), f"{word}.{self.name}")


def _found(rows: tuple[_T, ...], key: str, name: str, where: str) -> _T:
    for row in rows:
        if getattr(row, key) == name:
            return row
    known = ", ".join(str(getattr(row, key)) for row in rows) or "none"
    raise Usage(f"no {name!r}", where=where, fix=f"there is {known}")
