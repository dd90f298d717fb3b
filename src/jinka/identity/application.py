"""An application for a certificate and its life, as a transition table: asked for, approved twice, issued, and after.

Two different officers approve, and neither is who asked. Suspending and revoking need one officer, because they must be
quick and harm little; resuming gives a right back and needs one who did not suspend. Every step is kept with officer,
time and reason. Pure values: an act makes a new `Application` or is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from unicodedata import normalize

from jinka.crypto.x509_crl import Reason, Revocation
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.identity.profiles import PROFILES, ProfileName
from jinka.kit import Refused, Usage, make_id

_TEXT_MAX = 200


class State(Enum):
    """Where an application stands: (value, Chinese title)."""

    REQUESTED = ("requested", "已申请")
    FIRST_APPROVED = ("approved once", "初审通过")
    APPROVED = ("approved", "复审通过")
    REJECTED = ("rejected", "已驳回")
    ISSUED = ("issued", "已签发")
    SUSPENDED = ("suspended", "已冻结")
    RENEWED = ("renewed", "已更新")
    REVOKED = ("revoked", "已吊销")
    EXPIRED = ("expired", "已过期")


class Act(Enum):
    """What moves it."""

    APPROVE = "approve"
    REJECT = "reject"
    ISSUE = "issue"
    SUSPEND = "suspend"
    RESUME = "resume"
    RENEW = "renew"
    REVOKE = "revoke"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[State, Act], State] = MappingProxyType(
    {
        (State.REQUESTED, Act.APPROVE): State.FIRST_APPROVED,
        (State.FIRST_APPROVED, Act.APPROVE): State.APPROVED,
        (State.REQUESTED, Act.REJECT): State.REJECTED,
        (State.FIRST_APPROVED, Act.REJECT): State.REJECTED,
        (State.APPROVED, Act.REJECT): State.REJECTED,
        (State.APPROVED, Act.ISSUE): State.ISSUED,
        (State.ISSUED, Act.SUSPEND): State.SUSPENDED,
        (State.SUSPENDED, Act.RESUME): State.ISSUED,
        (State.ISSUED, Act.RENEW): State.RENEWED,
        (State.ISSUED, Act.REVOKE): State.REVOKED,
        (State.SUSPENDED, Act.REVOKE): State.REVOKED,
        (State.RENEWED, Act.REVOKE): State.REVOKED,
        (State.ISSUED, Act.EXPIRE): State.EXPIRED,
        (State.SUSPENDED, Act.EXPIRE): State.EXPIRED,
        (State.RENEWED, Act.EXPIRE): State.EXPIRED,
    }
)
UNDECIDED = frozenset({State.REQUESTED, State.FIRST_APPROVED, State.APPROVED})
ENDED = frozenset({State.REVOKED, State.EXPIRED})
FINAL = frozenset(State) - {state for state, _ in TRANSITIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who did what, when and why."""

    act: Act
    officer: str
    at: dt.datetime
    reason: Reason | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is asked for and what became of it. ``renews`` is the application whose certificate this one replaces."""

    id: bytes
    profile: ProfileName
    subject: Subject
    public_der: bytes = field(repr=False)
    dns_names: tuple[str, ...]
    constraints: Constraints | None
    requester: str
    asked_at: dt.datetime
    renews: bytes | None = None
    state: State = State.REQUESTED
    steps: tuple[Step, ...] = ()
    serials: tuple[int, ...] = ()

    def act(
        self,
        act: Act,
        officer: str,
        at: dt.datetime,
        *,
        reason: Reason | None = None,
        note: str = "",
        serials: tuple[int, ...] = (),
    ) -> Application:
        """The application after one act; raises `Refused`."""
        where = f"application {self.id.hex()[:8]}"
        after = TRANSITIONS.get((self.state, act))
        if after is None:
            raise Refused(f"{act.value} is not possible when {self.state.value[0]}", where=where)
        check_person(officer)
        if len(note) > _TEXT_MAX or not note.isprintable():
            raise Usage(f"at most {_TEXT_MAX} printable characters", where="note")
        if at < (self.steps[-1].at if self.steps else self.asked_at):
            raise Refused("earlier than the step before", where=where, fix="check the clock")
        self._require_other_hands(act, officer, where)
        if (reason is not None) != (act is Act.REVOKE) or reason in (Reason.ON_HOLD, Reason.REMOVED):
            raise Usage("a reason with a revocation, and with nothing else", where=where)
        step = Step(act=act, officer=officer, at=at, reason=reason, note=note)
        return replace(self, state=after, steps=(*self.steps, step), serials=serials or self.serials)

    @property
    def revocation(self) -> Revocation | None:
        """The entry of its certificates on a revocation list, as its steps have it."""
        for step in reversed(self.steps):
            if step.act is Act.RESUME:
                return None
            if step.act is Act.SUSPEND:
                return Revocation(since=step.at, reason=Reason.ON_HOLD)
            if step.act is Act.REVOKE and step.reason is not None:
                return Revocation(since=step.at, reason=step.reason)
        return None

    def _require_other_hands(self, act: Act, officer: str, where: str) -> None:
        if act is Act.APPROVE:
            if same_person(officer, self.requester):
                raise Refused("who asked may not approve", where=where)
            if any(step.act is Act.APPROVE and same_person(step.officer, officer) for step in self.steps):
                raise Refused("this officer approved already", where=where, fix="another one must")
        bound = (self.requester, self._last(Act.SUSPEND))
        if act is Act.RESUME and any(same_person(officer, other) for other in bound):
            raise Refused("another officer must resume than the one who suspended or asked", where=where)

    def _last(self, act: Act) -> str:
        return next((step.officer for step in reversed(self.steps) if step.act is act), "")


def new_application(
    profile: ProfileName,
    subject: Subject,
    public_der: bytes,
    requester: str,
    at: dt.datetime,
    *,
    dns_names: tuple[str, ...] = (),
    constraints: Constraints | None = None,
    renews: bytes | None = None,
) -> Application:
    """An application that its profile covers; raises `Refused`. The same wish at the same time has the same id."""
    check_person(requester)
    PROFILES[profile].check(subject, public_der, dns_names)
    if (constraints is not None) != (profile is ProfileName.AUTHORITY):
        raise Refused("name constraints for an authority, and for nobody else", where="application")
    moment = at.astimezone(dt.UTC).isoformat().encode()
    name = make_id("application", profile.value.encode(), subject.to_name().dump(), public_der, moment)
    return Application(
        id=name, profile=profile, subject=subject, public_der=public_der, dns_names=dns_names,
        constraints=constraints, requester=requester, asked_at=at, renews=renews,
    )  # fmt: skip


def same_person(left: str, right: str) -> bool:
    """Whether two names are one officer's: letters of another case or width do not make another person."""
    return normalize("NFKC", left).casefold() == normalize("NFKC", right).casefold()


def check_person(name: str) -> None:
    """An officer's or requester's name in the register: short, printable, no spaces around."""
    if not 0 < len(name) <= 64 or not name.isprintable() or name != name.strip():
        raise Usage(f"not a name: {name!r}", where="officer", fix="1 to 64 printable characters")
