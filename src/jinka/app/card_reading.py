"""What reading a card yields, and how much of it is shown: numbers and names masked unless a person asks for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from jinka.kit import Refused, Unit, format_minor
from jinka.terminal import ApduLink

_OPEN_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One transaction of the card's own log. ``amount`` is in minor units of the application's currency."""

    kind_en: str
    kind_zh: str
    amount: int
    at: str  # local, YYYY-MM-DD hh:mm:ss, as far as the card says
    terminal: str = ""
    counter: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One trip as a transit card keeps it. ``place`` is line and station in hex, ``city`` a code; amounts as above."""

    kind_en: str
    kind_zh: str
    amount: int
    balance: int
    at: str
    place: str
    city: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """One application as a reader without keys sees it. ``unknown`` says what was there and was not understood."""

    title_en: str
    title_zh: str
    aid: str
    number: str = ""
    holder: str = ""  # a name; masked
    holder_class_en: str = ""
    holder_class_zh: str = ""
    balance: int | None = None
    unit: Unit = Unit.FEN
    valid_from: str = ""
    valid_to: str = ""
    issued_in: str = ""  # codes of province and city
    trips: list[Trip] = field(default_factory=list)
    log: list[LogRow] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unknown_zh: list[str] = field(default_factory=list)  # the same in Chinese

    def miss(self, english: str, chinese: str) -> None:
        """Say, in both languages, what was not given or not understood."""
        self.unknown.append(english)
        self.unknown_zh.append(chinese)

    def as_dict(self, *, show: bool) -> dict[str, Any]:
        """Plain data; number and holder masked unless ``show``."""
        found = asdict(self) | {"unit": self.unit.code}
        if not show:
            found |= {"number": masked(self.number), "holder": masked_name(self.holder)}
        return found

    @property
    def balance_text(self) -> str:
        """The balance in shown units, empty when the application has none."""
        return "" if self.balance is None else f"{format_minor(self.balance, self.unit)} {self.unit.value[2]}"


def masked(number: str) -> str:
    """All digits but the last four hidden."""
    hidden = max(0, len(number) - _OPEN_DIGITS)
    return "*" * hidden + number[hidden:] if hidden else "*" * len(number)


def masked_name(name: str) -> str:
    """All characters but the first hidden; of a single one nothing is shown."""
    return name[:1] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def ask(link: ApduLink, command: str) -> bytes | None:
    """The data of an answer that ends in 9000, 6283 or 6281; None for any other. Takes hex, for tables of commands."""
    answer = link.transmit(bytes.fromhex(command))
    if len(answer) < 2:
        raise Refused("an answer without a status word", where="card", fix="present the card again")
    return answer[:-2] if answer[-2:] in (b"\x90\x00", b"\x62\x83", b"\x62\x81") else None


def select_name(link: ApduLink, name: bytes) -> bytes | None:
    """SELECT by name: the FCI, or None when the card has no such application."""
    return ask(link, f"00A40400{len(name):02X}{name.hex()}00")


def bcd_date_text(raw: bytes) -> str:
    """``20180901`` in BCD as 2018-09-01; empty when it is no date."""
    text = raw.hex()
    if len(text) == 6:
        text = "20" + text
    if len(text) != 8 or not text.isdigit() or not 1 <= int(text[4:6]) <= 12 or not 1 <= int(text[6:]) <= 31:
        return ""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def bcd_time_text(raw: bytes) -> str:
    """``083000`` in BCD as 08:30:00; empty when it is no time of day."""
    text = raw.hex()
    if (
        len(text) != 6
        or not text.isdigit()
        or int(text[:2]) > 23
        or int(text[2:4]) > 59
        or int(text[4:]) > 59
    ):
        return ""
    return f"{text[:2]}:{text[2:4]}:{text[4:]}"
