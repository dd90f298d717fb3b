"""Reads a holder's records from a card by declaration: name, numbers, class (LD/T 33; ISO/IEC 7816-4 READ RECORD).

What a card refuses or holds in another form is said record by record; the rest is read all the same. A file that
opens to its authority's access key is read after EXTERNAL AUTHENTICATE (ISO/IEC 7816-4), by whoever has the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jinka.codec import Command
from jinka.codec.fields import decode_field
from jinka.kit import Usage
from jinka.profile.records import RecordSpec
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly
from jinka.terminal.reading import read_public, select, verify_pin

_BY_NUMBER = 0x04
_CHALLENGE = bytes.fromhex("0084000008")


class AccessProvider(Protocol):
    """Whoever has an access key; the key itself never comes to the terminal."""

    def answer(self, card_no: bytes, challenge: bytes) -> bytes:
        """The 8 bytes of EXTERNAL AUTHENTICATE for the card's challenge."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAccess:
    """The access key of an application: its number on the card, the files that it opens, and who answers by it."""

    kid: int
    files: frozenset[int]
    provider: AccessProvider

    def opens(self, record: RecordSpec) -> bool:
        """Whether this record lies in one of the files."""
        return not record.folder and record.fid in self.files


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
    access: FileAccess | None = None,
) -> tuple[RecordReading, ...]:
    """Select the application, present the PIN if one is given, read each record; those that ``access`` opens last,
    when the key was proved once, since the card then forgets the PIN.

    ``folders`` maps a folder's identifier to its name. Raises `ChipRefused` when the application, the PIN or the
    access key is refused.
    """
    select(link, aid)
    if pin:
        verify_pin(link, pin)
    kept = [record for record in records if access is not None and access.opens(record)]
    found = _read_each(link, aid, [record for record in records if record not in kept], folders or {})
    if access is not None and kept:
        if any(record.folder for record in records):
            select(link, aid)
        prove_access(link, access.kid, access.provider, read_public(link).card_no)
        found += _read_each(link, aid, kept, {})
    return tuple(sorted(found, key=lambda one: records.index(one.record)))


def prove_access(link: ApduLink, kid: int, provider: AccessProvider, card_no: bytes) -> None:
    """EXTERNAL AUTHENTICATE with the key ``kid`` of the folder that is selected; `ChipRefused` when it is another."""
    challenge = ask_exactly(link, "get challenge", _CHALLENGE, 8)
    answer = provider.answer(card_no, challenge)
    ask(link, "external authenticate", Command(0x00, 0x82, 0, kid, answer).build())


def _read_each(
    link: ApduLink, aid: bytes, records: Sequence[RecordSpec], folders: Mapping[int, bytes]
) -> list[RecordReading]:
    found: list[RecordReading] = []
    here, file = 0, -1
    for record in records:
        try:
            if record.folder != here:
                select(link, aid if not record.folder else folders[record.folder])
                here, file = record.folder, -1
            if record.fid != file:
                ask(link, f"select {record.fid:04X}", b"\x00\xa4\x00\x00\x02" + record.fid.to_bytes(2, "big"))
                file = record.fid
            found.append(_read(link, record))
        except ChipRefused as error:
            found.append(RecordReading(record=record, value=None, sw=error.sw, reason=str(error)))
    return found


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
