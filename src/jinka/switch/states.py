"""The state machines of the switch as tables: session, transaction, and what waits in store-and-forward.

ISO 8583:1987 and 1993 name the messages; when they are owed is the network's rule. A step that a table does not have is
an error of ours and raises; nothing here sends or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from jinka.kit import JinkaError


class SessionState(Enum):
    """Where the talk with a peer stands."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    DOWN = "down"
    CONNECTED = "connected"  # a line, and nobody has signed on
    SIGNING_ON = "signing_on"
    READY = "ready"
    EXCHANGING = "exchanging"  # ready, and a new key is under way


class SessionStep(Enum):
    """What may happen to a session."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    CONNECT = "connect"
    ASK = "ask"  # we send the sign-on
    SIGN_ON = "sign_on"  # the peer's sign-on, or its yes to ours
    ECHO = "echo"
    OFFER_KEY = "offer_key"
    TAKE_KEY = "take_key"
    CUT_OVER = "cut_over"
    SIGN_OFF = "sign_off"
    DISCONNECT = "disconnect"


class TxState(Enum):
    """Where a transaction stands. `APPROVED`, `DECLINED`, `REVERSED` and `REFUSED` are its ends."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    RECEIVED = "received"
    ROUTED = "routed"  # the journal is asked to keep it, before it goes out
    FORWARDED = "forwarded"
    APPROVED = "approved"
    DECLINED = "declined"
    REVERSING = "reversing"  # a reversal is in store-and-forward
    REVERSED = "reversed"
    REFUSED = "refused"  # the issuer declined its reversal: someone must look


class TxStep(Enum):
    """What may happen to a transaction."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    ROUTE = "route"
    FORWARD = "forward"
    STAND_IN = "stand_in"
    STORE = "store"  # an advice: a fact already, kept and passed on
    APPROVE = "approve"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    REVERSE = "reverse"  # the acquirer's reversal
    ADJUST = "adjust"  # its partial reversal
    LATE = "late"  # an answer to what is reversed already
    CONFIRM = "confirm"  # the issuer has the reversal
    STAND = "stand"  # the issuer has booked it and will not undo it
    REFUSE = "refuse"  # the issuer declines the reversal, and nobody here knows why
    BURY = "bury"  # a reversal came whose original did not: should that come still, it is refused


class TransferState(Enum):
    """Where a transfer between two banks stands. `COMMITTED`, `REFUSED`, `ABORTED` and `STUCK` are its ends."""

    PREPARING = "preparing"  # the payer's bank is asked to debit
    CREDITING = "crediting"  # it has; the receiver's bank is asked to credit
    TAKING_BACK = "taking_back"  # the credit is being undone, and only then the debit
    GIVING_BACK = "giving_back"  # there is no credit; the debit is being undone
    COMMITTED = "committed"
    REFUSED = "refused"
    ABORTED = "aborted"
    STUCK = "stuck"  # a bank declined the reversal of its leg: someone must look


class TransferStep(Enum):
    """What may happen to it."""

    PREPARED = "prepared"
    CREDITED = "credited"
    REFUSE = "refuse"
    DOUBT = "doubt"  # no answer in time: the leg is being reversed
    CANCEL = "cancel"  # the acquirer's reversal, or a kill before the debit was known
    CREDIT_UNDONE = "credit_undone"
    CREDIT_STAYS = "credit_stays"  # the receiver's bank has booked it and cannot take it back
    DEBIT_UNDONE = "debit_undone"
    UNDO_REFUSED = "undo_refused"


class SafState(Enum):
    """Where a message in store-and-forward stands."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"  # the issuer declined a fact: someone must look


class SafStep(Enum):
    """What may happen to it."""

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    SEND = "send"
    RETRY = "retry"  # no answer in time, an answer that asks for it, or the line is gone
    ACCEPT = "accept"
    REFUSE = "refuse"


class TerminalState(Enum):
    """Where a terminal stands that signs in for working keys."""

    UNKNOWN = "unknown"
    SIGNED_IN = "signed_in"
    SETTLED = "settled"  # its batch is closed: it signs in for the next
    SIGNED_OFF = "signed_off"


class TerminalStep(Enum):
    """What may happen to it."""

    SIGN_IN = "sign_in"
    SETTLE = "settle"
    SIGN_OFF = "sign_off"


_Up = (SessionState.CONNECTED, SessionState.SIGNING_ON, SessionState.READY, SessionState.EXCHANGING)
_Signed = (SessionState.READY, SessionState.EXCHANGING)

SESSION_STEPS: Mapping[tuple[SessionState, SessionStep], SessionState] = {
    (SessionState.DOWN, SessionStep.CONNECT): SessionState.CONNECTED,
    (SessionState.CONNECTED, SessionStep.ASK): SessionState.SIGNING_ON,
    (SessionState.SIGNING_ON, SessionStep.ASK): SessionState.SIGNING_ON,
    **{(state, SessionStep.SIGN_ON): SessionState.READY for state in _Up},
    **{(state, SessionStep.ECHO): state for state in _Up},
    (SessionState.READY, SessionStep.OFFER_KEY): SessionState.EXCHANGING,
    **{(state, SessionStep.TAKE_KEY): SessionState.READY for state in _Signed},
    **{(state, SessionStep.CUT_OVER): state for state in _Up},
    **{(state, SessionStep.SIGN_OFF): SessionState.CONNECTED for state in _Up},
    **{(state, SessionStep.DISCONNECT): SessionState.DOWN for state in SessionState},
}

TX_STEPS: Mapping[tuple[TxState, TxStep], TxState] = {
    (TxState.RECEIVED, TxStep.ROUTE): TxState.ROUTED,
    (TxState.RECEIVED, TxStep.STAND_IN): TxState.APPROVED,
    (TxState.RECEIVED, TxStep.STORE): TxState.APPROVED,
    (TxState.RECEIVED, TxStep.DECLINE): TxState.DECLINED,
    (TxState.RECEIVED, TxStep.BURY): TxState.REVERSED,
    (TxState.ROUTED, TxStep.FORWARD): TxState.FORWARDED,
    (TxState.ROUTED, TxStep.REVERSE): TxState.REVERSING,
    (TxState.ROUTED, TxStep.TIME_OUT): TxState.REVERSING,
    (TxState.FORWARDED, TxStep.APPROVE): TxState.APPROVED,
    (TxState.FORWARDED, TxStep.DECLINE): TxState.DECLINED,
    (TxState.FORWARDED, TxStep.TIME_OUT): TxState.REVERSING,
    (TxState.FORWARDED, TxStep.REVERSE): TxState.REVERSING,
    (TxState.APPROVED, TxStep.REVERSE): TxState.REVERSING,
    (TxState.APPROVED, TxStep.ADJUST): TxState.APPROVED,
    (TxState.REVERSING, TxStep.LATE): TxState.REVERSING,
    (TxState.REVERSED, TxStep.LATE): TxState.REVERSED,
    (TxState.DECLINED, TxStep.LATE): TxState.DECLINED,
    (TxState.REFUSED, TxStep.LATE): TxState.REFUSED,
    (TxState.REVERSING, TxStep.CONFIRM): TxState.REVERSED,
    (TxState.REVERSING, TxStep.STAND): TxState.APPROVED,
    (TxState.REVERSING, TxStep.REFUSE): TxState.REFUSED,
}

TRANSFER_STEPS: Mapping[tuple[TransferState, TransferStep], TransferState] = {
    (TransferState.PREPARING, TransferStep.PREPARED): TransferState.CREDITING,
    (TransferState.PREPARING, TransferStep.REFUSE): TransferState.REFUSED,
    (TransferState.PREPARING, TransferStep.DOUBT): TransferState.GIVING_BACK,
    (TransferState.PREPARING, TransferStep.CANCEL): TransferState.GIVING_BACK,
    (TransferState.CREDITING, TransferStep.CREDITED): TransferState.COMMITTED,
    (TransferState.CREDITING, TransferStep.REFUSE): TransferState.GIVING_BACK,
    (TransferState.CREDITING, TransferStep.DOUBT): TransferState.TAKING_BACK,
    (TransferState.CREDITING, TransferStep.CANCEL): TransferState.TAKING_BACK,
    (TransferState.COMMITTED, TransferStep.CANCEL): TransferState.TAKING_BACK,
    (TransferState.TAKING_BACK, TransferStep.CREDIT_UNDONE): TransferState.GIVING_BACK,
    (TransferState.TAKING_BACK, TransferStep.CREDIT_STAYS): TransferState.COMMITTED,
    (TransferState.TAKING_BACK, TransferStep.UNDO_REFUSED): TransferState.STUCK,
    (TransferState.GIVING_BACK, TransferStep.DEBIT_UNDONE): TransferState.ABORTED,
    (TransferState.GIVING_BACK, TransferStep.UNDO_REFUSED): TransferState.STUCK,
}

_Prep, _Cred, _Take, _Give = (
    TransferState.PREPARING, TransferState.CREDITING, TransferState.TAKING_BACK, TransferState.GIVING_BACK
)  # fmt: skip
# What the state of the leg that a transfer waits for means: the debit's while preparing and giving back, else the
# credit's. For what is not here the transfer waits, and where it undoes a leg, sees that the leg is reversed.
LEG_SAYS: Mapping[tuple[TransferState, TxState], TransferStep] = {
    (_Prep, TxState.APPROVED): TransferStep.PREPARED,
    (_Prep, TxState.DECLINED): TransferStep.REFUSE,
    (_Prep, TxState.REVERSING): TransferStep.DOUBT,
    (_Prep, TxState.REVERSED): TransferStep.DOUBT,
    (_Prep, TxState.REFUSED): TransferStep.DOUBT,
    (_Cred, TxState.APPROVED): TransferStep.CREDITED,
    (_Cred, TxState.DECLINED): TransferStep.REFUSE,
    (_Cred, TxState.REVERSING): TransferStep.DOUBT,
    (_Cred, TxState.REVERSED): TransferStep.DOUBT,
    (_Cred, TxState.REFUSED): TransferStep.DOUBT,
    (_Take, TxState.DECLINED): TransferStep.CREDIT_UNDONE,
    (_Take, TxState.REVERSED): TransferStep.CREDIT_UNDONE,
    (_Take, TxState.REFUSED): TransferStep.UNDO_REFUSED,
    (_Give, TxState.DECLINED): TransferStep.DEBIT_UNDONE,
    (_Give, TxState.REVERSED): TransferStep.DEBIT_UNDONE,
    (_Give, TxState.REFUSED): TransferStep.UNDO_REFUSED,
}

SAF_STEPS: Mapping[tuple[SafState, SafStep], SafState] = {
    (SafState.QUEUED, SafStep.SEND): SafState.SENT,
    (SafState.QUEUED, SafStep.ACCEPT): SafState.DONE,  # the answer to an earlier sending
    (SafState.QUEUED, SafStep.REFUSE): SafState.REFUSED,
    (SafState.SENT, SafStep.RETRY): SafState.QUEUED,
    (SafState.SENT, SafStep.ACCEPT): SafState.DONE,
    (SafState.SENT, SafStep.REFUSE): SafState.REFUSED,
}

TERMINAL_STEPS: Mapping[tuple[TerminalState, TerminalStep], TerminalState] = {
    **{(state, TerminalStep.SIGN_IN): TerminalState.SIGNED_IN for state in TerminalState},
    (TerminalState.SIGNED_IN, TerminalStep.SETTLE): TerminalState.SETTLED,
    (TerminalState.SIGNED_IN, TerminalStep.SIGN_OFF): TerminalState.SIGNED_OFF,
}

# What a transaction may come to rest in. Money has moved for good in the first, and nobody here knows in the last.
ENDS = frozenset({TxState.APPROVED, TxState.DECLINED, TxState.REVERSED, TxState.REFUSED})

# What a line of the journal may say of transactions, stored messages and terminals; of sums (equal, differ, unanswered)
# and uploads (same, differs, unknown); of days and keys, and of originals that something was taken from (open, closed).
JOURNAL_STATES = frozenset(
    {state.value for table in (TxState, SafState, TerminalState) for state in table}
    | {"equal", "differ", "unanswered", "same", "differs", "unknown", "begun", "in_use", "open", "closed"}
)

State = TypeVar("State", bound=Enum)
Step = TypeVar("Step", bound=Enum)


def take(table: Mapping[tuple[State, Step], State], state: State, step: Step) -> State:
    """The next state; `JinkaError` for a step that the table does not have."""
    found = table.get((state, step))
    if found is None:
        raise JinkaError(f"no step {step.value} from {state.value}", where="switch", fix="report this")
    return found


def may(table: Mapping[tuple[State, Step], State], state: State, step: Step) -> bool:
    """Whether the table has the step."""
    return (state, step) in table
