"""`jinka card script` and `jinka card apdu`: transcripts replayed against a card, and one command explained.

A transcript is text. ``> `` begins a command, ``< `` the answer that it must get, both in hex with blanks as one
likes; ``reset`` starts the session anew; ``#`` begins a comment. In an answer ``..`` is any one byte and ``*``, once
and at any place, any number of bytes, so ``< *9000`` asks for the status word alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jinka.app.card_words import Words, explain
from jinka.kit import Usage
from jinka.terminal import ApduLink

COMMAND_MAX = 5 + 255 + 1
_PAIRS = re.compile(r"(?:[0-9A-F]{2}|\.\.)*")
_LINES_MAX = 100_000


class ResettableLink(ApduLink, Protocol):
    """A card in a reader that can start its session anew."""

    def reset(self) -> None:
        """Reset the card."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One exchange of a transcript; ``command`` empty is a reset. ``answer`` is a pattern, empty asks for nothing."""

    line: int
    command: bytes
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Where a card answered otherwise than the transcript says."""

    line: int
    command: str
    wanted: str
    found: str
    words: Words

    @property
    def diff(self) -> str:
        """Both answers under each other, and a mark below each byte that differs."""
        width = max(len(self.wanted), len(self.found)) if "*" not in self.wanted else 0
        marks = "".join(
            "  " if _fits_pair(self.wanted[at : at + 2], self.found[at : at + 2]) else "^^"
            for at in range(0, width, 2)
        )
        lines = [f"> {self.command}", f"- {self.wanted}", f"+ {self.found}", f"  {marks}".rstrip()]
        return "\n".join(line for line in lines if line)


def _fits_pair(wanted: str, found: str) -> bool:
    return wanted == found or (wanted == ".." and len(found) == 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How far a transcript came. ``deviation`` None: to its end."""

    exchanges: int
    deviation: Deviation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One command with its answer."""

    command: bytes
    data: bytes
    sw: int
    words: Words


def read_script(text: str, *, where: str) -> list[Step]:
    """The steps of a transcript; `Usage` with the number of the line that is none."""
    steps: list[Step] = []
    lines = text.splitlines()
    if len(lines) > _LINES_MAX:
        raise Usage(f"{len(lines)} lines", where=where, fix=f"at most {_LINES_MAX}")
    for number, raw in enumerate(lines, 1):
        line = "".join(raw.split("#", 1)[0].split())
        at = f"{where}:{number}"
        if not line:
            continue
        if line.lower() == "reset":
            steps.append(Step(line=number, command=b""))
        elif line[0] == ">":
            steps.append(Step(line=number, command=read_command(line[1:], where=at)))
        elif line[0] == "<":
            if not steps or not steps[-1].command or steps[-1].answer:
                raise Usage("an answer without its command", where=at, fix="begin with > and the command")
            last = steps.pop()
            steps.append(Step(line=last.line, command=last.command, answer=_pattern(line[1:], at)))
        else:
            raise Usage("neither a command nor an answer", where=at, fix="begin it with >, <, # or reset")
    return steps


def read_command(text: str, *, where: str) -> bytes:
    """Hex to a command APDU of 1 to 261 bytes; whether it makes sense is for the card to say."""
    try:
        command = bytes.fromhex(text)
    except ValueError:
        raise Usage("not hex", where=where, fix="pairs of 0-9 and A-F, blanks allowed") from None
    if not 2 <= len(command) <= COMMAND_MAX:
        raise Usage(f"a command of {len(command)} bytes", where=where, fix=f"2 to {COMMAND_MAX} bytes")
    return command


def _pattern(text: str, where: str) -> str:
    wanted = text.upper()
    if wanted.count("*") > 1 or not all(_PAIRS.fullmatch(part) for part in wanted.split("*")) or not wanted:
        raise Usage("not an answer", where=where, fix="hex, .. for any byte, * once for any number of bytes")
    return wanted


def fits(wanted: str, found: bytes) -> bool:
    """Whether an answer is what the pattern asks for."""
    text = found.hex().upper()
    head, star, tail = wanted.partition("*")
    if not star:
        return _same(wanted, text)
    if len(head) + len(tail) > len(text):
        return False
    return _same(head, text[: len(head)]) and _same(tail, text[len(text) - len(tail) :])


def _same(wanted: str, found: str) -> bool:
    if len(wanted) != len(found):
        return False
    return all(_fits_pair(wanted[at : at + 2], found[at : at + 2]) for at in range(0, len(wanted), 2))


def replay(steps: Sequence[Step], link: ResettableLink) -> Replay:
    """Send every command in order; stop at the first answer that is not the wanted one."""
    done = 0
    for step in steps:
        if not step.command:
            link.reset()
            continue
        answer = link.transmit(step.command)
        done += 1
        if step.answer and not fits(step.answer, answer):
            sw = int.from_bytes(answer[-2:], "big")
            deviation = Deviation(
                line=step.line,
                command=step.command.hex().upper(),
                wanted=step.answer,
                found=answer.hex().upper(),
                words=explain(sw),
            )
            return Replay(exchanges=done, deviation=deviation)
    return Replay(exchanges=done)


def ask_one(command: bytes, link: ApduLink) -> Exchange:
    """Send one command and say what the answer means."""
    answer = link.transmit(command)
    sw = int.from_bytes(answer[-2:], "big")
    return Exchange(command=command, data=answer[:-2], sw=sw, words=explain(sw))


def write_script(exchanges: Sequence[tuple[bytes, bytes]], *, title: str) -> str:
    """A transcript of what happened, as `read_script` reads it."""
    lines = [f"# {line}" for line in title.splitlines()]
    for command, answer in exchanges:
        lines += [f"> {command.hex().upper()}" if command else "reset"]
        if answer:
            lines.append(f"< {answer.hex().upper()}")
    return "\n".join(lines) + "\n"
