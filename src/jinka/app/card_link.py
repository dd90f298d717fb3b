"""Where a card command finds its card: an image file, a fresh test card, or a reader. All are one `ApduLink`.

An image is opened without being written back: a command that reads must not change a file. A card that is to be
changed goes into the virtual reader (`jinka card vpcd`), or is opened to be kept (`jinka card domain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinka.app.card_files import open_card, open_key_folder
from jinka.app.card_samples import sample_card
from jinka.app.card_script import ResettableLink
from jinka.card import PowerCut
from jinka.kit import Usage
from jinka.node.pcsc import PcscLink, choose_reader
from jinka.node.vpcd import Chip
from jinka.terminal import CardRemoved


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlace:
    """At most one of ``image`` and ``profile``; without them the reader with this number or name."""

    image: Path | None = None
    profile: str = ""
    keys: Path | None = None
    reader: str = "0"

    def __post_init__(self) -> None:
        if self.image is not None and self.profile:
            raise Usage("an image or a fresh card, not both", where="card", fix="leave one out")


class _ChipLink:
    """A chip of this process as a link."""

    def __init__(self, chip: Chip, after: Callable[[], None] | None = None) -> None:
        self._chip, self._after = chip, after
        self.reset()

    def reset(self) -> None:
        """Start the session anew."""
        self._chip.power_up()

    def transmit(self, command: bytes) -> bytes:
        """Send one command; a chip without power is a removed one."""
        try:
            answer = self._chip.transmit(command)
        except PowerCut as error:
            raise CardRemoved("the card has no power", where="card") from error
        if self._after is not None:
            self._after()
        return answer


@contextmanager
def card_at(place: CardPlace, *, keep: bool = False) -> Iterator[ResettableLink]:
    """The card, freshly powered, for as long as the block lasts; ``keep`` writes an image back after each command."""
    if place.image is not None:
        keys = open_key_folder(place.keys) if place.keys is not None else None
        held = open_card(place.image, keys)
        yield _ChipLink(held.chip, held.save if keep else None)
    elif place.profile:
        yield _ChipLink(sample_card(place.profile))
    else:
        with PcscLink(choose_reader(place.reader)) as link:
            yield link
