"""Reads a holder's records from a card by declaration: name, numbers, class (LD/T 33; ISO/IEC 7816-4 READ RECORD).

What a card refuses or holds in another form is said record by record; the rest is read all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinka.codec.fields import decode_field
from jinka.kit import Usage
from jinka.profile.records import RecordSpec
from jinka.terminal.link import ApduLink, ChipRefused, ask
from jinka.terminal.reading import select, verify_pin

_BY_NUMBER = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReading:
    """``value`` is None when the record could not be read; ``sw`` or ``reason`` then say why."""

    record: RecordSpec
    value: str | None
    sw: int = 0
    reason: str = ""

    def __repr__(self) -> str:
        return f"RecordReading({self.record.name}, {'read' if self.value is not None else 'not read'})"


def read_records(
    link: ApduLink,
    aid: bytes,
    records: Sequence[RecordSpec],
    *,
    folders: Mapping[int, bytes] | None = None,
    pin: bytes = b"",
) -> tuple[RecordReading, ...]:
    """Select the application, present the PIN if one is given, read each record.

    ``folders`` maps a folder's identifier to its name. Raises `ChipRefused` when the application or the PIN is refused.
    """
    select(link, aid)
    if pin:
        verify_pin(link, pin)
    found: list[RecordReading] = []
    here, file = 0, -1
    for record in records:
        try:
            if record.folder != here:
                select(link, aid if not record.folder else (folders or {})[record.folder])
                here, file = record.folder, -1
            if record.fid != file:
                ask(link, f"select {record.fid:04X}", b"\x00\xa4\x00\x00\x02" + record.fid.to_bytes(2, "big"))
                file = record.fid
            found.append(_read(link, record))
        except ChipRefused as error:
            found.append(RecordReading(record=record, value=None, sw=error.sw, reason=str(error)))
    return tuple(found)


def holder_values(readings: Sequence[RecordReading]) -> dict[str, str]:
    """Name of the record -> value, for those that were read and are not empty."""
    return {one.record.name: one.value for one in readings if one.value}


def _read(link: ApduLink, record: RecordSpec) -> RecordReading:
    size = record.length + 2
    raw = ask(link, f"read {record.name}", bytes((0x00, 0xB2, record.number, _BY_NUMBER, size)))
    if raw[:2] != bytes((record.number, record.length)) or len(raw) != size:
        return RecordReading(record=record, value=None, reason="another id or length than declared")
    try:
        return RecordReading(record=record, value=decode_field(record.coding, raw[2:]))
    except Usage as error:
        return RecordReading(record=record, value=None, reason=str(error))
