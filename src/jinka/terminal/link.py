"""The wire between a terminal and a chip: APDU bytes out, APDU bytes in (ISO/IEC 7816-3).

What stands behind it (a simulated card, a PC/SC reader) is not known here.
"""

from __future__ import annotations

from typing import Protocol

from jinka.kit import Fault, JinkaError, Refused


class CardRemoved(JinkaError):
    """The card is gone: pulled, out of the field, or without power. What it did last is not known."""

    fault = Fault.PEER


class ApduLink(Protocol):
    """One chip in one reader."""

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU, return the response APDU; raises `CardRemoved`."""
        ...


class ChipRefused(Refused):
    """A chip answered another status word than 9000; ``step`` names what was asked of it."""

    def __init__(self, step: str, sw: int) -> None:
        super().__init__(f"SW {sw:04X}", where=step)
        self.step, self.sw = step, sw


def ask(link: ApduLink, step: str, command: bytes) -> bytes:
    """The data of a 9000 answer; `ChipRefused` for any other. An answer without status counts as removal."""
    answer = link.transmit(command)
    if answer[-2:] == b"\x90\x00":
        return answer[:-2]
    if len(answer) < 2:
        raise CardRemoved("an answer without a status word", where=step, fix="present the card again")
    raise ChipRefused(step, answer[-2] << 8 | answer[-1])


def ask_exactly(link: ApduLink, step: str, command: bytes, size: int) -> bytes:
    """As `ask`; `ChipRefused` with 6700 when the answer has not ``size`` bytes."""
    data = ask(link, step, command)
    if len(data) != size:
        raise ChipRefused(step, 0x6700)
    return data
