"""What an application adds to the card's commands while its folder, or one below it, is selected.

ISO/IEC 7816-4, 12 (application selection): a command goes to the selected application first, then to the common
table. The kind of an application is one byte in its folder's header; `jinka.card.cos.APPLETS` maps it to a class.
An applet's attributes live as long as the application stays selected and the card has power; what must last is
written to the card's memory. Purses are no applets: their commands are in the common table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from jinka.codec import Command

if TYPE_CHECKING:
    from jinka.card.cos import CardOs
    from jinka.card.files import File

Handler = Callable[["CardOs", Command], bytes]
Table = Mapping[tuple[int, int], Handler]


class Applet:
    """The base: adds nothing. A subclass sets ``table`` and overrides what it needs."""

    __slots__ = ("card", "folder")

    # (CLA, INS) -> function (card, command) -> data; the function finds its own state in ``card.applet``.
    table: ClassVar[Table] = {}

    def __init__(self, card: CardOs, folder: File) -> None:
        self.card = card
        self.folder = folder  # the application's own folder, however deep the selected one lies

    def selected(self, file: File, p2: int) -> bytes | None:  # noqa: ARG002 for subclasses
        """The data that answers a SELECT of ``file`` inside the application; None leaves it to the common FCI."""
        return None

    def receive(self, command: Command) -> Command:
        """Undo the application's own secure messaging before the command is looked up; `CardError` refuses it."""
        return command

    def respond(self, data: bytes, sw: int) -> bytes:
        """The whole response, SW1 SW2 last; applies the application's own secure messaging to it."""
        return data + sw.to_bytes(2, "big")
