"""Reading a stranger's XML: bytes to a tree of names, texts and attributes, or a refusal.

Plain XML without any document type (`jinka.codec.plain_xml`), and without processing instructions. Size, depth, number
of elements and length of a text have limits. Names are taken without their prefix, and the namespace is that of the
root for all.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.plain_xml import BETWEEN, PlainXml
from jinka.kit import Refused

SIZE_MAX = 64 * 1024 * 1024
DEPTH_MAX = 40
ELEMENTS_MAX = 2_500_000  # about 600 MB of tree; a statement of 64 MB has about as many
TEXT_MAX = 4_000  # the longest text of ISO 20022 that is read here has 500 characters
_FIX = "a bank's message has no need of it: ask for it again"


@dataclass(slots=True)
class Element:
    """An element: ``line`` is where it opens. Children are in the order of the document."""

    name: str
    line: int
    attributes: dict[str, str]
    text: str
    children: list[Element]

    def all(self, *path: str) -> list[Element]:
        """Every element at ``path`` below this one."""
        found = [self]
        for name in path:
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, *path: str) -> Element | None:
        return next(iter(self.all(*path)), None)

    def value(self, *path: str) -> str:
        """The text of the first element at ``path``; empty when there is none."""
        found = self.first(*path)
        return "" if found is None else found.text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The root element and its namespace."""

    namespace: str
    root: Element


def read_document(raw: bytes, *, where: str, size_max: int = SIZE_MAX) -> Document:
    """Parse ``raw``; raises `Refused` for anything that is not plain, bounded, well-formed XML in UTF-8."""
    if len(raw) > size_max:
        raise Refused(f"larger than {size_max} bytes", where=where, fix="ask for it in parts")
    return _Reader(where).read(raw)


class _Reader:
    def __init__(self, where: str) -> None:
        self._open: list[Element] = []
        self._root: Element | None = None
        self._namespace = ""
        self._count = 0
        self._plain = PlainXml(self._start, self._end, self._text, place=where, fix=_FIX)
        self._plain.parser.ProcessingInstructionHandler = self._instruction

    def read(self, raw: bytes) -> Document:
        self._plain.feed(raw)
        if self._root is None:  # expat has refused it before
            self._plain.refuse("no element")
        return Document(namespace=self._namespace, root=self._root)

    def _instruction(self, *_: object) -> None:
        self._plain.refuse("has a processing instruction")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(BETWEEN)
        self._count += 1
        if len(self._open) >= DEPTH_MAX:
            self._plain.refuse(f"deeper than {DEPTH_MAX} elements")
        if self._count > ELEMENTS_MAX:
            self._plain.refuse(f"more than {ELEMENTS_MAX} elements")
        if sum(map(len, attributes.values())) > TEXT_MAX:
            self._plain.refuse(f"an attribute of more than {TEXT_MAX} characters")
        element = Element(local, self._plain.parser.CurrentLineNumber, attributes, "", [])
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root, self._namespace = element, space
        if space != self._namespace and not self._foreign_allowed():
            self._plain.refuse(f"{local} is in another namespace than the message")
        self._open.append(element)

    def _foreign_allowed(self) -> bool:
        """Only supplementary data may hold what another standard defines; nothing here reads it."""
        return any(element.name == "SplmtryData" for element in self._open)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if not text.strip():  # between elements; a file that is indented has much of it
            return
        element = self._open[-1]
        if element.children:
            self._plain.refuse("text between elements")
        if len(element.text) + len(text) > TEXT_MAX:
            self._plain.refuse(f"a text of more than {TEXT_MAX} characters")
        element.text += text
