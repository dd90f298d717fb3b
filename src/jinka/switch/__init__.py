"""The switch: messages of card payments routed, kept, answered once and undone where nobody knows; a core without I/O.

ISO 8583:1987 to 2003 for the messages (`jinka.codec.iso8583` reads them), field 90 for reversals, UnionPay's dialects
by declaration. Sessions, transactions and store-and-forward are tables (`states`). The switch holds no keys and sees no
PIN: the key service translates and checks. Sockets, the journal's disk and timers belong to `jinka.node` and
`jinka.store`; whether a card is good is the issuer's business.
"""

from jinka.switch.config import KeyExchange, Peer, SignOn, StandIn, SwitchConfig
from jinka.switch.core import SwitchCore
from jinka.switch.events import (
    AskKeys,
    Close,
    CutOver,
    Effect,
    Event,
    ExchangeKey,
    Found,
    KeysAnswered,
    LinkDown,
    LinkUp,
    LookUp,
    Received,
    Send,
    StartTimer,
    StopTimer,
    TimerFired,
    Write,
    Written,
)
from jinka.switch.keywork import (
    FAULTED,
    CheckMac,
    KeyStep,
    MacKind,
    MacRule,
    MakeMac,
    PinRule,
    TranslatePin,
    UnwrapKey,
    WrapNewKey,
)
from jinka.switch.record import Entity, Entry, Record, read_record, write_record
from jinka.switch.states import SAF_STEPS, SESSION_STEPS, TX_STEPS, SafState, SessionState, TxState

__all__ = [
    "FAULTED",
    "SAF_STEPS",
    "SESSION_STEPS",
    "TX_STEPS",
    "AskKeys",
    "CheckMac",
    "Close",
    "CutOver",
    "Effect",
    "Entity",
    "Entry",
    "Event",
    "ExchangeKey",
    "Found",
    "KeyExchange",
    "KeyStep",
    "KeysAnswered",
    "LinkDown",
    "LinkUp",
    "LookUp",
    "MacKind",
    "MacRule",
    "MakeMac",
    "Peer",
    "PinRule",
    "Received",
    "Record",
    "SafState",
    "Send",
    "SessionState",
    "SignOn",
    "StandIn",
    "StartTimer",
    "StopTimer",
    "SwitchConfig",
    "SwitchCore",
    "TimerFired",
    "TranslatePin",
    "TxState",
    "UnwrapKey",
    "WrapNewKey",
    "Write",
    "Written",
    "read_record",
    "write_record",
]
