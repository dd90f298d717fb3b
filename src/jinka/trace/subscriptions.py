"""A subscription to a named query: how far its receiver has acknowledged, and what follows from each try.

GS1 EPCIS 2.0, 8.2.5 (standing queries) and the REST binding (/queries/{name}/subscriptions). Events are numbered by the
store in the order in which they were recorded. A try sends the events after ``acknowledged`` up to ``offered``. The
message itself is written down with ``offered`` before it is sent, and is repeated byte for byte until the receiver has
taken it: what its owner may see may change meanwhile, the message does not. Its id is made of its bytes, so one id has
one content. Only what was taken moves ``acknowledged``. So nothing is lost, and a server that is killed between the
receiver's answer and its own writing repeats one message, which its id tells.

Nothing is sent here (`jinka.node.trace_receivers`), nothing kept (`jinka.store.trace_subscriptions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from hashlib import sha256

from jinka.kit import Refused, make_id
from jinka.trace.schedule import Schedule

BATCH = 100  # events in one message
_MICROS = 1_000_000
# Seconds between tries, then the last one again and again: a receiver that was away for a week still gets everything.
WAITS_S = (1, 5, 15, 60, 300, 900, 3600)


class State(Enum):
    """A subscription that was ended is kept no longer."""

    ACTIVE = "active"
    HALTED = "halted"  # one event is too large for the receiver: somebody must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """``schedule`` None: a stream. Numbers of events: `acknowledged` is the last taken, `offered` 0 or under way."""

    id: str
    query: str
    owner: str  # the participant whose eyes the query has; empty where nobody is told apart
    dest: str
    sealed_token: bytes = field(default=b"", repr=False)
    schedule: Schedule | None = None
    report_if_empty: bool = False
    epc_format: str = ""
    created_micros: int
    initial_micros: int
    acknowledged: int
    offered: int = 0
    batch: int = BATCH
    next_micros: int = 0  # when to look at it next
    attempts: int = 0  # since the last success
    notified_micros: int = 0  # the last success; 0: none
    outcome: str = ""
    state: State = State.ACTIVE

    def message_id(self, body: bytes) -> str:
        """The same for every try of a message; the same bytes after another success are another message."""
        told = (self.id, self.acknowledged, self.notified_micros, sha256(body).digest())
        return "msg_" + make_id("jinka.trace.subscription", *told).hex()


def begun(made: Subscription) -> Subscription:
    """A new one: its first time to be looked at."""
    return replace(made, next_micros=_next(made, made.created_micros))


def offering(found: Subscription, upto: int) -> Subscription:
    """Before a message is sent: which events it has."""
    if upto < found.acknowledged:
        raise Refused("events that were taken already", where=f"subscription {found.id}")
    return replace(found, offered=upto)


def taken(found: Subscription, now_micros: int, *, more: bool) -> Subscription:
    """The receiver has it. ``more``: there are events left, which go at once."""
    next_micros = now_micros if more else _next(found, now_micros)
    return replace(
        found,
        acknowledged=max(found.offered, found.acknowledged),
        offered=0,
        batch=min(BATCH, found.batch * 2),
        attempts=0,
        next_micros=next_micros,
        notified_micros=now_micros,
        outcome="",
    )


def passed_over(found: Subscription, upto: int, now_micros: int, *, at_once: bool = False) -> Subscription:
    """Nothing to tell up to there. ``at_once``: there are events behind it to be looked at."""
    next_micros = now_micros if at_once else _next(found, now_micros)
    return replace(found, acknowledged=max(upto, found.acknowledged), offered=0, next_micros=next_micros)


def failed(found: Subscription, now_micros: int, outcome: str) -> Subscription:
    """No acknowledgement: the same message again, later and later."""
    return replace(
        found,
        attempts=found.attempts + 1,
        next_micros=now_micros + wait_micros(found.attempts),
        outcome=outcome[:200],
    )


def wait_micros(attempts: int) -> int:
    """How long to wait after so many tries that came to nothing, and one more."""
    return WAITS_S[min(attempts, len(WAITS_S) - 1)] * _MICROS


def too_large(found: Subscription, now_micros: int, count: int) -> Subscription:
    """The receiver refused ``count`` events at once (413): half of them; one alone stops the subscription."""
    if count <= 1:
        return replace(found, state=State.HALTED, outcome="one event is too large for the receiver")
    return replace(found, offered=0, batch=max(1, count // 2), next_micros=now_micros)


def _next(found: Subscription, now_micros: int) -> int:
    """When it runs by itself. A stream is looked at when something was captured; a time that was missed counts once."""
    return now_micros if found.schedule is None else found.schedule.after(now_micros)
