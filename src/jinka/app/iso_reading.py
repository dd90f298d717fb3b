"""`jinka iso describe`: a message from a file, from standard input or from hexadecimal text, in words.

A file holds the bytes of one message (or, with a framing, of a stream of frames), or their hexadecimal text. Values are
masked; unmasked ones are given out only where somebody declared that the data is test data.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.codec.framing import Frame, Framer, framing_of
from jinka.codec.iso8583 import Message, MessageSpec, dialect
from jinka.codec.iso8583.describe import Line, describe
from jinka.codec.iso8583.json_form import from_json, to_json
from jinka.kit import JinkaError, NotFound, Refused, Usage

TEST_DATA = "JINKA_TEST_DATA"  # set to 1 by whoever works with invented cards
_SIZE_MAX = 4 * 1024 * 1024
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}\s*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One message: what stood before it, its lines, and its JSON."""

    spec: MessageSpec
    message: Message
    frame: Frame | None
    lines: tuple[Line, ...]
    data: dict[str, Any]


def allow_unmasked(*, test_data: bool) -> None:
    """`Refused` unless the data was declared as test data, by an option or in the environment."""
    if not test_data and os.environ.get(TEST_DATA, "") != "1":
        raise Refused(
            "unmasked values are for test data alone", where="--unmask", fix=f"--test-data, or {TEST_DATA}=1"
        )


def read_source(source: str) -> bytes:
    """The bytes of a file, of standard input (``-``), or of hexadecimal text."""
    if source == "-":
        raw = sys.stdin.buffer.read(_SIZE_MAX + 1)
    elif _is_file(source):
        with Path(source).open("rb") as file:
            raw = file.read(_SIZE_MAX + 1)
    else:
        raw = source.encode()
        if not _HEX.fullmatch(raw.strip()):
            raise NotFound("neither a file nor hexadecimal text", where="message", fix="FILE, - or HEX")
    if len(raw) > _SIZE_MAX:
        raise Usage(f"more than {_SIZE_MAX:,} bytes", where="message")
    text = raw.strip()
    # Text of a message in ASCII may be hexadecimal by chance; a message has a bitmap that says otherwise.
    return bytes.fromhex(text.decode()) if _HEX.fullmatch(text) and len(text) % 2 == 0 else raw


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # hexadecimal text is longer than a name may be; the error would repeat it
        return False


def describe_messages(
    raw: bytes, name: str, *, framing: str = "", unmask: bool = False, plain: bool = False
) -> Iterator[Described]:
    """Every message in the bytes; raises the first fault after what was good before it."""
    codec = dialect(name)
    frames: list[Frame | None] = [None]
    fault: JinkaError | None = None
    if framing:
        framer = Framer(framing_of(framing))
        whole, fault = framer.feed(raw)
        fault = fault or framer.end()
        frames = list(whole)
    for frame in frames:
        message = codec.decode(raw if frame is None else frame.message)
        yield Described(
            spec=codec.spec,
            message=message,
            frame=frame,
            lines=() if plain else describe(codec.spec, message, unmask=unmask),
            data=to_json(codec.spec, message, unmask=unmask) if plain else {},
        )
    if fault is not None:
        raise fault


def encode_json(data: Any, name: str) -> bytes:
    """The bytes of a message that was written as JSON."""
    codec = dialect(name)
    return codec.encode(from_json(codec.spec, data))
