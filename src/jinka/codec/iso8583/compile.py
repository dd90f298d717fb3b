"""A specification made into fast functions: one for each shape of message that keeps coming.

ISO 8583:1987, 1993, 2003 (clause 4). A shape is the set of fields in a message. A shape that was read or written
without fault often enough gets a function of its own (`generate`); every other message, and every fault, goes through
`wire`. So a stranger who sends a thousand shapes makes nobody compile a thousand functions: their number is bounded,
and so is what is counted. The two roads give the same answer, which the tests compare.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from jinka.codec.iso8583.generate_decoder import decoder_source
from jinka.codec.iso8583.generate_encoder import encoder_source
from jinka.codec.iso8583.message import Message, Value
from jinka.codec.iso8583.spec import MessageSpec
from jinka.codec.iso8583.wire import (
    NIBBLE_TO_TRACK,
    TRACK_TO_NIBBLE,
    bitmap_size,
    decode_slowly,
    encode_slowly,
    mti_size,
    write_bitmaps,
)

HOT = 8  # times that a shape is met before it is compiled
SHAPES_MAX = 256  # compiled functions, each way; the oldest makes room
COUNTED_MAX = 4096  # shapes whose meetings are counted

_LETTERS = string.ascii_letters + " "

_Decoder = Callable[[bytes], Message]
_Encoder = Callable[[str, Mapping[int, Value]], bytes]


class _Doubt(Exception):
    """A generated function does not vouch for this message."""


class Codec:
    """Reads and writes the messages of one dialect. Not shared between threads without a lock."""

    def __init__(self, spec: MessageSpec) -> None:
        self.spec = spec
        self._decoders: dict[bytes, _Decoder] = {}
        self._encoders: dict[tuple[int, ...], _Encoder] = {}
        self._reader, self._writer = self._decoders.get, self._encoders.get
        self._met: dict[Any, int] = {}
        start, size = mti_size(spec), bitmap_size(spec)
        self._short, self._long = slice(start, start + size), slice(start, start + 2 * size)
        # Code pages of EBCDIC are permutations of Latin-1; a table is quicker than their codec.
        self._from_ebcdic = bytes(range(256)).decode(spec.code_page).encode("latin-1")
        self._to_ebcdic = bytes(range(256)).decode("latin-1").encode(spec.code_page)

    def decode(self, raw: bytes) -> Message:
        """Read a message; `DecodeError` says which field, at which byte."""
        # A bitmap that announces another is never a key by itself, so the short look-up cannot mistake it.
        reader = self._reader(raw[self._short]) or self._reader(raw[self._long])
        if reader is not None:
            try:
                return reader(raw)
            except (_Doubt, ValueError, IndexError):
                return decode_slowly(self.spec, raw)
        message = decode_slowly(self.spec, raw)
        self._learn_reader(raw, message)
        return message

    def encode(self, message: Message) -> bytes:
        """Write a message; `EncodeError` says which field. Fields stand in the order of their numbers."""
        fields = message.fields
        writer = self._writer(tuple(fields))
        if writer is not None:
            try:
                return writer(message.mti, fields)
            except (_Doubt, ValueError, TypeError, AttributeError, IndexError):
                return encode_slowly(self.spec, message)
        raw = encode_slowly(self.spec, message)
        self._learn_writer(tuple(fields))
        return raw

    def _learn_reader(self, raw: bytes, message: Message) -> None:
        # Only where the shape is what we would write: not for a third bitmap, nor for one that is empty.
        numbers = tuple(message.fields)
        shape = write_bitmaps(self.spec, numbers)
        bitmaps = len(shape) // bitmap_size(self.spec)
        if bitmaps <= 2 and raw.startswith(shape, mti_size(self.spec)) and self._hot(shape):
            source = decoder_source(self.spec, numbers, bitmaps)
            _keep(self._decoders, shape, self._compiled(source, "decode"))

    def _learn_writer(self, shape: tuple[int, ...]) -> None:
        if self._hot(shape):
            _keep(self._encoders, shape, self._compiled(encoder_source(self.spec, shape), "encode"))

    def _compiled(self, source: str, name: str) -> Any:
        """The function of a source that `generate` wrote: numbers and fixed words, nothing from outside."""
        space: dict[str, Any] = {
            "Message": Message,
            "new": object.__new__,
            "set_mti": vars(Message)["mti"].__set__,  # the slots, filled once, past the frozen front
            "set_fields": vars(Message)["fields"].__set__,
            "ALNUM": (_LETTERS + string.digits).encode(),
            "LETTERS": _LETTERS.encode(),
            "PRINTABLE": bytes(range(0x20, 0x7F)),
            "TRACK": b"0123456789:;<=>?D",
            "itemgetter": itemgetter,
            "Doubt": _Doubt,
            "fromhex": bytes.fromhex,
            "NIBBLE_TO_TRACK": NIBBLE_TO_TRACK,
            "TRACK_TO_NIBBLE": TRACK_TO_NIBBLE,
            "FROM_EBCDIC": self._from_ebcdic,
            "TO_EBCDIC": self._to_ebcdic,
        }
        exec(compile(source, f"<iso8583 {name}>", "exec"), space)  # noqa: S102
        return space[name]

    def _hot(self, shape: bytes | tuple[int, ...]) -> bool:
        if len(self._met) >= COUNTED_MAX:
            self._met.clear()
        met = self._met[shape] = self._met.get(shape, 0) + 1
        if met < HOT:
            return False
        del self._met[shape]
        return True


def _keep(functions: dict[Any, Any], shape: Any, function: Any) -> None:
    while len(functions) >= SHAPES_MAX:
        del functions[next(iter(functions))]
    functions[shape] = function


def compile_spec(spec: MessageSpec) -> Codec:
    """A codec of its own for a dialect."""
    return Codec(spec)
