"""The life of a registration: applied for, reviewed by a second officer, granted, suspended, over. A table of steps.

A registration is a number, or a grant of something that is no number: a maker's licence, a product's certificate, the
approval of a card, the issue of keys. A grant has terms (`jinka.registry.terms`), is reviewed by its documents, and is
given with a reason. Who was refused, or lost what he had, may appeal within `APPEAL_DAYS` (行政复议法, 60 days).

ISO/IEC 7812-2 (issuer numbers) and ISO/IEC 7816-5 (application providers) leave the procedure to the registration
authority; this one is four-eyed: who applies cannot review, grant or refuse, who suspends cannot resume. A number that
was granted once is never given to another holder. What a registration rests on (a card range on an issuer number, an
AID on its RID, a device on its centre) must be in force when it is granted and whenever it is relied on.
Who an officer is, and that he is who he says, is not decided here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from jinka.kit import Refused, Usage
from jinka.registry import numbers
from jinka.registry.card_fees import check_fees
from jinka.registry.terms import Terms

_OFFICER = re.compile(r"[a-z][a-z0-9.-]{1,31}")
_HOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{1,63}")
REASON_MAX = 200
_REACH_DIGITS = 20


class Kind(Enum):
    """What is registered."""

    ISSUER_NUMBER = "issuer-number"
    CARD_RANGE = "card-range"
    RID = "rid"
    AID = "aid"
    CENTRE = "centre"
    TERMINAL = "terminal"
    PSAM = "psam"
    TAG_OWNER = "tag-owner"
    ORGANISATION = "organisation"
    CITIZEN = "citizen"
    MAKER_LICENCE = "maker-licence"
    PRODUCT_CERTIFICATE = "product-certificate"
    CARD_APPROVAL = "card-approval"
    KEY_ISSUE = "key-issue"


GRANTS = frozenset({Kind.MAKER_LICENCE, Kind.PRODUCT_CERTIFICATE, Kind.CARD_APPROVAL, Kind.KEY_ISSUE})
APPEAL_DAYS = 60
DOCUMENTS_MAX = 20


class State(Enum):
    """Where a registration stands. Only ``GRANTED`` allows anything."""

    APPLIED = "applied"
    REVIEWED = "reviewed"
    GRANTED = "granted"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    APPEALED = "appealed"
    DISMISSED = "dismissed"


class Act(Enum):
    """What an officer does."""

    APPLY = "apply"
    REVIEW = "review"
    GRANT = "grant"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"
    ALLOW = "allow"  # the appeal: the application is decided anew
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the table. ``not_who``: the officer must not be the one who last did one of these acts."""

    act: Act
    sources: tuple[State, ...]
    target: State
    not_who: tuple[Act, ...] = ()


_OPEN = (State.APPLIED, State.REVIEWED)
_GIVEN = (State.GRANTED, State.SUSPENDED)
STEPS = (
    Step(act=Act.APPLY, sources=(), target=State.APPLIED),
    Step(act=Act.REVIEW, sources=(State.APPLIED,), target=State.REVIEWED, not_who=(Act.APPLY,)),
    Step(act=Act.GRANT, sources=(State.REVIEWED,), target=State.GRANTED, not_who=(Act.APPLY,)),
    Step(act=Act.REFUSE, sources=_OPEN, target=State.REFUSED, not_who=(Act.APPLY,)),
    Step(act=Act.SUSPEND, sources=(State.GRANTED,), target=State.SUSPENDED),
    Step(act=Act.RESUME, sources=(State.SUSPENDED,), target=State.GRANTED, not_who=(Act.SUSPEND,)),
    Step(act=Act.EXPIRE, sources=_GIVEN, target=State.EXPIRED),
    Step(act=Act.WITHDRAW, sources=(*_OPEN, *_GIVEN), target=State.WITHDRAWN),
    Step(act=Act.APPEAL, sources=(State.REFUSED, State.WITHDRAWN), target=State.APPEALED),
    Step(
        act=Act.ALLOW, sources=(State.APPEALED,), target=State.REVIEWED,
        not_who=(Act.APPLY, Act.APPEAL, Act.REFUSE, Act.WITHDRAW),
    ),
    Step(
        act=Act.DISMISS, sources=(State.APPEALED,), target=State.DISMISSED,
        not_who=(Act.APPLY, Act.APPEAL, Act.REFUSE, Act.WITHDRAW),
    ),
)  # fmt: skip
_STEP = {step.act: step for step in STEPS}
_NEEDS_REASON = frozenset(
    {Act.REFUSE, Act.SUSPEND, Act.RESUME, Act.WITHDRAW, Act.APPEAL, Act.ALLOW, Act.DISMISS}
)
_OVER = (State.REFUSED, State.EXPIRED, State.WITHDRAWN, State.DISMISSED)
_MICROS_OF_A_DAY = 86_400_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RESTS = frozenset({Act.APPLY, Act.GRANT, Act.RESUME})  # acts that ask for what it rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An act that was done."""

    act: Act
    officer: str
    at_micros: int  # UTC
    reason: str = ""
    documents: tuple[str, ...] = ()  # SHA-256 in hex of what was handed in or looked at

    def __post_init__(self) -> None:
        if len(self.documents) > DOCUMENTS_MAX or not all(_DIGEST.fullmatch(one) for one in self.documents):
            raise Usage("not digests of documents", where="document", fix=f"SHA-256, at most {DOCUMENTS_MAX}")
        check_officer(self.officer)
        if len(self.reason) > REASON_MAX or not (self.reason.isprintable() or not self.reason):
            raise Usage("not a reason", where="reason", fix=f"at most {REASON_MAX} printable characters")
        if self.act in _NEEDS_REASON and not self.reason.strip():
            raise Usage("no reason is given", where="reason", fix=f"say why, to {self.act.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One registration and everything that was done about it, oldest first."""

    number: int
    kind: Kind
    value: str  # in its one written form
    holder: str  # whom it is for
    under: str = ""  # the centre of a device
    valid_from: dt.date
    valid_to: dt.date
    terms: Terms | None = None  # of a grant
    deeds: tuple[Deed, ...]

    def __repr__(self) -> str:
        return f"Registration({self.number}, {self.kind.value} {self.masked}, {self.state.value})"

    @property
    def state(self) -> State:
        """Where it stands by its deeds; a date that is over shows in `in_force` alone."""
        return _STEP[self.deeds[-1].act].target

    @property
    def masked(self) -> str:
        """The value as it may be shown to everybody: numbers of cards and persons without their middle."""
        if self.kind is Kind.CITIZEN:
            return f"{self.value[:6]}********{self.value[-4:]}"
        return self.value

    @property
    def logged(self) -> str:
        """The value as it may stand in a log: the ends of a range are card numbers too."""
        if self.kind is not Kind.CARD_RANGE:
            return self.masked
        first, _, last = self.value.partition("-")
        return f"{first[:6]}: {int(last) - int(first) + 1:,} numbers of {len(first)} digits"

    @property
    def reach(self) -> tuple[str, str]:
        """First and last of the numbers that it takes, as texts that compare; two of a kind must not overlap."""
        return reach(self.kind, self.value)

    def in_force(self, on: dt.date) -> bool:
        """Whether it allows what it is for on that day; what it rests on is asked apart."""
        return self.state is State.GRANTED and self.valid_from <= on <= self.valid_to

    def bars(self, other: Registration) -> bool:
        """Whether its numbers cannot go to ``other``: they are taken, or were given to somebody else before."""
        if self.state in _OVER:
            return any(deed.act is Act.GRANT for deed in self.deeds) and self.holder != other.holder
        return True

    def done(self, deed: Deed, on: dt.date) -> Registration:
        """The registration after an act; raises `Refused` when the table does not allow it, or not this officer."""
        step = _STEP[deed.act]
        where = f"registration {self.number}"
        if self.state not in step.sources:
            allowed = (
                ", ".join(found.act.value for found in STEPS if self.state in found.sources) or "nothing"
            )
            raise Refused(
                f"it is {self.state.value}; {deed.act.value} does not apply",
                where=where,
                fix=f"possible: {allowed}",
            )
        for act in step.not_who:
            if deed.officer == next((past.officer for past in reversed(self.deeds) if past.act is act), ""):
                raise Refused(
                    f"{deed.officer} did the {act.value} and cannot {deed.act.value}",
                    where=where,
                    fix="a second officer must",
                )
        if deed.act is Act.EXPIRE and on <= self.valid_to:
            raise Refused(
                f"it is valid until {self.valid_to}", where=where, fix="withdraw it to end it before"
            )
        if (
            deed.act is Act.APPEAL
            and deed.at_micros - self.deeds[-1].at_micros > APPEAL_DAYS * _MICROS_OF_A_DAY
        ):
            raise Refused(f"more than {APPEAL_DAYS} days have passed", where=where, fix="apply anew")
        if self.kind in GRANTS:
            self._check_grant(deed, where)
        if deed.at_micros < self.deeds[-1].at_micros:
            raise Refused("the clock went back behind the last act", where=where, fix="set the clock")
        return dataclasses.replace(self, deeds=(*self.deeds, deed))

    def _check_grant(self, deed: Deed, where: str) -> None:
        """A grant is reviewed by its documents and given for a reason."""
        if deed.act is Act.REVIEW and not any(past.documents for past in (*self.deeds, deed)):
            raise Refused("no document was handed in", where=where, fix="name them with --document")
        if deed.act is Act.GRANT and not deed.reason.strip():
            raise Usage("no reason is given", where="reason", fix="say why it is granted")


def checked_value(kind: Kind, text: str, *, today: dt.date) -> str:
    """A number of the kind in its one written form; raises `Refused`."""
    if kind is Kind.CARD_RANGE:
        return "-".join(numbers.card_range(text))
    if kind is Kind.CITIZEN:
        return numbers.citizen_number(text, today=today)
    return {
        Kind.ISSUER_NUMBER: numbers.issuer_number,
        Kind.RID: numbers.rid,
        Kind.AID: numbers.aid,
        Kind.CENTRE: numbers.centre_code,
        Kind.TERMINAL: numbers.terminal_number,
        Kind.PSAM: numbers.psam_number,
        Kind.TAG_OWNER: numbers.company_prefix,
        Kind.ORGANISATION: numbers.organisation_code,
        **dict.fromkeys(GRANTS, numbers.grant_number),
    }[kind](text)


def reach(kind: Kind, value: str) -> tuple[str, str]:
    """See `Registration.reach`. A prefix takes every number that begins with it."""
    if kind in (Kind.ISSUER_NUMBER, Kind.TAG_OWNER, Kind.CARD_RANGE):
        first, _, last = value.partition("-")
        return first.ljust(_REACH_DIGITS, "0"), (last or first).ljust(_REACH_DIGITS, "9")
    return value, value


def parent_of(kind: Kind, value: str, under: str) -> tuple[Kind, tuple[str, str]] | None:
    """What a registration rests on: its kind, and the numbers that it must reach; None when it stands alone."""
    if kind is Kind.CARD_RANGE:
        return Kind.ISSUER_NUMBER, reach(kind, value)
    if kind is Kind.AID:
        owner = numbers.rid_of(value)
        return None if owner is None else (Kind.RID, (owner, owner))
    if kind in (Kind.TERMINAL, Kind.PSAM):
        centre = numbers.centre_code(under)
        return Kind.CENTRE, (centre, centre)
    return None


def check_application(
    new: Registration, neighbours: Iterable[Registration], parents: Sequence[Registration], on: dt.date
) -> None:
    """Check an application against its kind's registrations that overlap it, and against what it rests on.

    Raises `Refused`.
    """
    if not _HOLDER.fullmatch(new.holder):
        raise Usage("not a holder's code", where="holder", fix="letters, digits, . and -, at most 64")
    if new.valid_from > new.valid_to or new.valid_to < on:
        raise Usage("not a time of validity", where="validity", fix="from, then to, and not over already")
    if (new.terms is None) == (new.kind in GRANTS):
        raise Usage(
            f"terms and a {new.kind.value}", where="scope", fix="grants have terms, numbers have none"
        )
    if new.terms is not None and new.terms.fees is not None:
        check_fees(new.terms.fees)
    if new.under and new.kind not in (Kind.TERMINAL, Kind.PSAM):
        raise Usage(f"a {new.kind.value} is under no centre", where="under", fix="leave it out")
    check_free(new, neighbours)
    check_parent(new, parents, on)


def check_free(new: Registration, neighbours: Iterable[Registration]) -> None:
    """Check that nobody else has the numbers, or had them; raises `Refused`."""
    for other in neighbours:
        if other.bars(new):
            raise Refused(
                f"the {new.kind.value} overlaps registration {other.number} ({other.state.value})",
                where=new.kind.value,
                fix="apply for numbers that are free",
            )


def check_parent(new: Registration, parents: Sequence[Registration], on: dt.date) -> None:
    """Check that what a registration rests on is in force, and its holder's own; raises `Refused`."""
    wanted = parent_of(new.kind, new.value, new.under)
    if wanted is None:
        return
    kind, (low, high) = wanted
    for parent in parents:
        first, last = parent.reach
        if parent.kind is kind and first <= low and high <= last and parent.in_force(on):
            if kind is not Kind.CENTRE and parent.holder != new.holder:
                raise Refused(f"the {kind.value} is another holder's", where=new.kind.value)
            return
    raise Refused(
        f"no {kind.value} that is in force covers it",
        where=new.kind.value,
        fix=f"have the {kind.value} granted first",
    )


def check_officer(officer: str) -> None:
    """Raise `Usage` for what cannot be an officer's code."""
    if not _OFFICER.fullmatch(officer):
        raise Usage("not an officer's code", where="officer", fix="a-z, then a-z, 0-9, . and -, at most 32")


def asks_for_neighbours(act: Act) -> bool:
    """Whether an act needs its numbers to be free still: they were, while it was over."""
    return act is Act.APPEAL


def asks_for_parent(act: Act) -> bool:
    """Whether an act needs what the registration rests on to be in force."""
    return act in _RESTS
