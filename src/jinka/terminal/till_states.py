"""What a terminal keeps of each transaction with its host, and how one goes on: a table, and an entry of the journal.

ISO 8583:1987, 4.1 (message flows; reversals 04xx); UnionPay's terminals send the reversal that they owe before the next
transaction. An entry is written before its message goes out, and before the holder sees what came of it, so a terminal
that was killed knows what it owes. Writing is the caller's; sealing what is written is too: an entry names the card.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.kit import JinkaError, Refused, Usage
from jinka.terminal.host_verbs import VERBS, Side, Verb


class TillState(Enum):
    """Where a transaction stands at the terminal."""

    ASKED = "asked"  # written, and then sent
    APPROVED = "approved"  # the host said yes; the card has not been told, nothing handed out
    PAYING = "paying"  # money is being handed out: only its counter can tell how far that came
    PART = "part"  # a part was handed out; the rest must be given back
    DONE = "done"
    DECLINED = "declined"
    UNSENT = "unsent"  # there was no line: the host never heard of it
    OPEN = "open"  # nobody knows, and nothing follows from it: a question without money
    OWED = "owed"  # it must be taken back
    REVERSED = "reversed"
    TOLD = "told"  # a fact that the host has to hear
    DISPUTED = "disputed"  # the host refuses a reversal or a fact: a person has to look


class TillStep(Enum):
    """What may happen to it."""

    APPROVE = "approve"
    DECLINE = "decline"
    FAIL = "fail"  # no line
    FORGET = "forget"  # no answer to a question
    LOSE = "lose"  # no answer, a wrong MAC, or the terminal stopped
    PAY = "pay"
    KEEP = "keep"  # a part was handed out
    COMPLETE = "complete"
    REFUSE = "refuse"  # the card, or the holder, after the host's yes
    RETRY = "retry"
    TAKE_BACK = "take back"
    ACCEPT = "accept"
    GIVE_UP = "give up"


_S, _T = TillState, TillStep
TILL_STEPS: Mapping[tuple[TillState, TillStep], TillState] = MappingProxyType(
    {
        (_S.ASKED, _T.APPROVE): _S.APPROVED,
        (_S.ASKED, _T.DECLINE): _S.DECLINED,
        (_S.ASKED, _T.FAIL): _S.UNSENT,
        (_S.ASKED, _T.FORGET): _S.OPEN,
        (_S.ASKED, _T.LOSE): _S.OWED,
        (_S.APPROVED, _T.COMPLETE): _S.DONE,
        (_S.APPROVED, _T.PAY): _S.PAYING,
        (_S.APPROVED, _T.REFUSE): _S.OWED,
        (_S.APPROVED, _T.LOSE): _S.OWED,
        (_S.PAYING, _T.COMPLETE): _S.DONE,
        (_S.PAYING, _T.REFUSE): _S.OWED,
        (_S.PAYING, _T.KEEP): _S.PART,
        (_S.PART, _T.RETRY): _S.PART,
        (_S.PART, _T.TAKE_BACK): _S.DONE,
        (_S.PART, _T.GIVE_UP): _S.DISPUTED,
        (_S.OWED, _T.RETRY): _S.OWED,
        (_S.OWED, _T.TAKE_BACK): _S.REVERSED,
        (_S.OWED, _T.GIVE_UP): _S.DISPUTED,
        (_S.TOLD, _T.RETRY): _S.TOLD,
        (_S.TOLD, _T.ACCEPT): _S.DONE,
        (_S.TOLD, _T.GIVE_UP): _S.DISPUTED,
    }
)
DEBTS = frozenset({_S.OWED, _S.PART, _S.TOLD})  # what goes before the next transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TillEntry:
    """One transaction. ``moment`` is field 7; ``sequence`` and the entry mode are as the message has them."""

    verb: str
    state: TillState
    batch: str
    trace: str
    at: dt.datetime  # the terminal's local time
    moment: str
    amount_fen: int
    pan: str = field(default="", repr=False)
    expiry4: str = field(default="", repr=False)
    sequence: str = ""
    entry_mode: str = ""
    code: str = ""
    approval: str = ""
    reference: str = ""  # field 37
    original: str = (
        ""  # batch 6, trace number 6, date 4 and moment 10 of the transaction that this one is about
    )
    reason: str = ""  # of the reversal, field 39
    field55: bytes = field(default=b"", repr=False)
    tries: int = 0
    balance_fen: int | None = None
    stays_fen: int = 0  # what was handed out, where that is a part

    @property
    def key(self) -> tuple[str, str]:
        """What names it at this terminal."""
        return self.batch, self.trace

    @property
    def kind(self) -> Verb:
        return VERBS[self.verb]

    @property
    def masked(self) -> str:
        """The card's number for receipts."""
        return mask(self.pan)

    @property
    def as_original(self) -> str:
        """How a later transaction names this one."""
        return f"{self.batch}{self.trace}{self.at:%m%d}{self.moment}{self.kind.mti}"

    def after(self, step: TillStep, **changes: object) -> TillEntry:
        """The entry after a step; `JinkaError` for one that the table does not have."""
        state = TILL_STEPS.get((self.state, step))
        if state is None:
            raise JinkaError(f"no step {step.value} from {self.state.value}", where="till", fix="report this")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]


def mask(pan: str) -> str:
    """First six and last four digits."""
    return pan[:6] + "*" * max(0, len(pan) - 10) + pan[-4:] if len(pan) > 10 else "*" * len(pan)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTotals:
    """What a terminal counted in one batch, amounts in fen."""

    debit_fen: int = 0
    debits: int = 0
    credit_fen: int = 0
    credits: int = 0


def totals_of(entries: Iterable[TillEntry], batch: str) -> BatchTotals:
    """The totals of a batch: what is done, and nothing that was taken back."""
    counted = [e for e in entries if e.batch == batch and e.state is TillState.DONE]
    debits = [e.amount_fen for e in counted if e.kind.side is Side.DEBIT]
    credits_ = [e.amount_fen for e in counted if e.kind.side is Side.CREDIT]
    return BatchTotals(
        debit_fen=sum(debits), debits=len(debits), credit_fen=sum(credits_), credits=len(credits_)
    )


_WHOLE = frozenset({"void", "completion-void", "preauth-cancel"})  # they take back all of their original


def check_original(
    entries: Iterable[TillEntry], verb: Verb, original: TillEntry | None, amount_fen: int
) -> None:
    """`Refused` or `Usage` unless a transaction may be about this original: finished, of a fitting kind, and unused."""
    if (original is None) == bool(verb.original):
        raise Usage(f"a {verb.name} and its original", where="original", fix="name its trace number")
    if original is None:
        return
    if original.verb not in verb.original or original.state is not TillState.DONE:
        raise Refused(
            f"{original.verb}, {original.state.value}", where=f"trace {original.trace}",
            fix=f"a {verb.name} needs a finished {' or '.join(sorted(verb.original))}",
        )  # fmt: skip
    if verb.name in _WHOLE and amount_fen != original.amount_fen:
        raise Usage("another amount than the original's", where="amount", fix="take it back whole")
    standing = [e for e in entries if e.state is TillState.DONE]
    undone = {e.original for e in standing if e.verb in _WHOLE}
    about = [e for e in standing if e.original == original.as_original]
    if any(e.verb in _WHOLE for e in about):
        raise Refused("it was taken back already", where=f"trace {original.trace}")
    if verb.name != "refund" and any(e.as_original not in undone for e in about):
        raise Refused(
            "something else stands about it", where=f"trace {original.trace}", fix="undo that first"
        )
