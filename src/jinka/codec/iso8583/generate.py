"""What generated functions for messages share: the checks of alphabets, and the frame of a function's text.

No name or value of a specification's text, and nothing that came over a wire, gets into generated text: only numbers,
slices and fixed words of `generate_decoder` and `generate_encoder`. A generated function either returns what the slow
road would return or raises something: any doubt (a length, an alphabet, a filler) ends in an exception, and the slow
road names the fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jinka.codec.iso8583.spec import Content


@dataclass(slots=True)
class Checks:
    """Expressions to join, by alphabet; all of them have to hold. They are bytes in reading, text in writing."""

    of_bytes: bool = False
    digits: list[str] = field(default_factory=list)
    alnum: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    track: list[str] = field(default_factory=list)
    zeros: list[str] = field(default_factory=list)  # fillers of which only 0 is right
    fillers: list[str] = field(default_factory=list)  # those that may be 0 or f
    plain: list[str] = field(default_factory=list)  # other conditions that must be true
    _ends: dict[int, tuple[str, str]] = field(
        default_factory=dict
    )  # by list: where its last slice begins and ends

    def span(self, content: Content, view: str, start: str, end: str) -> None:
        """Ask for the alphabet of a slice of a view; slices that touch are checked as one."""
        view = {"t": "raw", "h": "hb", "e": "eb"}[view]
        group = self._group(content)
        first, last = self._ends.get(id(group), ("", ""))
        if last == f"{view}[{start}" and last:
            group.pop()
        else:
            first = start
        group.append(f"{view}[{first}:{end}]")
        self._ends[id(group)] = (first, f"{view}[{end}")

    def _group(self, content: Content) -> list[str]:
        return {
            Content.N: self.digits, Content.AN: self.alnum, Content.A: self.letters,
            Content.ANS: self.text, Content.Z: self.track, Content.XN: self.digits,
        }[content]  # fmt: skip

    def add(self, content: Content, name: str) -> None:
        """Ask for this value's alphabet."""
        if content is Content.XN:
            self.plain.append(f"{name}[0] in 'CD'")
            self.digits.append(f"{name}[1:]")
        else:
            self._group(content).append(name)

    def condition(self) -> str:
        """One expression that is true when everything is right."""
        terms = list(self.plain)
        terms += [f"not {join(self.zeros)}.strip('0')"] if self.zeros else []
        terms += [f"not {join(self.fillers)}.strip('0f')"] if self.fillers else []
        terms += [f"{self._bytes(self.digits)}.isdigit()"] if self.digits else []
        for group, alphabet in (
            (self.track, "TRACK"), (self.text, "PRINTABLE"), (self.alnum, "ALNUM"), (self.letters, "LETTERS"),
        ):  # fmt: skip
            terms += [f"not {self._bytes(group)}.translate(None, {alphabet})"] if group else []
        return " and ".join(terms) or "True"

    def _bytes(self, names: list[str]) -> str:
        """Methods of bytes know ASCII alone and are quicker than those of text."""
        if self.of_bytes:
            return names[0] if len(names) == 1 else f"b''.join(({', '.join(names)}))"
        return f"{join(names)}.encode('ascii')"


def join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"''.join(({', '.join(names)}))"


def function(head: str, lines: list[str]) -> str:
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in lines)
