"""All machines of disputes, and the kinds under which one is opened: a machine and its first event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinka.clearing.dispute import Table
from jinka.clearing.dispute_bank import BANK
from jinka.clearing.dispute_purse import DEAD_CARD, LOST_EXIT, TORN_TAP, UNCONFIRMED_LOAD, WRONG_FARE
from jinka.clearing.dispute_words import Event, Machine
from jinka.kit import Usage

TABLES: Mapping[Machine, Table] = MappingProxyType(
    {table.machine: table for table in (BANK, TORN_TAP, UNCONFIRMED_LOAD, LOST_EXIT, WRONG_FARE, DEAD_CARD)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What somebody opens; ``word`` is its name on the command line."""

    word: str
    machine: Machine
    event: Event


def _bank(word: str, event: Event) -> Kind:
    return Kind(word=word, machine=Machine.BANK, event=event)


KINDS: tuple[Kind, ...] = (
    _bank("inquiry", Event.INQUIRE),
    _bank("retrieval", Event.RETRIEVE),
    _bank("chargeback", Event.CHARGE_BACK),
    _bank("adjustment", Event.ADJUST),
    _bank("exception", Event.PROPOSE),
    *(
        Kind(word=machine.word, machine=machine, event=Event.REPORT)
        for machine in TABLES
        if machine is not Machine.BANK
    ),
)


def require_kind(word: str) -> Kind:
    """The kind of that name; `Usage` that lists them otherwise."""
    for kind in KINDS:
        if kind.word == word:
            return kind
    raise Usage(
        f"no such kind of dispute: {word!r}", where="kind", fix=", ".join(kind.word for kind in KINDS)
    )
