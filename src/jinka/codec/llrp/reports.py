"""What an RO_ACCESS_REPORT says of tags, and the words of events and of statuses.

Standard: EPCglobal LLRP 1.0.1, clauses 14.2.3 (TagReportData), 14.2.6 (events) and 14.3 (status codes). A memory bank's
words are bytes here, high byte first. What an EPC or a TID means is the business of `jinka.codec.tags`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from jinka.codec.llrp.shapes import LlrpError
from jinka.codec.llrp.wire import Element, Message


class Status(IntEnum):
    """Of an answer (clause 14.3.1.1)."""

    SUCCESS = 0
    PARAMETER_ERROR = 100
    FIELD_ERROR = 101
    UNEXPECTED_PARAMETER = 102
    MISSING_PARAMETER = 103
    DUPLICATE_PARAMETER = 104
    OVERFLOW_PARAMETER = 105
    OVERFLOW_FIELD = 106
    UNKNOWN_PARAMETER = 107
    UNKNOWN_FIELD = 108
    UNSUPPORTED_MESSAGE = 109
    UNSUPPORTED_VERSION = 110
    UNSUPPORTED_PARAMETER = 111
    INVALID = 300
    OUT_OF_RANGE = 301
    DEVICE_ERROR = 401


class Attempt(IntEnum):
    """How a reader took a connection (ConnectionAttemptEvent)."""

    SUCCESS = 0
    READER_INITIATED_EXISTS = 1
    CLIENT_INITIATED_EXISTS = 2
    FAILED = 3
    ANOTHER_ATTEMPTED = 4


class SpecState(IntEnum):
    """Of a ROSpec."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRead:
    """The answer of one C1G2Read: ``result`` 0 is success, and then ``data`` is what stood in the bank."""

    spec: int
    result: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TagReport:
    """One TagReportData. Times are the reader's: since 1970 where ``utc``, else since its start; None is untold."""

    epc: bytes
    epc_bits: int
    antenna: int = 0
    rssi_dbm: int | None = None
    channel: int = 0
    first_micros: int | None = None
    last_micros: int | None = None
    utc: bool = True
    count: int = 1
    pc: int | None = None
    reads: tuple[BankRead, ...] = ()


def tag_reports(report: Message) -> Iterator[TagReport]:
    """The tags of a report, in its order."""
    for each in report.body.children:
        if each.kind.name == "TagReportData":
            yield _tag(each)


def _tag(data: Element) -> TagReport:
    found: dict[str, Element] = {}
    reads: list[BankRead] = []
    for child in data.children:
        if child.kind.name == "C1G2ReadOpSpecResult":
            words = b"".join(word.to_bytes(2, "big") for word in child["ReadData"])
            reads.append(BankRead(spec=child["OpSpecID"], result=child["Result"], data=words))
        else:
            found[child.kind.name] = child

    def of(name: str, field: str) -> int | None:
        return found[name][field] if name in found else None

    if "EPC_96" in found:
        epc, bits = found["EPC_96"]["EPC"], 96
    else:
        told = found["EPCData"]["EPC"]
        epc, bits = told.data, told.count
    first, last = of("FirstSeenTimestampUTC", "Microseconds"), of("LastSeenTimestampUTC", "Microseconds")
    utc = not (first is None and last is None)
    if not utc:
        first, last = (
            of("FirstSeenTimestampUptime", "Microseconds"),
            of("LastSeenTimestampUptime", "Microseconds"),
        )
    return TagReport(
        epc=epc,
        epc_bits=bits,
        antenna=of("AntennaID", "AntennaID") or 0,
        rssi_dbm=of("PeakRSSI", "PeakRSSI"),
        channel=of("ChannelIndex", "ChannelIndex") or 0,
        first_micros=first,
        last_micros=last,
        utc=utc,
        count=max(1, of("TagSeenCount", "TagCount") or 1),
        pc=of("C1G2_PC", "PC_Bits"),
        reads=tuple(reads),
    )


def require_success(answer: Message, asked: str) -> Message:
    """The answer, if its status says success; else `LlrpError` with what the reader says."""
    status = answer.body.first("LLRPStatus")
    if status is None:
        raise LlrpError(f"{answer.name} has no status", where=asked, fix="the reader breaks LLRP 1.0.1")
    if answer.name == "ERROR_MESSAGE" or status["StatusCode"] != Status.SUCCESS:
        raise LlrpError(f"the reader says {status_words(status)}", where=asked, fix="see what it supports")
    return answer


def status_words(status: Element) -> str:
    """A status in words: its name or number, and the reader's own text, made safe and bounded."""
    code = status["StatusCode"]
    name = Status(code).name.lower().replace("_", " ") if code in Status.__members__.values() else f"{code}"
    text = "".join(letter for letter in status["ErrorDescription"] if letter.isprintable())[:200]
    return f"{name}: {text}" if text else name


def event_words(event: Message) -> Iterator[tuple[str, dict[str, int | str]]]:
    """The events of a READER_EVENT_NOTIFICATION: the name, and its numbers and texts."""
    for data in event.body.children:
        for each in data.children:
            if each.kind.name not in ("UTCTimestamp", "Uptime"):
                yield (
                    each.kind.name,
                    {name: value for name, value in each.values.items() if isinstance(value, int | str)},
                )


def event_time(event: Message) -> tuple[int, bool]:
    """The time of a READER_EVENT_NOTIFICATION by the reader's clock, and whether that counts from 1970."""
    (data,) = event.body.all("ReaderEventNotificationData")
    stamp = data.first("UTCTimestamp")
    if stamp is not None:
        return stamp["Microseconds"], True
    (up,) = data.all("Uptime")
    return up["Microseconds"], False
