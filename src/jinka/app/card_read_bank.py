"""Debit, credit and qPBOC cards as a reader without keys sees them (EMV Book 1 and 3; JR/T 0025.5; JR/T 0025.12).

Records are read by their place, without GET PROCESSING OPTIONS: a card with electronic cash may debit itself in its
answer to that. So what a card gives only after it is not read, and that is said.
"""

from __future__ import annotations

from jinka.app.card_reading import LogRow, Reading, ask, bcd_date_text, bcd_time_text, select_name
from jinka.codec import TlvError, find
from jinka.codec.dol import split_dol
from jinka.codec.tlv import parse
from jinka.terminal import ApduLink

_ENVIRONMENTS = (b"2PAY.SYS.DDF01", b"1PAY.SYS.DDF01")
_PBOC = tuple(bytes.fromhex(f"A00000033301010{last}") for last in (1, 2, 3, 6, 8))
_TITLES = {
    0x01: ("PBOC debit", "借记"),
    0x02: ("PBOC credit", "贷记"),
    0x03: ("PBOC quasi-credit", "准贷记"),
    0x06: ("PBOC electronic cash", "纯电子现金"),
    0x08: ("PBOC national", "国密"),
}
_SFI_MAX, _RECORDS_MAX, _LOG_MAX = 10, 8, 10
_CASH, _LOG_FORMAT, _LOG_ENTRY = 0x9F79, 0x9F4F, 0x9F4D
_TAGS_DEPTH = 4


def read_bank(link: ApduLink) -> list[Reading]:
    """One reading for each payment application that answers."""
    found = []
    for aid in _applications(link):
        fci = select_name(link, aid)
        if fci is not None:
            found.append(_read(link, aid, fci))
    return found


def _applications(link: ApduLink) -> list[bytes]:
    """The names that the payment environments list, then those of PBOC that answer without being listed."""
    names: list[bytes] = []
    for environment in _ENVIRONMENTS:
        fci = select_name(link, environment)
        if fci is None:
            continue
        records = [fci] + [raw for n in range(1, _RECORDS_MAX + 1) if (raw := ask(link, f"00B2{n:02X}0C00"))]
        for raw in records:
            names += [value for tag, value in _flat(raw) if tag == 0x4F and 5 <= len(value) <= 16]
    names += _PBOC
    return list(dict.fromkeys(names))


def _read(link: ApduLink, aid: bytes, fci: bytes) -> Reading:
    english, chinese = (
        _TITLES.get(aid[-1], ("Payment", "支付")) if aid.startswith(_PBOC[0][:7]) else ("Payment", "支付")
    )
    label = next((value for tag, value in _flat(fci) if tag == 0x50), b"")
    if label:
        english = f"{english} ({label.decode('ascii', 'replace').strip()})"
    reading = Reading(title_en=english, title_zh=f"{chinese}应用", aid=aid.hex().upper())
    objects: dict[int, bytes] = {}
    for sfi in range(1, _SFI_MAX + 1):
        for number in range(1, _RECORDS_MAX + 1):
            raw = ask(link, f"00B2{number:02X}{sfi << 3 | 4:02X}00")
            if raw is None:
                break
            for tag, value in _flat(raw):
                objects.setdefault(tag, value)
    _take(reading, objects)
    cash = _data(link, _CASH)
    if cash is not None and cash.hex().isdigit():
        reading.balance = int(cash.hex())
    else:
        reading.unknown.append("no electronic cash balance (9F79): an account's balance is at its bank")
    _read_log(link, reading, fci)
    return reading


def _take(reading: Reading, objects: dict[int, bytes]) -> None:
    number = objects.get(0x5A, b"").hex().upper() or objects.get(0x57, b"").hex().upper().split("D")[0]
    number = number.rstrip("F")
    if number.isdigit():
        reading.number = number
    else:
        reading.unknown.append(
            "the number is not readable before GET PROCESSING OPTIONS, which may debit; not sent"
        )
    reading.valid_from, reading.valid_to = (bcd_date_text(objects.get(tag, b"")) for tag in (0x5F25, 0x5F24))
    name = objects.get(0x9F0B, b"") or objects.get(0x5F20, b"")
    reading.holder = name.decode("gbk", "replace").strip(" /")
    staff = objects.get(0x9F62)
    reading.unknown.append(
        "a holder class: bank cards carry none" if staff is None else "9F62: certificate type"
    )


def _read_log(link: ApduLink, reading: Reading, fci: bytes) -> None:
    """The log whose place the FCI names (9F4D) and whose columns the card names (9F4F)."""
    entry = next((value for tag, value in _flat(fci) if tag == _LOG_ENTRY), b"")
    layout = _data(link, _LOG_FORMAT)
    if len(entry) != 2 or layout is None:
        reading.unknown.append("the card names no log (9F4D, 9F4F)")
        return
    for number in range(1, min(entry[1], _LOG_MAX) + 1):
        raw = ask(link, f"00B2{number:02X}{(entry[0] & 0x1F) << 3 | 4:02X}00")
        if raw is None:
            return
        try:
            row = split_dol(layout, raw)
        except TlvError:
            reading.unknown.append(f"log record {number} does not have the columns that the card names")
            return
        amount = row.get(0x9F02, b"").hex()
        kind = row.get(0x9C, b"").hex()
        reading.log.append(
            LogRow(
                kind_en=f"type {kind}" if kind else "transaction",
                kind_zh=f"类型 {kind}" if kind else "交易",
                amount=int(amount) if amount.isdigit() else 0,
                at=f"{bcd_date_text(row.get(0x9A, b''))} {bcd_time_text(row.get(0x9F21, b''))}".strip(),
                terminal=row.get(0x9F4E, b"").decode("gbk", "replace").strip("\x00 "),
                counter=int.from_bytes(row[0x9F36], "big") if 0x9F36 in row else None,
            )
        )


def _data(link: ApduLink, tag: int) -> bytes | None:
    """GET DATA: the value of one object."""
    raw = ask(link, f"80CA{tag:04X}00")
    try:
        return find(raw, tag) if raw else None
    except TlvError:
        return None


def _flat(raw: bytes, depth: int = 0) -> list[tuple[int, bytes]]:
    """All objects of a template, the inner ones too; what is broken ends the list."""
    found: list[tuple[int, bytes]] = []
    try:
        for tag, value, _ in parse(raw):
            first = tag >> 8 * ((tag.bit_length() - 1) // 8)
            if first & 0x20 and depth < _TAGS_DEPTH:
                found += _flat(value, depth + 1)
            else:
                found.append((tag, value))
    except TlvError:
        return found
    return found
