"""What lies inside a field: pieces side by side, chip objects, tagged sub-elements, sub-fields behind a bitmap.

A message keeps such a field as it came, so a switch that only forwards it changes nothing. `split` takes it apart,
`join` puts it together; offsets in errors count from the first byte or digit of the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jinka.codec.emv_tags import constructed
from jinka.codec.iso8583.field55 import mask_of, title_of
from jinka.codec.iso8583.message import DecodeError, EncodeError, Value
from jinka.codec.iso8583.spec import Bitmapped, Composite, Elements, FieldSpec, Mask, Tlv
from jinka.codec.iso8583.wire import ALPHABETS, read_field, write_field
from jinka.codec.tlv import TlvError, parse, tlv
from jinka.kit import JinkaError

DEPTH_MAX = 6
NODES_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A piece of a field, by its key: a value, or pieces again."""

    key: str
    value: Value | tuple[Node, ...] = field(repr=False)  # nobody has masked it yet
    title: tuple[str, str] = ("", "")
    mask: Mask = Mask.OPEN


def split(field: FieldSpec, value: Value, *, code_page: str = "cp037") -> tuple[Node, ...]:
    """The pieces of a field; empty where it has none. `DecodeError` with the path inside it."""
    path, inner = str(field.number), field.nested
    if isinstance(inner, Composite) and isinstance(value, str):
        return tuple(_split_composite(inner, value, path))
    if isinstance(inner, Elements) and isinstance(value, str):
        return tuple(_split_elements(inner, value, path))
    if isinstance(inner, Tlv) and isinstance(value, bytes):
        return _split_tlv(value, path, 0, 0)
    if isinstance(inner, Bitmapped) and isinstance(value, bytes):
        return tuple(_split_bitmapped(inner, value, path, code_page))
    return ()


def join(field: FieldSpec, nodes: Sequence[Node], *, code_page: str = "cp037") -> Value:
    """A field from its pieces. `EncodeError` where one does not belong or does not fit."""
    path, inner = str(field.number), field.nested
    if isinstance(inner, Composite):
        return _join_composite(inner, nodes, path)
    if isinstance(inner, Elements):
        return "".join(_element(inner, node, path) for node in nodes)
    if isinstance(inner, Tlv):
        return b"".join(_object(node, path, 0) for node in nodes)
    if isinstance(inner, Bitmapped):
        return _join_bitmapped(inner, nodes, path, code_page)
    raise EncodeError("nothing lies inside this field", path=path)


def _split_composite(inner: Composite, value: str, path: str) -> Iterator[Node]:
    at = 0
    for index, part in enumerate(inner.parts):
        piece = value[at : at + part.size] if part.size else value[at:]
        named = f"{path}.{part.key}"
        if not piece and index >= (inner.required or len(inner.parts)):
            return
        if len(piece) < part.size:
            raise DecodeError(f"{len(piece)} of {part.size} characters", path=named, offset=at)
        if not ALPHABETS[part.content].fullmatch(piece):
            raise DecodeError("characters of another kind", path=named, offset=at, fix=part.content.value)
        yield Node(key=part.key, value=piece, title=part.title, mask=part.mask)
        at += len(piece)
    if at < len(value):
        raise DecodeError(f"{len(value) - at} characters behind the last piece", path=path, offset=at)


def _join_composite(inner: Composite, nodes: Sequence[Node], path: str) -> str:
    known = [part.key for part in inner.parts]
    values = {node.key: node.value for node in nodes}
    if len(values) < len(nodes) or not set(values) <= set(known):
        raise EncodeError("pieces that it does not have, or one twice", path=path, fix=", ".join(known))
    if known[: len(values)] != [key for key in known if key in values]:
        raise EncodeError("a piece is missing before another", path=path)
    if len(values) < (inner.required or len(known)):
        raise EncodeError("pieces are missing", path=path, fix=", ".join(known))
    pieces = []
    for part in inner.parts[: len(values)]:
        piece = values[part.key]
        fits = isinstance(piece, str) and ALPHABETS[part.content].fullmatch(piece)
        if not isinstance(piece, str) or not fits or (part.size and len(piece) != part.size):
            size = str(part.size or "")
            raise EncodeError("not of its kind", path=f"{path}.{part.key}", fix=f"{part.content.value}{size}")
        pieces.append(piece)
    return "".join(pieces)


def _split_elements(inner: Elements, value: str, path: str) -> Iterator[Node]:
    at, head = 0, inner.tag_size + inner.length_size
    while at < len(value):
        tag, length = value[at : at + inner.tag_size], value[at + inner.tag_size : at + head]
        if len(length) < inner.length_size or not (length.isascii() and length.isdecimal()):
            raise DecodeError("a sub-element without a length", path=path, offset=at)
        piece = value[at + head : at + head + int(length)]
        if len(piece) < int(length):
            raise DecodeError(
                f"{int(length)} characters are announced, {len(piece)} are left",
                path=f"{path}.{tag}",
                offset=at,
            )
        yield Node(key=tag, value=piece, title=inner.titles.get(tag, ("", "")))
        at += head + len(piece)


def _element(inner: Elements, node: Node, path: str) -> str:
    value, named = node.value, f"{path}.{node.key}"
    if not isinstance(value, str) or len(node.key) != inner.tag_size:
        raise EncodeError("a sub-element is a tag and text", path=named)
    if len(value) >= 10**inner.length_size:
        raise EncodeError(f"{len(value)} characters", path=named, fix=f"{inner.length_size} digits of length")
    return f"{node.key}{len(value):0{inner.length_size}d}{value}"


def _split_tlv(raw: bytes, path: str, base: int, depth: int) -> tuple[Node, ...]:
    if depth > DEPTH_MAX:
        raise DecodeError(
            "objects nested too deeply", path=path, offset=base, fix=f"at most {DEPTH_MAX} levels"
        )
    nodes: list[Node] = []
    try:
        for tag, value, at in parse(raw, base=base):
            key = f"{tag:02X}"
            if len(nodes) >= NODES_MAX:
                raise DecodeError("too many objects", path=path, offset=at, fix=f"at most {NODES_MAX}")
            inside = _split_tlv(value, f"{path}.{key}", at, depth + 1) if constructed(tag) else value
            nodes.append(Node(key=key, value=inside, title=title_of(tag), mask=mask_of(tag)))
    except TlvError as error:
        # The error's own words name a tag, which may be a piece of something else.
        raise DecodeError("a tag or length that is none", path=path, offset=_offset(error)) from None
    return tuple(nodes)


def _offset(error: JinkaError) -> int:
    last = error.where.rpartition(" ")[2]
    return int(last) if last.isdecimal() else 0


def _object(node: Node, path: str, depth: int) -> bytes:
    named = f"{path}.{node.key}"
    try:
        tag = int(node.key, 16) if 2 <= len(node.key) <= 8 else 0
    except ValueError:
        tag = 0
    if not tag or depth > DEPTH_MAX:
        raise EncodeError(
            "no tag, or objects nested too deeply", path=named, fix="a tag in hex, such as 9F02"
        )
    if constructed(tag) is isinstance(node.value, bytes) or isinstance(node.value, str):
        raise EncodeError("bytes in a primitive object, objects in a constructed one", path=named)
    if isinstance(node.value, bytes):
        return tlv(tag, node.value)
    return tlv(tag, *(_object(inner, named, depth + 1) for inner in node.value))


def _split_bitmapped(inner: Bitmapped, raw: bytes, path: str, code_page: str) -> Iterator[Node]:
    size = inner.bitmap_size
    if len(raw) < size:
        raise DecodeError(f"{len(raw)} of {size} bytes of its bitmap", path=path, offset=0)
    bits, at = int.from_bytes(raw[:size], "big"), size
    fields = {field.number: field for field in inner.fields}
    for number in (n for n in range(1, 8 * size + 1) if bits >> (8 * size - n) & 1):
        named = f"{path}.{number}"
        if number not in fields:
            raise DecodeError("no such sub-field", path=named, offset=at)
        value, at = read_field(fields[number], raw, at, code_page=code_page, path=named)
        yield Node(key=str(number), value=value, title=fields[number].title, mask=fields[number].mask)
    if at != len(raw):
        raise DecodeError(f"{len(raw) - at} bytes behind the last sub-field", path=path, offset=at)


def _join_bitmapped(inner: Bitmapped, nodes: Sequence[Node], path: str, code_page: str) -> bytes:
    fields = {str(field.number): field for field in inner.fields}
    values = {node.key: node.value for node in nodes}
    if len(values) < len(nodes) or not set(values) <= set(fields):
        raise EncodeError("sub-fields that it does not have, or one twice", path=path)
    bits, body = 0, b""
    for number in sorted(int(key) for key in values):
        value = values[str(number)]
        if isinstance(value, tuple):
            raise EncodeError("a value, not pieces", path=f"{path}.{number}")
        bits |= 1 << (8 * inner.bitmap_size - number)
        body += write_field(fields[str(number)], value, code_page=code_page, path=f"{path}.{number}")
    return bits.to_bytes(inner.bitmap_size, "big") + body
