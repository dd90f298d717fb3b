"""Debit, credit and qPBOC cards as a reader without keys sees them (EMV Book 1 and 3; JR/T 0025.5; JR/T 0025.12).

Records are read by their place first. A card that shows no number so gets GET PROCESSING OPTIONS for nothing: every
object that it asks for is zeros, so the reader's qualifiers ask for no qPBOC and the amount is 0, and no electronic
cash can be debited. It costs one count of the card's 65,535 transactions, and the reading says so. Then the records
of its file locator are read. No cryptogram is asked for.
"""

from __future__ import annotations

from jinka.app.card_reading import LogRow, Reading, ask, bcd_date_text, bcd_time_text, select_name
from jinka.codec import TlvError, find, tlv
from jinka.codec.dol import dol_size, split_dol
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
_CASH, _LOG_FORMAT, _LOG_ENTRY, _PDOL, _LOCATOR = 0x9F79, 0x9F4F, 0x9F4D, 0x9F38, 0x94
_AFL_RECORDS_MAX, _PDOL_MAX = 64, 250
_KINDS = {  # 9C
    "00": ("purchase", "消费"),
    "01": ("cash", "取现"),
    "20": ("refund", "退货"),
    "60": ("load", "指定账户圈存"),
    "62": ("load", "非指定账户圈存"),
    "63": ("cash load", "现金圈存"),
}
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
    if not _number(objects):
        _start(link, fci, objects, reading)
    _take(reading, objects)
    cash = _data(link, _CASH)
    if cash is not None and cash.hex().isdigit():
        reading.balance = int(cash.hex())
    else:
        reading.miss(
            "no electronic cash balance (9F79): an account's balance is at its bank",
            "没有电子现金余额（9F79）：账户余额在银行",
        )
    _read_log(link, reading, fci)
    return reading


def _start(link: ApduLink, fci: bytes, objects: dict[int, bytes], reading: Reading) -> None:
    """GET PROCESSING OPTIONS with zeros for everything, then the records of the file locator."""
    wanted = next((value for tag, value in _flat(fci) if tag == _PDOL), b"")
    try:
        size = dol_size(wanted)
    except TlvError:
        reading.miss(
            "the card's list of what it wants to know (9F38) is broken", "卡的数据需求表（9F38）已损坏"
        )
        return
    if size > _PDOL_MAX:
        reading.miss(
            f"the card wants {size} bytes before it shows its records", f"卡要求先送 {size} 字节才给出记录"
        )
        return
    body = tlv(0x83, bytes(size))
    options = ask(link, f"80A80000{len(body):02X}{body.hex()}00")
    if options is None:
        reading.miss(
            "the card does not start a transaction of nothing, so it shows no records",
            "卡不接受空交易，因此不给出记录",
        )
        return
    reading.miss(
        "to show its records the card counted one transaction, of nothing", "为读出记录，卡计了一次空交易"
    )
    found = _flat(options)
    locator = b""
    for tag, value in found:
        objects.setdefault(tag, value)
        locator = value[2:] if tag == 0x80 else value if tag == _LOCATOR else locator
    for sfi, number in _places(locator):
        raw = ask(link, f"00B2{number:02X}{sfi << 3 | 4:02X}00")
        for tag, value in _flat(raw or b""):
            objects.setdefault(tag, value)


def _places(locator: bytes) -> list[tuple[int, int]]:
    """(SFI, record) of a file locator, at most as many as a card may have; what is broken is left out."""
    found: list[tuple[int, int]] = []
    for at in range(0, len(locator) - 3, 4):
        head, first, last, _ = locator[at : at + 4]
        if 1 <= head >> 3 <= 30 and 1 <= first <= last:
            found += [(head >> 3, number) for number in range(first, last + 1)]
    return found[:_AFL_RECORDS_MAX]


def _number(objects: dict[int, bytes]) -> str:
    """5A, or what stands before the separator of track 2; empty when it is none."""
    number = objects.get(0x5A, b"").hex().upper() or objects.get(0x57, b"").hex().upper().split("D")[0]
    number = number.rstrip("F")
    return number if number.isdigit() else ""


def _take(reading: Reading, objects: dict[int, bytes]) -> None:
    reading.number = _number(objects)
    if not reading.number:
        reading.miss(
            "no number (5A, 57) in the records that the card shows", "卡给出的记录中没有卡号（5A、57）"
        )
    reading.valid_from, reading.valid_to = (bcd_date_text(objects.get(tag, b"")) for tag in (0x5F25, 0x5F24))
    name = objects.get(0x9F0B, b"") or objects.get(0x5F20, b"")
    reading.holder = name.decode("gbk", "replace").strip(" /")
    staff = objects.get(0x9F62)
    if staff is None:
        reading.miss("a holder class: bank cards carry none", "持卡人类别：银行卡不带")
    else:
        reading.miss("9F62: certificate type", "9F62：证件类型")


def _read_log(link: ApduLink, reading: Reading, fci: bytes) -> None:
    """The log whose place the FCI names (9F4D) and whose columns the card names (9F4F)."""
    entry = next((value for tag, value in _flat(fci) if tag == _LOG_ENTRY), b"")
    layout = _data(link, _LOG_FORMAT)
    if len(entry) != 2 or layout is None:
        reading.miss("the card names no log (9F4D, 9F4F)", "卡未指明交易日志（9F4D、9F4F）")
        return
    for number in range(1, min(entry[1], _LOG_MAX) + 1):
        raw = ask(link, f"00B2{number:02X}{(entry[0] & 0x1F) << 3 | 4:02X}00")
        if raw is None:
            return
        try:
            row = split_dol(layout, raw)
        except TlvError:
            reading.miss(
                f"log record {number} does not have the columns that the card names",
                f"日志第 {number} 条与卡指明的格式不符",
            )
            return
        amount = row.get(0x9F02, b"").hex()
        kind = row.get(0x9C, b"").hex()
        reading.log.append(
            LogRow(
                kind_en=_KINDS.get(kind, (f"type {kind}" if kind else "transaction",))[0],
                kind_zh=_KINDS.get(kind, ("", f"类型 {kind}" if kind else "交易"))[1],
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
