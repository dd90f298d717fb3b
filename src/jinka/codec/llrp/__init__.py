"""LLRP 1.0.1, the protocol of UHF readers: messages and parameters between bytes and values, from declared tables.

Standard: EPCglobal Low Level Reader Protocol 1.0.1. `parameters` and `messages` are the tables, `wire` reads and writes
by them, `reports` says what a report means, `orders` makes what a client asks for. Not covered: LLRP 1.1 and 2.0,
vendors' extensions (kept as bytes), and readers of GB/T 29768, whose air protocol LLRP 1.0.1 has no parameters for.
"""

from jinka.codec.llrp.messages import MESSAGES
from jinka.codec.llrp.parameters import PARAMETERS
from jinka.codec.llrp.reports import (
    Attempt,
    BankRead,
    SpecState,
    Status,
    TagReport,
    event_time,
    event_words,
    require_success,
    status_words,
    tag_reports,
)
from jinka.codec.llrp.shapes import Bits, Kind, LlrpError
from jinka.codec.llrp.wire import (
    HEADER,
    MESSAGE_MAX,
    Element,
    Message,
    decode,
    element,
    encode,
    frame_length,
    message,
)

__all__ = [
    "HEADER",
    "MESSAGES",
    "MESSAGE_MAX",
    "PARAMETERS",
    "Attempt",
    "BankRead",
    "Bits",
    "Element",
    "Kind",
    "LlrpError",
    "Message",
    "SpecState",
    "Status",
    "TagReport",
    "decode",
    "element",
    "encode",
    "event_time",
    "event_words",
    "frame_length",
    "message",
    "require_success",
    "status_words",
    "tag_reports",
]
