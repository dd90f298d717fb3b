"""ISO 8583: messages of terminals, acquirers, switches and issuers, from specifications that are data.

`spec` says what a dialect is, `compile_spec` makes a fast reader and writer of it, `nested` takes fields apart,
`describe` shows a message masked. Dialects: ISO 8583:1987, 1993 and 2003, UnionPay terminals and UnionPay members
(`DIALECTS`). Length headers and message heads in front of the type are `jinka.codec.framing`; MACs and PIN blocks are
`jinka.crypto`; what a message means is the business of the switch and the issuer.
"""

from jinka.codec.iso8583.compile import Codec, compile_spec
from jinka.codec.iso8583.dialects import DIALECTS, dialect
from jinka.codec.iso8583.message import DecodeError, EncodeError, Message, MessageError, Value
from jinka.codec.iso8583.spec import FieldSpec, MessageSpec, Style, make_spec

__all__ = [
    "DIALECTS",
    "Codec",
    "DecodeError",
    "EncodeError",
    "FieldSpec",
    "Message",
    "MessageError",
    "MessageSpec",
    "Style",
    "Value",
    "compile_spec",
    "dialect",
    "make_spec",
]
