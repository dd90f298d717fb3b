"""Card images: a card at rest as its difference from a base that thousands of cards share.

An image is the base's id, the runs of bytes that differ from it, and the journal of a transaction that was cut. The
base is a template (`jinka.card.template`) or, for a card with many applications, a specimen: a card of the same
making that is nobody's, without its secrets. Images name their format's version; sealing them at rest is the business
of the key service. An image whose memory is no card's is refused here, so that no command meets one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jinka.card.domain_keys import KEYS_FID, wiped_keys
from jinka.card.files import HEAD, KEY_HEAD, Directory, extents, free_offset
from jinka.card.nvm import JournalFull, Nvm
from jinka.kit import Fault, JinkaError, make_id
from jinka.profile import ApplicationKind, FileKind

PAGE = 16
# 2: security domains, holes, stretches of zeros in the journal; 3: runs instead of pages; 4: one count of channels
# in the card's head, which a program that does not know it would let run from zero again.
IMAGE_VERSION = 4
_MAGIC = b"JCI"
_ID = 8
_HEAD = len(_MAGIC) + 1 + _ID + 1 + 2 + 2
_OWN_DIRECTORY, _DEFLATED = 0x01, 0x02
_CAPACITY = 0x8000
_RUNS = re.compile(
    rb"[^\x00]+(?:\x00{1,2}[^\x00]+)*"
)  # of the exclusive or: nearer than three bytes is one run
_RAW_DEFLATE = -15


class ImageError(JinkaError):
    """The bytes are no card image that this program can read."""

    fault = Fault.PEER


class ImageBase:
    """A memory that images are differences from: a template of one application, or a specimen with many."""

    __slots__ = ("directory", "id", "memory")

    def __init__(self, name: str, version: int, memory: bytes) -> None:
        self.memory = memory
        self.directory = Directory(memory)
        self.id = make_id("jinka.card.template", name, version, memory)[:_ID]

    @classmethod
    def of_specimen(cls, name: str, version: int, memory: bytes) -> ImageBase:
        """The base for cards that are made as the specimen was; keys, secrets and domain keys are wiped from it."""
        wiped = bytearray(memory)
        for folder in Directory(memory).folders.values():
            for file in folder.children.values():
                if folder.application == ApplicationKind.DOMAIN:
                    if file.fid == KEYS_FID:
                        wiped_keys(wiped, file)
                elif file.kind is FileKind.SECRET:
                    wiped[file.at : file.at + file.size] = bytes(file.size)
                for at in file.keys.values():
                    wiped[at + KEY_HEAD : at + wiped[at]] = bytes(wiped[at] - KEY_HEAD)
        return cls(name, version, bytes(wiped))


@dataclass(frozen=True, slots=True, kw_only=True)
class CardImage:
    """A card at rest: the pages that differ from its base behind a bitmap of them, and the journal."""

    template: ImageBase
    length: int
    overlay: bytes
    journal: bytes = b""
    own_directory: bool = False

    def __repr__(self) -> str:
        return f"CardImage(template={self.template.id.hex()}, {len(self.overlay)} bytes)"

    def memory(self) -> bytearray:
        """The card's memory, before a cut transaction is finished or dropped."""
        return _patched(self.template.memory, self.length, self.overlay)

    def to_bytes(self) -> bytes:
        """Magic 3 | version 1 | base 8 | flags 1 | memory length 2 | journal length 2 | journal | runs.

        Flags: 01 other files than the base has, 02 the runs are deflated (RFC 1951). A run: equal bytes before it,
        bytes in it (both in groups of seven bits, the lowest first, bit 80 if more follow), bytes.
        """
        body = b"".join(_runs(self.template.memory, self.memory()))
        packer = zlib.compressobj(6, zlib.DEFLATED, _RAW_DEFLATE)
        small = packer.compress(body) + packer.flush()
        flags = _OWN_DIRECTORY if self.own_directory else 0
        if len(small) < len(body):
            body, flags = small, flags | _DEFLATED
        return (
            _MAGIC
            + bytes((IMAGE_VERSION,))
            + self.template.id
            + bytes((flags,))
            + self.length.to_bytes(2, "big")
            + len(self.journal).to_bytes(2, "big")
            + self.journal
            + body
        )

    @classmethod
    def from_bytes(cls, raw: bytes, templates: Mapping[bytes, ImageBase]) -> CardImage:
        """Read an image of any known version; `ImageError` says what does not fit."""
        if raw[: len(_MAGIC)] != _MAGIC or len(raw) < _HEAD:
            raise ImageError("not a card image", where="offset 0", fix="restore the file")
        reader = _READERS.get(raw[3])
        if reader is None:
            raise ImageError(
                f"image version {raw[3]}; versions {sorted(_READERS)} are known",
                where="offset 3",
                fix="use the version of jinka that wrote it",
            )
        template = templates.get(raw[4:12])
        if template is None:
            raise ImageError(
                f"unknown template {raw[4:12].hex()}", where="offset 4", fix="load its profile first"
            )
        length, journal = int.from_bytes(raw[13:15], "big"), int.from_bytes(raw[15:17], "big")
        if not len(template.memory) <= length <= _CAPACITY or len(raw) < _HEAD + journal:
            raise ImageError("the lengths do not fit", where="offset 13", fix="restore the file")
        image = cls(
            template=template,
            length=length,
            overlay=reader(template.memory, length, raw[12], raw[_HEAD + journal :]),
            journal=raw[_HEAD : _HEAD + journal],
            own_directory=bool(raw[12] & _OWN_DIRECTORY),
        )
        if image.journal or image.own_directory:
            require_readable(image.memory(), image.journal)
        return image


def require_readable(memory: bytearray, journal: bytes) -> None:
    """`ImageError` unless the memory, after its journal, holds files and folders that lie inside it."""
    nvm = Nvm(memory, journal=journal, capacity=_CAPACITY)
    try:
        nvm.recover()
        memory = nvm.memory
        end = HEAD
        for at, size in extents(memory):
            end = at + size
        if end != free_offset(memory) or end > len(memory):
            raise ImageError("the files do not fill the memory", where="memory", fix="restore the file")
        for file in Directory(memory).folders.values():
            if any(at + KEY_HEAD > len(memory) for at in file.keys.values()):
                raise ImageError("a key lies outside", where="memory", fix="restore the file")
    except (ValueError, LookupError, JournalFull) as problem:
        raise ImageError(f"no card's memory: {problem}", where="memory", fix="restore the file") from None


def difference(base: bytes, memory: bytearray) -> bytes:
    """Bitmap of the pages that differ, then those pages."""
    bitmap, pages = 0, []
    for number, at in enumerate(range(0, len(memory), PAGE)):
        page = memory[at : at + PAGE]
        if page != base[at : at + PAGE] and (any(page) or at < len(base)):
            bitmap |= 1 << number
            pages.append(page)
    return bitmap.to_bytes(_bitmap_size(len(memory)), "little") + b"".join(pages)


def _patched(base: bytes, length: int, overlay: bytes) -> bytearray:
    memory = bytearray(base)
    if length > len(base):
        memory.extend(bytes(length - len(base)))
    size = _bitmap_size(length)
    bitmap, taken = int.from_bytes(overlay[:size], "little"), size
    while bitmap:
        lowest = bitmap & -bitmap
        at = (lowest.bit_length() - 1) * PAGE
        end = min(at + PAGE, length)
        memory[at:end] = overlay[taken : taken + end - at]
        taken += end - at
        bitmap ^= lowest
    return memory


def _bitmap_size(length: int) -> int:
    return (_pages(length) + 7) // 8


def _pages(length: int) -> int:
    return -(-length // PAGE)


def _runs(base: bytes, memory: bytearray) -> Iterator[bytes]:
    """The runs of `memory` that differ from `base`, behind which it goes on with zeros."""
    size = len(memory)
    mixed = int.from_bytes(memory, "big") ^ int.from_bytes(base.ljust(size, b"\x00"), "big")
    done = 0
    for run in _RUNS.finditer(mixed.to_bytes(size, "big")):
        start, end = run.span()
        yield _number(start - done) + _number(end - start) + memory[start:end]
        done = end


def _number(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _read_number(raw: bytes, at: int) -> tuple[int, int]:
    """(number, offset behind it); `IndexError` at the end of ``raw``, `ValueError` beyond a card's memory."""
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            break
        if shift > 14:
            raise ValueError("a number of more than three groups")
    return value, at


def _read_runs(base: bytes, length: int, flags: int, raw: bytes) -> bytes:
    """Versions 3 and 4."""
    if flags & _DEFLATED:
        raw = _inflated(raw, 4 * length)
    memory = bytearray(base).ljust(length, b"\x00")
    at = place = 0
    try:
        while at < len(raw):
            skip, at = _read_number(raw, at)
            size, at = _read_number(raw, at)
            place += skip
            if not size or place + size > length or at + size > len(raw):
                raise ValueError("a run leaves the memory")
            memory[place : place + size] = raw[at : at + size]
            place, at = place + size, at + size
    except (IndexError, ValueError):
        raise ImageError("the runs do not fit", where=f"offset {_HEAD}", fix="restore the file") from None
    return difference(base, memory)


def _inflated(raw: bytes, most: int) -> bytes:
    """No more than ``most`` bytes, whatever the stream claims."""
    unpacker = zlib.decompressobj(_RAW_DEFLATE)
    try:
        body = unpacker.decompress(raw, most + 1)
    except zlib.error:
        body = b""
    if not unpacker.eof or unpacker.unused_data or len(body) > most:
        raise ImageError("the runs do not inflate", where=f"offset {_HEAD}", fix="restore the file")
    return body


def _read_pages(base: bytes, length: int, flags: int, overlay: bytes) -> bytes:  # noqa: ARG001 as other readers
    """Versions 1 and 2."""
    size = _bitmap_size(length)
    pages = [at for at in range(_pages(length)) if overlay[at // 8 : at // 8 + 1] and _bit(overlay, at)]
    wanted = size + sum(min(PAGE, length - at * PAGE) for at in pages)
    spare = any(_bit(overlay, at) for at in range(_pages(length), min(size, len(overlay)) * 8))
    if length < len(base) or len(overlay) != wanted or spare:
        raise ImageError("the pages do not fit the bitmap", where=f"offset {_HEAD}", fix="restore the file")
    return overlay


def _bit(bitmap: bytes, at: int) -> int:
    return bitmap[at // 8] >> at % 8 & 1


_READERS: dict[int, Callable[[bytes, int, int, bytes], bytes]] = {
    1: _read_pages,
    2: _read_pages,
    3: _read_runs,
    4: _read_runs,
}
