"""Writing XML: a tree of names and texts to bytes, the same tree to the same bytes.

XML 1.0 in UTF-8: one declaration, one default namespace, two spaces for each depth, attributes in the order given. No
prefixes, comments or processing instructions, which no message here needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinka.kit import Usage

# What XML 1.0 (2.2, Char) allows, less the control characters that it would let a reader change.
_FORBIDDEN = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


@dataclass(frozen=True, slots=True)
class Node:
    """An element: a text, or children; a child that is None is left out."""

    name: str
    content: str | tuple[Node | None, ...]
    attributes: tuple[tuple[str, str], ...] = ()


def write_document(root: Node, *, namespace: str) -> bytes:
    """The document as bytes; raises `Usage` for a text that XML cannot hold."""
    opened = Node(root.name, root.content, (("xmlns", namespace), *root.attributes))
    return "".join(('<?xml version="1.0" encoding="UTF-8"?>\n', *_lines(opened, 0))).encode()


def _lines(node: Node, depth: int) -> Iterator[str]:
    indent = "  " * depth
    head = node.name + "".join(f' {name}="{_escaped(value, name)}"' for name, value in node.attributes)
    if isinstance(node.content, str):
        yield f"{indent}<{head}>{_escaped(node.content, node.name)}</{node.name}>\n"
        return
    yield f"{indent}<{head}>\n"
    for child in node.content:
        if child is not None:
            yield from _lines(child, depth + 1)
    yield f"{indent}</{node.name}>\n"


def _escaped(text: str, where: str) -> str:
    if _FORBIDDEN.search(text):
        raise Usage("holds a character that XML cannot", where=where, fix="printable characters alone")
    return text.translate(_ESCAPES)
