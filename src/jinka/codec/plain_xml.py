"""A stranger's XML, plain and in UTF-8 alone: what everyone who reads it refuses before anything in it is believed.

XML 1.0 with Namespaces through expat. There are no entities of a sender's own and nothing is opened: a document type
with an internal subset or an external identifier is refused before anything in it is read, and none is let pass but a
bare ``<!DOCTYPE name>``, which declares nothing, where the reader says so. UTF-16, which expat would take and a scanner
before us might not, is refused as well. What elements mean, and how many of them are too many, is the reader's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn
from xml.parsers import expat

from jinka.kit.errors import Refused

BETWEEN = "\x1f"  # stands between a namespace and a name; cannot stand in a document
_ENCODINGS = ("UTF-8", "US-ASCII")


class PlainXml:
    """One document: `feed` hands its elements and texts to a reader, which may `refuse` it where it stands."""

    def __init__(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        text: Callable[[str], None],
        *,
        place: str = "",
        fix: str = "",
        bare_doctype: bool = False,
    ) -> None:
        """``place``: the document's name in refusals; ``fix``: what they advise, unless they know better."""
        self._place, self._fix, self._bare_doctype = place, fix, bare_doctype
        self.parser = parser = expat.ParserCreate(namespace_separator=BETWEEN)
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text

    def feed(self, data: bytes) -> None:
        """Read a whole document; `Refused` with its line for what is not plain and well-formed."""
        try:
            data.decode()
            self.parser.Parse(data, True)
        except UnicodeDecodeError as fault:
            raise Refused("is not UTF-8", where=self._at("byte", fault.start), fix=self._fix) from None
        except expat.ExpatError as fault:
            what = f"is not XML: {expat.ErrorString(fault.code)}"
            raise Refused(what, where=self._at("line", fault.lineno), fix=self._fix) from None

    def refuse(self, what: str, fix: str = "") -> NoReturn:
        """Raise `Refused` at the line that is read."""
        raise Refused(what, where=self._at("line", self.parser.CurrentLineNumber), fix=fix or self._fix)

    def _at(self, unit: str, number: int) -> str:
        if unit == "line" and self._place:
            return f"{self._place}:{number}"
        return f"{self._place} {unit} {number}".strip()

    def _declared(self, _version: str, encoding: str | None, _alone: int) -> None:
        if encoding is not None and encoding.upper() not in _ENCODINGS:
            self.refuse(f"says that it is {encoding[:20]}, not UTF-8", "UTF-8")

    def _doctype(self, _name: str, system: str | None, public: str | None, subset: int) -> None:
        if not self._bare_doctype or system is not None or public is not None or subset:
            self.refuse("has a document type (DOCTYPE)", "without it")
