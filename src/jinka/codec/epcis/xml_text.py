"""A stranger's XML as a tree of elements with their namespaces, through expat, bounded.

Plain XML (`jinka.codec.plain_xml`); a bare ``<!DOCTYPE name>`` is let pass: GS1's own examples have it. Bytes, depth,
elements and the length of a text have limits. Text is kept without the blanks around it; comments and processing
instructions are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jinka.codec.epcis.scalars import LIMITS, TEXT_MAX, Limits
from jinka.codec.plain_xml import BETWEEN, PlainXml
from jinka.kit.errors import Refused

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_OWN_DEPTH = 12  # EPCIS's own elements around an extension
_ATTRIBUTES_MAX = 100


@dataclass(slots=True)
class Element:
    """An element; attributes by (namespace, name), without ``xmlns``."""

    namespace: str
    name: str
    attributes: dict[tuple[str, str], str]
    text: str = ""
    children: list[Element] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A document's root and the prefixes that it declares anywhere, the first meaning of each."""

    root: Element
    prefixes: tuple[tuple[str, str], ...]


def load_xml(data: bytes, limits: Limits = LIMITS) -> Tree:
    """Parse XML; `Refused` with the line for what is not plain, bounded and well-formed."""
    if len(data) > limits.document_bytes:
        raise Refused(f"a document of {len(data)} bytes", fix=f"at most {limits.document_bytes}")
    return _Loader(limits).load(data)


class _Loader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._root: Element | None = None
        self._prefixes: dict[str, str] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._deepest = limits.depth + _OWN_DEPTH
        self._count = 0
        self._plain = PlainXml(self._start, self._end, self._text, bare_doctype=True)
        self._plain.parser.StartNamespaceDeclHandler = self._namespace

    def load(self, data: bytes) -> Tree:
        self._plain.feed(data)
        root, self._root = (
            self._root,
            None,
        )  # reader and parser know one another: what they made need not wait
        if root is None:  # expat has refused it before
            self._plain.refuse("no element")
        return Tree(root=root, prefixes=tuple(self._prefixes.items()))

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        if prefix and uri and len(self._prefixes) < self._limits.prefixes:
            self._prefixes.setdefault(prefix, uri)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._deepest:
            self._plain.refuse("is nested too deep", f"at most {self._limits.depth} levels of extensions")
        if self._count > self._limits.elements:
            self._plain.refuse(f"more than {self._limits.elements} elements")
        space, local = self._names.get(name) or self._split(name)
        element = Element(space, local, self._named(attributes) if attributes else {})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)
        self._texts.append([])

    def _split(self, name: str) -> tuple[str, str]:
        """Namespace and local name, which come again and again."""
        space, _, local = name.rpartition(BETWEEN)
        self._names[name] = space, local
        return space, local

    def _named(self, attributes: dict[str, str]) -> dict[tuple[str, str], str]:
        if len(attributes) > _ATTRIBUTES_MAX or any(len(text) > TEXT_MAX for text in attributes.values()):
            self._plain.refuse("too many attributes, or too long ones")
        return {self._names.get(key) or self._split(key): text.strip() for key, text in attributes.items()}

    def _end(self, _name: str) -> None:
        texts = self._texts.pop()
        element = self._open.pop()
        if texts:
            element.text = "".join(texts).strip()
            if len(element.text) > TEXT_MAX:
                self._plain.refuse(f"a text of {len(element.text)} characters", f"at most {TEXT_MAX}")

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)
