"""The ride record of 48 bytes (file 001A) in the trip-record layout of JT/T 978.2, and back to a `RideState`.

Layout: type 1 | terminal 8 | industry 1 | line 3, station 4 | amount 4 | balance 4 | date and time 7 | city 2 |
acquirer 8 | reserved 6. Jinka's own use of the reserved bytes: after an entry they keep the paid ride before it, so
that the exit can still grant a transfer: industry 1 | line 3 | seconds from that payment to the entry 2. Zeros mean
none; a payment more than 65,535 seconds back is dropped, since no transfer reaches that far.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.kit import Usage, bcd_date, bcd_time, local_datetime
from jinka.tariff import Mode, PaidRide, RideState, TapKind

RIDE_SIZE = 48
_TERMINAL, _INDUSTRY, _LINE, _STATION, _AMOUNT, _BALANCE, _MOMENT, _CITY = 1, 9, 10, 13, 17, 21, 25, 32
_RESERVED = 42
_BEFORE_MAX_SECONDS = 0xFFFF
TRIP_HEAD = bytes((0x80, 0xDC, 0x00, 0x1E << 3, RIDE_SIZE))  # a new record of the cyclic trip file 001E


@dataclass(frozen=True, slots=True, kw_only=True)
class RideStamp:
    """What the terminal adds to a ride: itself, the money, and where it stands."""

    terminal_id: bytes
    amount: int
    balance: int
    city: bytes
    acquirer: bytes


def encode_ride(ride: RideState, stamp: RideStamp) -> bytes:
    """The 48 bytes to write; `Usage` when line or station do not fit."""
    if not (0 <= ride.line < 1 << 24 and 0 <= ride.station < 1 << 32):
        raise Usage(f"line {ride.line}, station {ride.station}", where="ride", fix="3 and 4 bytes")
    return (
        bytes((ride.kind,))
        + stamp.terminal_id.rjust(8, b"\x00")
        + bytes((ride.mode,))
        + ride.line.to_bytes(3, "big")
        + ride.station.to_bytes(4, "big")
        + stamp.amount.to_bytes(4, "big")
        + stamp.balance.to_bytes(4, "big")
        + bcd_date(ride.at)
        + bcd_time(ride.at)
        + stamp.city
        + stamp.acquirer
        + _encode_before(ride)
    )


def ride_command(record_id: int, ride: RideState, stamp: RideStamp) -> bytes:
    """UPDATE CAPP DATA CACHE with the ride, to be written by the purchase that is begun."""
    return bytes((0x80, 0xDC, record_id, 0x1A << 3, RIDE_SIZE + 2, record_id, RIDE_SIZE)) + encode_ride(
        ride, stamp
    )


def decode_ride(raw: bytes) -> RideState | None:
    """The state in a ride record; None for a card that never rode (zeros). `Usage` for anything unreadable."""
    if len(raw) != RIDE_SIZE:
        raise Usage(f"{len(raw)} bytes", where="ride record", fix="48 bytes")
    if not raw[0]:
        return None
    try:
        kind, mode = TapKind(raw[0]), Mode(raw[_INDUSTRY])
    except ValueError:
        raise Usage(f"type {raw[0]:02X}, industry {raw[_INDUSTRY]:02X}", where="ride record") from None
    at = local_datetime(raw[_MOMENT : _MOMENT + 4], raw[_MOMENT + 4 : _CITY])
    line = int.from_bytes(raw[_LINE:_STATION], "big")
    station = int.from_bytes(raw[_STATION:_AMOUNT], "big")
    return RideState(
        kind=kind, mode=mode, line=line, station=station, at=at, before=_decode_before(raw[_RESERVED:], at)
    )


def _encode_before(ride: RideState) -> bytes:
    before = ride.before
    if before is None:
        return bytes(6)
    seconds = int((ride.at - before.at).total_seconds())
    if not 0 <= seconds <= _BEFORE_MAX_SECONDS:
        return bytes(6)
    return bytes((before.mode,)) + before.line.to_bytes(3, "big") + seconds.to_bytes(2, "big")


def _decode_before(raw: bytes, at: dt.datetime) -> PaidRide | None:
    if not raw[0]:
        return None
    try:
        mode = Mode(raw[0])
    except ValueError:
        raise Usage(f"industry {raw[0]:02X}", where="ride record, reserved bytes") from None
    seconds = int.from_bytes(raw[4:6], "big")
    try:
        paid = at - dt.timedelta(seconds=seconds)
    except OverflowError:
        raise Usage(f"{seconds} s before {at}", where="ride record, reserved bytes") from None
    return PaidRide(mode=mode, line=int.from_bytes(raw[1:4], "big"), at=paid)
