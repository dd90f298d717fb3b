"""A planned day: who rides when and where. Either replayed from a file (`replay`) or generated (`city`).

A plan holds facts of the world only: no keys, no MACs and no prices; those come from cards, terminals and the tariff
when the plan is played.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import Enum

from jinka.codec import Algorithm, digits_to_bcd
from jinka.kit import Finding
from jinka.registry import Participant
from jinka.tariff import HolderClass, Mode, RideState, TapKind

LANES = 2  # SAM slots of a terminal: a card uses the slot that its number selects


class Torn(Enum):
    """A card pulled away during the debit: the rider taps again at once, or walks on."""

    TAPS_AGAIN = "taps_again"
    WALKS_ON = "walks_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCard:
    """One card before the day. ``state`` is what its ride record already says; amounts are fen."""

    card_no: bytes
    holder: HolderClass
    balance: int
    algorithm: Algorithm
    state: RideState | None = None

    @property
    def lane(self) -> int:
        """The SAM slot that serves this card: spreads cards evenly, whatever their numbers look like."""
        return hashlib.sha256(self.card_no).digest()[0] % LANES


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDevice:
    """A bus validator or a gate: the operator's number of 9 digits, and where it stands."""

    number: str
    operator: str
    mode: Mode
    line: int
    station: int = 0  # 0 for a bus, and where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTap:
    """One tap. ``card`` and ``device`` are indices into the plan; ``expected_fen`` is a file's own charge.

    ``unseen`` is a ride that the file does not show but that its prices prove; it is written to the card before the
    tap. ``reclassed`` is a holder class inferred anew for this tap.
    """

    at: dt.datetime
    card: int
    device: int
    mode: Mode
    kind: TapKind
    line: int
    station: int
    gross_fen: int
    expected_fen: int | None = None
    unseen: RideState | None = None
    reclassed: HolderClass | None = None
    torn: Torn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CityPlan:
    """Everything that a day needs. ``inferred`` counts what a replay had to assume, by kind."""

    source: str
    region: str  # GB/T 2260, 6 digits
    zone: str
    date: dt.date
    participants: tuple[Participant, ...]
    lines: dict[int, str]
    stations: dict[int, str]
    devices: tuple[PlannedDevice, ...]
    cards: tuple[PlannedCard, ...]
    taps: tuple[PlannedTap, ...]
    blocked: tuple[int, ...] = ()  # cards on the list that was in force before service began
    rows_read: int = 0
    duplicates_dropped: int = 0
    inferred: dict[str, int]
    findings: tuple[Finding, ...] = ()


def card_number(digits: str) -> bytes:
    """A transit card number of 19 digits in 10 bytes BCD: 310 (T-Union), 5840 (Shenzhen), then 12 digits."""
    return digits_to_bcd("3105840" + digits.rjust(12, "0"), 10)


def terminal_id(device_number: str, lane: int) -> bytes:
    """The 6-byte terminal number of one slot of a device: 44, the operator's 9 digits, the slot.

    A number of 11 digits brings its own prefix, so that it cannot be an operator's.
    """
    return digits_to_bcd(f"{device_number.rjust(11, '4')}{lane}", 6)


def psam_id(terminal: bytes) -> bytes:
    """The 10-byte PSAM serial number of the module in that slot."""
    return digits_to_bcd("44030001" + terminal.hex(), 10)
