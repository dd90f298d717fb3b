"""What the switch is told: its own number, its peers, its routes and what it may approve in an issuer's place.

Values only; `jinka.app` reads them from TOML. Framing and addresses are the shell's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from jinka.codec.iso8583.compile import Codec
from jinka.kit import Usage
from jinka.registry.bins import BinTable
from jinka.switch.keywork import KeyLayout, MacRule, PinRule
from jinka.switch.kinds import STOOD_IN


class SignOn(Enum):
    """Who opens a session."""

    NONE = "none"  # a line is enough
    WE = "we"
    PEER = "peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyExchange:
    """Working keys that a peer exchanges in key blocks: ``under`` is the name of the zone's master key."""

    under: str
    size: int = 16
    overlap_ms: int = 60_000  # for which the former key is still good for what comes in
    every_s: int = 0  # a new key when the last is so old; 0 for never


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A terminal that may sign in. ``master`` is the name of its master key in the key service."""

    number: str
    merchant: str
    master: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A centre, a bank or a concentrator of terminals. Times in milliseconds."""

    name: str
    codec: Codec
    institution: str = ""  # its number in fields 32 and 33
    acquirers: frozenset[str] = frozenset()  # whom else it may name in field 32: it works for them
    sign_on: SignOn = SignOn.NONE
    mac: MacRule | None = None
    pin: PinRule | None = None
    exchange: KeyExchange | None = None
    network_mti: str = "0800"
    reversal_mti: str = "0420"
    timeout_ms: int = 15_000
    echo_ms: int = 30_000
    echo_misses: int = 3
    forward_window: int = 32  # stored messages that are out at once
    retry_ms: int = 2_000
    retry_max_ms: int = 60_000
    garbage_max: int = 3  # unreadable messages before the line is closed
    refusals_max: int = 16  # not signed on, or a wrong MAC: in a row, before the line is closed
    reconcile: bool = False  # our totals of a business date are sent to it after the cut-over
    trail_field: int = 0  # between switches: the field that carries the way so far
    terminals: Mapping[str, Terminal] = field(
        default_factory=dict
    )  # by number, where they sign in by themselves
    sign_ins: Mapping[str, KeyLayout] = field(default_factory=dict)  # by network management code of field 60

    def speaks_for(self, acquirer: str) -> bool:
        """Whether it may name this acquirer: whose account it is that is credited, or pays for a load.

        Another switch, which keeps a trail, answers for those behind it; so does a peer without a number.
        """
        own = not self.institution or bool(self.trail_field) or not acquirer
        return own or acquirer.lstrip("0") in {
            name.lstrip("0") for name in (self.institution, *self.acquirers)
        }

    def __post_init__(self) -> None:
        known = self.codec.spec.fields
        needed = [self.mac.field] if self.mac else []
        needed += [self.trail_field] if self.trail_field else []
        if self.terminals:
            needed += [41, 42, 60, 62]
            if self.mac is None or not self.sign_ins:
                raise Usage("terminals that sign in need mac and sign_in", where=f"peers.{self.name}")
        for number in needed:
            if number not in known:
                raise Usage(f"{self.codec.spec.name} has no field {number}", where=f"peers.{self.name}")

    def bare(self) -> Peer:
        """The same without keys: how a terminal is answered that has none."""
        return replace(self, mac=None, pin=None, terminals={}, sign_ins={})


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What may be approved while an issuer cannot be reached; each limit is per card and business date."""

    kinds: frozenset[str]
    each_fen: int
    card_fen: int
    card_count: int
    with_pin: bool = False  # a PIN cannot be checked here, so by default such a request is not approved
    blocked: frozenset[str] = frozenset()  # account numbers

    def __post_init__(self) -> None:
        for name in sorted(self.kinds - STOOD_IN):
            raise Usage(f"{name!r} is never stood in for", where="kinds", fix=", ".join(sorted(STOOD_IN)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchConfig:
    """``routes`` leads from a prefix of account numbers to a peer; the longest prefix wins."""

    institution: str
    peers: Mapping[str, Peer]
    routes: Mapping[str, str]
    bins: BinTable | None = None  # asked where no route has a prefix of the number
    banks: Mapping[str, str] = field(default_factory=dict)  # from a bank's code in it to a peer
    stand_in: Mapping[str, StandIn] = field(default_factory=dict)
    hops_max: int = 4
    cut_ms: int = 60_000  # from the beginning of a cut-over to its end, and to the totals
    worker: str = "0"
    workers: int = 1  # processes that share the ports and the journal
    closed_kept: int = 100_000  # ended transactions in memory; older ones are looked up in the journal
    open_max: int = 50_000  # transactions under way; one more is declined

    @property
    def number(self) -> int:
        """Which of the workers it is."""
        return int(self.worker)

    def __post_init__(self) -> None:
        if not (self.worker.isascii() and self.worker.isdigit() and self.number < self.workers):
            raise Usage(
                f"worker {self.worker} of {self.workers}", where="switch.worker", fix="0 to workers - 1"
            )
        if not (self.institution.isascii() and self.institution.isdigit() and len(self.institution) <= 11):
            raise Usage("not up to 11 digits", where="switch.institution")
        for prefix, name in self.routes.items():
            if not (prefix.isascii() and prefix.isdigit() and 1 <= len(prefix) <= 19):
                raise Usage(f"{prefix!r} is no prefix", where="switch.routes", fix="1 to 19 digits")
            if name not in self.peers:
                raise Usage(f"no peer {name}", where=f"switch.routes.{prefix}")
        for name in (*self.stand_in, *self.banks.values()):
            if name not in self.peers:
                raise Usage(f"no peer {name}", where="switch.stand_in or switch.banks")
