"""Where one message ends and the next begins, and the heads in front of a message: configured, never guessed.

A length of 2 or 4 bytes (binary, ASCII digits or BCD), which may count itself; a TPDU of 5 bytes before or after it
(ISO 8583 over X.25 and its heirs); the message head of UnionPay terminals (6 bytes BCD); the header of UnionPay members
(46 bytes). `Framer` takes bytes as they come and gives whole frames or one fault; it does no I/O and never holds more
than one frame of the greatest size and what was fed last. Nothing here reads the message (`jinka.codec.iso8583`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from jinka.kit import Fault, JinkaError, Usage
from jinka.kit.frozen import quick

TPDU_SIZE = 5
POS_HEAD_SIZE = 6
INTERBANK_SIZE = 46
FRAME_MAX = 16 * 1024
_DIAL_MARK = b"LRI\x00\x1c"  # the head of a dialled connection through an access server
_DIAL_SIZE = 33


class FrameError(JinkaError):
    """The peer's bytes are no frame; ``offset`` counts from the first byte of the stream."""

    fault = Fault.PEER

    def __init__(self, what: str, *, offset: int, fix: str = "") -> None:
        self.offset = offset
        super().__init__(what, where=f"offset {offset}", fix=fix)


class LengthKind(Enum):
    """How a frame's length is written."""

    BINARY = "binary"
    ASCII = "ascii"
    BCD = "bcd"


class Head(Enum):
    """What stands between length and message."""

    NONE = "none"
    POS = "pos"  # 6 bytes, 12 digits
    INTERBANK = "interbank"  # 46 bytes


_HEAD_SIZES = {Head.NONE: 0, Head.POS: POS_HEAD_SIZE, Head.INTERBANK: INTERBANK_SIZE}


class Tpdu(Enum):
    """Where the TPDU stands."""

    NONE = "none"
    INSIDE = "inside"  # behind the length, and counted by it
    UNCOUNTED = "uncounted"  # behind the length, and not counted by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """One network's framing. ``size_max`` is the greatest frame, in bytes behind the length."""

    width: int = 2
    kind: LengthKind = LengthKind.BINARY
    inclusive: bool = False  # the length counts its own bytes
    tpdu: Tpdu = Tpdu.NONE
    head: Head = Head.NONE
    dialled: bool = False  # a head of 33 bytes may stand behind the length
    size_max: int = FRAME_MAX

    def __post_init__(self) -> None:
        if self.width not in (2, 4) or not 1 <= self.size_max <= FRAME_MAX:
            raise Usage(f"a length of {self.width} bytes, frames to {self.size_max}", where="framing")

    @property
    def bare(self) -> bool:
        """Whether a frame is a binary length and a message, and nothing else: most networks' is."""
        heads = (self.tpdu, self.head, self.dialled, self.inclusive)
        return self.kind is LengthKind.BINARY and heads == (Tpdu.NONE, Head.NONE, False, False)

    @property
    def highest(self) -> int:
        """The largest number that the length can say."""
        if self.kind is LengthKind.BINARY:
            return (1 << 8 * self.width) - 1
        return int((100 if self.kind is LengthKind.BCD else 10) ** self.width) - 1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A message with what stood before it; each part is empty where the framing has none."""

    message: bytes = field(repr=False)  # nobody has masked it yet
    tpdu: bytes = b""
    head: bytes = b""
    dialled: bytes = b""

    def answer(self, message: bytes) -> Frame:
        """The frame that goes back: source and destination of the TPDU change places, the head stays."""
        tpdu = self.tpdu[:1] + self.tpdu[3:5] + self.tpdu[1:3]
        return replace(self, message=message, tpdu=tpdu)


class Framer:
    """Bytes in, frames out. After a fault the stream has no more frames: nobody knows where the next begins."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's first byte in the stream
        self._fault: FrameError | None = None
        self._bare = framing.bare

    def feed(self, data: bytes) -> tuple[list[Frame], FrameError | None]:
        """All frames that are whole now, and the fault that ends the stream, if there is one."""
        frames: list[Frame] = []
        if self._fault is not None:
            return frames, self._fault
        if self._bare and not self._buffer:
            data = self._whole(data, frames)
        self._buffer += data
        try:
            while (frame := self._next()) is not None:
                frames.append(frame)
        except FrameError as error:
            self._fault = error
            self._buffer.clear()
        return frames, self._fault

    def end(self) -> FrameError | None:
        """The peer closed: the fault of a frame that was cut off, or None."""
        if self._fault is None and self._buffer:
            self._fault = FrameError(
                "the stream ends inside a frame", offset=self._offset + len(self._buffer)
            )
        return self._fault

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._buffer)

    def _whole(self, data: bytes, frames: list[Frame]) -> bytes:
        """Take the frames at the beginning that are whole and right; the rest is for the slow road."""
        at, total, width, most = 0, len(data), self.framing.width, self.framing.size_max
        while True:
            size = int.from_bytes(data[at : at + width], "big")
            end = at + width + size
            if end > total or not 1 <= size <= most:
                self._offset += at
                return data[at:]
            frames.append(Frame(message=data[at + width : end]))
            at = end

    def _next(self) -> Frame | None:
        framing = self.framing
        if len(self._buffer) < framing.width:
            return None
        size = _announced(framing, bytes(self._buffer[: framing.width]), self._offset)
        if len(self._buffer) < framing.width + size:
            return None
        body = bytes(self._buffer[framing.width : framing.width + size])
        frame = open_frame(framing, body, offset=self._offset + framing.width)
        del self._buffer[: framing.width + size]
        self._offset += framing.width + size
        return frame


def _announced(framing: Framing, head: bytes, offset: int) -> int:
    """Bytes that follow the length."""
    if framing.kind is LengthKind.BINARY:
        count = int.from_bytes(head, "big")
    else:
        text = head.hex() if framing.kind is LengthKind.BCD else head.decode("latin-1")
        if not (text.isascii() and text.isdecimal()):
            raise FrameError("the length is no number", offset=offset, fix=f"{framing.kind.value} digits")
        count = int(text)
    size = count - (framing.width if framing.inclusive else 0)
    size += TPDU_SIZE if framing.tpdu is Tpdu.UNCOUNTED else 0
    if size > framing.size_max:
        raise FrameError(f"a frame of {size} bytes", offset=offset, fix=f"at most {framing.size_max}")
    if size < _overhead(framing) + 1:
        raise FrameError(f"a frame of {max(size, 0)} bytes holds no message", offset=offset)
    return size


def _overhead(framing: Framing) -> int:
    return _HEAD_SIZES[framing.head] + (0 if framing.tpdu is Tpdu.NONE else TPDU_SIZE)


def open_frame(framing: Framing, body: bytes, *, offset: int = 0) -> Frame:
    """Take apart what stands behind a length; `FrameError` where a part is missing."""
    at, dialled = 0, b""
    if framing.dialled and body.startswith(_DIAL_MARK):
        dialled, at = body[:_DIAL_SIZE], _DIAL_SIZE
    tpdu = b"" if framing.tpdu is Tpdu.NONE else body[at : at + TPDU_SIZE]
    if tpdu and tpdu[0] not in (0x60, 0x68):
        raise FrameError("no TPDU", offset=offset + at, fix="60 or 68, then two addresses; see the framing")
    at += len(tpdu)
    size = _HEAD_SIZES[framing.head]
    head = body[at : at + size]
    if framing.head is Head.POS and not head.hex().isdecimal():
        raise FrameError("no message head", offset=offset + at, fix="12 digits BCD")
    if framing.head is Head.INTERBANK and len(head) == INTERBANK_SIZE:
        read_interbank(head, offset=offset + at, total=len(body) - at)
    if len(body) <= at + size:
        raise FrameError("a frame without a message", offset=offset + len(body))
    return Frame(message=body[at + size :], tpdu=tpdu, head=head, dialled=dialled)


def close_frame(framing: Framing, frame: Frame) -> bytes:
    """The bytes of a frame. `Usage` when a part is missing, is too much, or the length cannot say the size."""
    wanted = _HEAD_SIZES[framing.head]
    tpdu = 0 if framing.tpdu is Tpdu.NONE else TPDU_SIZE
    if len(frame.head) != wanted or len(frame.tpdu) != tpdu or not frame.message:
        raise Usage(f"a head of {len(frame.head)} and a TPDU of {len(frame.tpdu)} bytes", where="framing")
    if frame.dialled and (not framing.dialled or len(frame.dialled) != _DIAL_SIZE):
        raise Usage("a head of a dialled connection", where="framing")
    return _behind_length(framing, frame.dialled + frame.tpdu + frame.head + frame.message)


def close_bare(framing: Framing, message: bytes) -> bytes:
    """`close_frame` of a message alone, where frames are `Framing.bare`."""
    if not message:
        raise Usage("no message", where="framing")
    return _behind_length(framing, message)


def _behind_length(framing: Framing, body: bytes) -> bytes:
    count = len(body) + (framing.width if framing.inclusive else 0)
    count -= TPDU_SIZE if framing.tpdu is Tpdu.UNCOUNTED else 0
    if len(body) > framing.size_max or count > framing.highest:
        raise Usage(f"a frame of {len(body)} bytes", where="framing", fix=f"at most {framing.size_max}")
    if framing.kind is LengthKind.BINARY:
        return count.to_bytes(framing.width, "big") + body
    if framing.kind is LengthKind.BCD:
        return bytes.fromhex(str(count).zfill(2 * framing.width)) + body
    return str(count).zfill(framing.width).encode() + body


@dataclass(frozen=True, slots=True, kw_only=True)
class InterbankHeader:
    """The 46 bytes before a member's message: ASCII but for the first two, the reserved three and two flags.

    ``reject`` is five digits, 00000 for none (00015: wrong header length, 00025: wrong version).
    """

    destination: str
    source: str
    message_size: int
    version: int = 0x02
    reserved: bytes = bytes(3)
    batch: int = 0
    transaction: str = "00000000"
    user: int = 0
    reject: str = "00000"

    def encode(self) -> bytes:
        """The bytes; `Usage` for a part that does not fit."""
        texts = ((self.destination, 11), (self.source, 11), (self.transaction, 8), (self.reject, 5))
        if any(len(text) != size or not text.isascii() for text, size in texts) or len(self.reserved) != 3:
            raise Usage("a part of another size", where="interbank header", fix="11, 11, 8 and 5 characters")
        total = INTERBANK_SIZE + self.message_size
        if not 0 <= total <= 9999:
            raise Usage(f"a message of {self.message_size} bytes", where="interbank header")
        return (
            bytes((INTERBANK_SIZE, self.version))
            + f"{total:04d}{self.destination}{self.source}".encode()
            + self.reserved
            + bytes((self.batch,))
            + self.transaction.encode()
            + bytes((self.user,))
            + self.reject.encode()
        )


def read_interbank(raw: bytes, *, offset: int = 0, total: int | None = None) -> InterbankHeader:
    """Read the header; `FrameError` when its own length, or the total that it names, is false."""
    if len(raw) != INTERBANK_SIZE or raw[0] != INTERBANK_SIZE:
        raise FrameError("no header of 46 bytes", offset=offset, fix="reject code 00015")
    digits = raw[2:6].decode("latin-1")
    if not (digits.isascii() and digits.isdecimal()) or int(digits) < INTERBANK_SIZE:
        raise FrameError("the header's total is no number", offset=offset + 2)
    if total is not None and int(digits) != total:
        raise FrameError(f"the header's total is not {total}", offset=offset + 2)
    texts = (raw[6:17], raw[17:28], raw[32:40], raw[41:46])
    if not all(text.isascii() for text in texts):
        raise FrameError("characters beyond ASCII in the header", offset=offset + 6)
    destination, source, transaction, reject = (text.decode("ascii") for text in texts)
    return InterbankHeader(
        version=raw[1], message_size=int(digits) - INTERBANK_SIZE, destination=destination, source=source,
        reserved=raw[28:31], batch=raw[31], transaction=transaction, user=raw[40], reject=reject,
    )  # fmt: skip


UNIONPAY_POS_FRAMING = Framing(tpdu=Tpdu.INSIDE, head=Head.POS, dialled=True)
UNIONPAY_INTERBANK_FRAMING = Framing(width=4, kind=LengthKind.ASCII, head=Head.INTERBANK)
FRAMINGS: dict[str, Framing] = {
    "unionpay-pos": UNIONPAY_POS_FRAMING,
    "unionpay-interbank": UNIONPAY_INTERBANK_FRAMING,
}


def framing_of(text: str) -> Framing:
    """A framing by name, or from words such as ``4-ascii``, ``2-binary-inclusive-tpdu`` or ``2-bcd-tpdu-pos``.

    Words: the width; binary, ascii or bcd; inclusive; tpdu or tpdu-uncounted; pos or interbank; dialled.
    """
    if text in FRAMINGS:
        return FRAMINGS[text]
    words = text.split("-")
    kinds = {kind.value for kind in LengthKind}
    flags = set(words[2:])
    known = {"inclusive", "tpdu", "uncounted", "pos", "interbank", "dialled"}
    heads = flags & {"pos", "interbank"}
    if (
        words[0] not in ("2", "4")
        or len(words) < 2
        or words[1] not in kinds
        or not flags <= known
        or len(heads) > 1
    ):
        names = ", ".join(FRAMINGS)
        raise Usage(f"no framing {text!r}", where="framing", fix=f"{names}, or such as 2-binary-tpdu-pos")
    tpdu = Tpdu.NONE
    if "tpdu" in flags:
        tpdu = Tpdu.UNCOUNTED if "uncounted" in flags else Tpdu.INSIDE
    return Framing(
        width=int(words[0]),
        kind=LengthKind(words[1]),
        inclusive="inclusive" in flags,
        tpdu=tpdu,
        head=Head(heads.pop()) if heads else Head.NONE,
        dialled="dialled" in flags,
    )
