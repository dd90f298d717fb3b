"""`jinka card read`: what any reader can see of a card without a key, application by application.

Purses: JR/T 0025.2, CJ/T 166, JT/T 978.2 (files 0015 to 0018, log of 23 bytes); what T-Union has besides:
`jinka.app.card_read_union`. Social security: LD/T 32 and LD/T 33. Bank cards: `jinka.app.card_read_bank`. Nothing is
written, no PIN is presented, and no command that could move money is sent. What is recognised but not read, and what
is not recognised at all, is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jinka.app.card_files import declared_profiles
from jinka.app.card_read_bank import read_bank
from jinka.app.card_read_union import UNION_NAME, read_union
from jinka.app.card_reading import (
    LogRow,
    Reading,
    ask,
    bcd_date_text,
    bcd_time_text,
    select_name,
)
from jinka.codec import TlvError, find
from jinka.kit import Unit
from jinka.tariff import HolderClass
from jinka.terminal import ApduLink

_LOG_MAX = 10
_RECORDS_MAX = 16

# Names by which purse applications of China are selected: longer names first, since a card may match the beginning.
PURSES: tuple[tuple[bytes, str, str], ...] = (
    (bytes.fromhex("A00000063201010510009156000014A1"), "Beijing-Tianjin-Hebei purse", "京津冀互联互通卡"),
    (bytes.fromhex("A0000000037100869807010000000000"), "Chang'an purse", "长安通"),
    (bytes.fromhex("A00000000386980701"), "City union purse", "城市一卡通（住建部）"),
    (bytes.fromhex("A000000632010105"), "T-Union purse", "交通联合电子钱包"),
    (bytes.fromhex("A000000632010106"), "T-Union electronic cash", "交通联合电子现金"),
    (b"PAY.SZT", "Shenzhen purse", "深圳通"),
    (b"AP1.WHCTC", "Wuhan purse", "武汉通"),
    (b"SUXIN.DDF01", "Suzhou purse", "苏州市民卡"),
    (b"PAY.APPY", "Guangzhou purse", "羊城通"),
    (b"PAY.TICL", "Guangzhou ticket purse", "羊城通票务"),
)
SOCIAL = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")  # "sx1.sh.社会保障" in GBK

# Recognised, and not read here; the text says why.
NOT_READ: tuple[tuple[bytes, str, str], ...] = (
    (
        bytes.fromhex("A0000002471001"),
        "a travel document is there and not read: its machine-readable zone has to be read first",
        "有电子旅行证件，未读：须先读取机读区",
    ),
    (
        bytes.fromhex("A0000000871002"),
        "a USIM is there and not read: its files belong to the network",
        "有 USIM 应用，未读：其文件属于运营商网络",
    ),
    (
        bytes.fromhex("F04A494E4B414944"),
        "an identity with certificate is there and not read: its certificate proves nothing until it signs",
        "有身份证书应用，未读：证书未经签名不能证明什么",
    ),
)

_KINDS = {
    0x01: ("passbook load", "存折圈存"),
    0x02: ("load", "圈存"),
    0x03: ("unload", "圈提"),
    0x04: ("cash", "取现"),
    0x05: ("passbook purchase", "存折消费"),
    0x06: ("purchase", "消费"),
    0x07: ("overdraft limit", "修改透支限额"),
    0x08: ("credit purchase", "信用消费"),
    0x09: ("composite purchase", "复合消费"),
}
_CLASSES_ZH = {
    HolderClass.ORDINARY: "普通",
    HolderClass.HALF_FARE: "半价",
    HolderClass.FREE: "免费",
    HolderClass.FULL_FARE: "全价",
}


@dataclass(slots=True)
class CardContent:
    """All that was read of one card. ``notes`` are about the card as a whole."""

    readings: list[Reading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    notes_zh: list[str] = field(default_factory=list)

    def note(self, english: str, chinese: str) -> None:
        """Add a note, in both languages."""
        self.notes.append(english)
        self.notes_zh.append(chinese)


def read_card(link: ApduLink) -> CardContent:
    """Try every application that is known, and say what else answers."""
    content = CardContent()
    seen: set[bytes] = set()
    for name, english, chinese in (*PURSES, *_declared_purses()):
        fci = select_name(link, name)
        chosen = _chosen_name(fci, name)
        if fci is None or chosen in seen:
            continue
        seen.add(chosen)
        reading = _read_purse(link, english, chinese, chosen)
        if reading is not None:
            content.readings.append(reading)
    readers: tuple[Callable[[ApduLink], list[Reading]], ...] = (_read_social, read_bank)
    for reader in readers:
        content.readings += reader(link)
    for name, english, chinese in NOT_READ:
        if select_name(link, name) is not None:
            content.note(english, chinese)
    if not content.readings and not content.notes:
        content.note("no application that this program knows answers its name", "没有本程序认识的应用应答")
    return content


def _declared_purses() -> list[tuple[bytes, str, str]]:
    known = {name for name, _, _ in PURSES}
    return [
        (profile.aid, profile.title_en, profile.title_zh)
        for profile in declared_profiles().values()
        if profile.purse is not None and profile.aid not in known
    ]


def _chosen_name(fci: bytes | None, name: bytes) -> bytes:
    """The whole name of what was selected: a card may know it by a longer one."""
    try:
        return (find(fci, 0x6F, 0x84) if fci else None) or name
    except TlvError:
        return name


def _read_purse(link: ApduLink, english: str, chinese: str, aid: bytes) -> Reading | None:
    """The files of a purse application that is selected; None when it has neither a number nor a balance."""
    reading = Reading(title_en=english, title_zh=chinese, aid=aid.hex().upper())
    public = ask(link, "00B095001E") or ask(link, "00B0950000") or b""
    if len(public) >= 28:
        digits = public[10:20].hex()
        reading.number = digits.lstrip("0").rjust(16, "0") if digits.isdigit() else ""
        reading.valid_from, reading.valid_to = bcd_date_text(public[20:24]), bcd_date_text(public[24:28])
    if not reading.number:
        reading.miss("0015: no card number where JR/T 0025.2 has it", "0015：按 JR/T 0025.2 的位置没有卡号")
    _read_holder(link, reading)
    balance = ask(link, "805C000204") or ask(link, "805C000304")
    if balance is not None and len(balance) == 4:
        reading.balance = int.from_bytes(balance, "big")
        reading.unit = _unit_of(aid)
    else:
        reading.miss("the balance is not given without a PIN or key", "没有密码或密钥，卡不给出余额")
    _read_log(link, reading)
    if aid.startswith(UNION_NAME):
        read_union(link, reading)
    return reading if reading.number or reading.balance is not None else None


def _unit_of(aid: bytes) -> Unit:
    """Fen, unless an application that is declared here counts something else."""
    purses = (profile.purse for profile in declared_profiles().values() if profile.aid == aid)
    return next((purse.unit for purse in purses if purse is not None), Unit.FEN)


def _read_holder(link: ApduLink, reading: Reading) -> None:
    holder = ask(link, "00B0960001") or ask(link, "00B0960000")
    if not holder:
        reading.miss("0016: the holder's class is not given", "0016：未给出持卡人类别")
        return
    try:
        found = HolderClass(holder[0])
    except ValueError:
        reading.miss(
            f"0016: holder class {holder[0]:02X} is not in this program's table",
            f"0016：本程序不认识的持卡人类别 {holder[0]:02X}",
        )
        return
    reading.holder_class_en = found.name.lower().replace("_", " ")
    reading.holder_class_zh = _CLASSES_ZH[found]


def _read_log(link: ApduLink, reading: Reading) -> None:
    """Counter 2 | overdraft 3 | amount 4 | type 1 | terminal 6 | date 4 | time 3, newest first."""
    for number in range(1, _LOG_MAX + 1):
        record = ask(link, f"00B2{number:02X}C417") or ask(link, f"00B2{number:02X}C400")
        if record is None:
            break
        if len(record) < 23:
            reading.miss(
                f"0018 record {number}: {len(record)} bytes instead of 23",
                f"0018 第 {number} 条：{len(record)} 字节，应为 23 字节",
            )
            break
        if record[:23] in (bytes(23), b"\xff" * 23):
            continue
        date, time = bcd_date_text(record[16:20]), bcd_time_text(record[20:23])
        if not date or not time:
            reading.miss(
                f"0018 record {number}: no date and time where they belong",
                f"0018 第 {number} 条：应有日期时间处没有",
            )
            continue
        english, chinese = _KINDS.get(record[9], (f"type {record[9]:02X}", f"类型 {record[9]:02X}"))
        if record[9] not in _KINDS:
            reading.miss(
                f"0018 record {number}: transaction type {record[9]:02X}",
                f"0018 第 {number} 条：交易类型 {record[9]:02X}",
            )
        reading.log.append(
            LogRow(
                kind_en=english,
                kind_zh=chinese,
                amount=int.from_bytes(record[5:9], "big"),
                at=f"{date} {time}",
                terminal=record[10:16].hex().upper(),
                counter=int.from_bytes(record[:2], "big"),
            )
        )


def _read_social(link: ApduLink) -> list[Reading]:
    """LD/T 33: EF05 issuer (records 02 class, 05 and 06 dates, 07 number), EF06 holder (01 number, 02 name)."""
    if select_name(link, SOCIAL) is None:
        return []
    reading = Reading(title_en="Social security card", title_zh="社会保障卡", aid=SOCIAL.hex().upper())
    issuer, holder = _records(link, "EF05"), _records(link, "EF06")
    reading.number = _text(issuer.get(0x07, b"")) or _text(holder.get(0x01, b""))
    reading.holder = _text(holder.get(0x02, b""))
    if 0x02 in issuer:
        shown = _text(issuer[0x02]) or issuer[0x02].hex().upper()
        reading.holder_class_en, reading.holder_class_zh = f"card class {shown}", f"卡的类别 {shown}"
    else:
        reading.miss("EF05: the card's class is not given", "EF05：未给出卡的类别")
    reading.valid_from, reading.valid_to = (bcd_date_text(issuer.get(record, b"")) for record in (0x05, 0x06))
    if not reading.number:
        reading.miss("EF05, EF06: no number where LD/T 33 has it", "EF05、EF06：按 LD/T 33 的位置没有号码")
    if not holder:
        reading.miss(
            "EF06: the holder's data are not given without a PIN or key",
            "EF06：没有密码或密钥，卡不给出持卡人信息",
        )
    reading.miss(
        "the insurance and medical folders are not read: each asks for its own key",
        "社会保险与医疗保险目录未读：各需自己的密钥",
    )
    return [reading]


def _records(link: ApduLink, fid: str) -> dict[int, bytes]:
    """The records of a variable file by their id byte, without those that were never written (FF)."""
    if ask(link, f"00A4000002{fid}") is None:
        return {}
    found = {}
    for number in range(1, _RECORDS_MAX + 1):
        record = ask(link, f"00B2{number:02X}0400")
        if record is None:
            break
        if len(record) >= 2 and record[1] <= len(record) - 2 and record[2:].strip(b"\xff"):
            found[record[0]] = record[2 : 2 + record[1]]
    return found


def _text(raw: bytes) -> str:
    """Text as these cards hold it: GBK, filled up with zeros, FF or blanks; empty when it is none."""
    try:
        return raw.rstrip(b"\x00\xff ").decode("gbk")
    except UnicodeDecodeError:
        return ""
