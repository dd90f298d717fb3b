"""What a T-Union card tells beside its purse: where it was issued, and its trips (JT/T 978.2; layouts as read in the
field by open card readers, not confirmed by the standard's text).

0017: province at 4 and city at 6, two bytes BCD each. 001E, cyclic, 48 bytes: type 1 | terminal 8 | industry 1 | line
and station 7 | amount 4 | balance 4 | date and time 7 | city 2 | acquirer 8 | 6 of no known use. Nothing is written.
"""

from __future__ import annotations

from jinka.app.card_reading import Reading, Trip, ask, bcd_date_text, bcd_time_text
from jinka.terminal import ApduLink

UNION_NAME = bytes.fromhex("A0000006320101")
TRIP_SIZE, _TRIPS_MAX = 48, 30
_MANAGEMENT_SIZE = 8
_KINDS = {
    0x02: ("single ride", "一次性"),
    0x03: ("in", "进站"),
    0x04: ("out", "出站"),
    0x06: ("single ride", "一次性"),
}
_INDUSTRIES = {0x01: ("metro", "地铁"), 0x02: ("bus", "公交")}


def read_union(link: ApduLink, reading: Reading) -> None:
    """Add place of issue and trips to the reading of a T-Union purse that is selected."""
    management = ask(link, "00B0970000") or ask(link, "00B097000B")
    if management is None:
        reading.miss("0017: the place of issue is not given", "0017：未给出发卡地")
    elif len(management) < _MANAGEMENT_SIZE or not management[4:8].hex().isdigit():
        reading.miss(
            "0017: no place of issue where T-Union cards have it", "0017：按交通联合卡的位置没有发卡地"
        )
    else:
        reading.issued_in = f"{management[4:6].hex()} / {management[6:8].hex()}"
    for number in range(1, _TRIPS_MAX + 1):
        record = ask(link, f"00B2{number:02X}F430") or ask(link, f"00B2{number:02X}F400")
        if record is None:
            if number == 1:
                reading.miss("001E: no trips are given", "001E：未给出行程记录")
            return
        if len(record) < TRIP_SIZE:
            reading.miss(
                f"001E record {number}: {len(record)} bytes instead of {TRIP_SIZE}",
                f"001E 第 {number} 条：{len(record)} 字节，应为 {TRIP_SIZE} 字节",
            )
            return
        if record[:TRIP_SIZE] not in (bytes(TRIP_SIZE), b"\xff" * TRIP_SIZE):
            _add_trip(reading, number, record)


def _add_trip(reading: Reading, number: int, record: bytes) -> None:
    date, time = bcd_date_text(record[25:29]), bcd_time_text(record[29:32])
    if not date or not time:
        reading.miss(
            f"001E record {number}: no date and time where they belong",
            f"001E 第 {number} 条：应有日期时间处没有",
        )
        return
    if record[0] not in _KINDS:
        reading.miss(
            f"001E record {number}: trip type {record[0]:02X}",
            f"001E 第 {number} 条：行程类型 {record[0]:02X}",
        )
    if record[9] not in _INDUSTRIES:
        reading.miss(
            f"001E record {number}: industry {record[9]:02X}", f"001E 第 {number} 条：行业 {record[9]:02X}"
        )
    kind = _KINDS.get(record[0], (f"type {record[0]:02X}", f"类型 {record[0]:02X}"))
    industry = _INDUSTRIES.get(record[9], (f"industry {record[9]:02X}", f"行业 {record[9]:02X}"))
    reading.trips.append(
        Trip(
            kind_en=f"{industry[0]}, {kind[0]}",
            kind_zh=f"{industry[1]}{kind[1]}",
            amount=int.from_bytes(record[17:21], "big"),
            balance=int.from_bytes(record[21:25], "big"),
            at=f"{date} {time}",
            place=record[10:17].hex().upper(),
            city=record[32:34].hex(),
        )
    )
