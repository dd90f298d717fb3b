"""Readings that come in from afar: whose they are, whether they can be true, and what was used since the last.

A meter signs number, minute and reading with a key of its own (AES-CMAC, NIST SP 800-38B). The profiles of real
networks (DLMS/COSEM, DL/T 698.45) are not here. What is refused is not billed, and the reading before it stands.
"""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass

from jinka.crypto.aes import aes_cmac
from jinka.kit import NotFound, Refused

_EPOCH = dt.datetime(2000, 1, 1)
_MINUTES_A_DAY = 1_440


class ReadingRefused(Refused):
    """A report that is not believed; ``reason`` is its code."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason, where=f"meter {number}", fix="send somebody to look")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingReport:
    """What a meter sends: litres or watt-hours since it was made."""

    number: int
    minute: int  # since 2000
    reading: int
    mac: bytes


@dataclass(slots=True)
class _Known:
    key: bytes
    most_a_day: int
    minute: int
    reading: int


def sign_reading(key16: bytes, number: int, at: dt.datetime, reading: int) -> ReadingReport:
    """The meter's side."""
    minute = int((at - _EPOCH).total_seconds()) // 60
    return ReadingReport(
        number=number, minute=minute, reading=reading, mac=_mac(key16, number, minute, reading)
    )


class ReadingBook:
    """The last believed reading of each meter."""

    def __init__(self) -> None:
        self._meters: dict[int, _Known] = {}

    def enrol(self, number: int, key16: bytes, *, most_a_day: int, at: dt.datetime, reading: int = 0) -> None:
        """A meter that was put in; ``most_a_day`` is what can flow through it."""
        minute = int((at - _EPOCH).total_seconds()) // 60
        self._meters[number] = _Known(key16, most_a_day, minute, reading)

    def take(self, report: ReadingReport) -> int:
        """What was used since the last report. Raises `ReadingRefused`: FORGED, REPEATED, BACKWARDS, TOO_MUCH."""
        known = self._meters.get(report.number)
        if known is None:
            raise NotFound(f"no meter {report.number}", where="remote reading", fix="enrol it")
        wanted = _mac(known.key, report.number, report.minute, report.reading)
        if not hmac.compare_digest(wanted, report.mac):
            raise ReadingRefused("FORGED", report.number)
        if report.minute <= known.minute:
            raise ReadingRefused("REPEATED", report.number)
        used = report.reading - known.reading
        if used < 0:
            raise ReadingRefused("BACKWARDS", report.number)
        if used * _MINUTES_A_DAY > known.most_a_day * (report.minute - known.minute):
            raise ReadingRefused("TOO_MUCH", report.number)
        known.minute, known.reading = report.minute, report.reading
        return used


def _mac(key16: bytes, number: int, minute: int, reading: int) -> bytes:
    message = number.to_bytes(8, "big") + minute.to_bytes(8, "big") + reading.to_bytes(8, "big")
    return aes_cmac(key16, message)[:8]
