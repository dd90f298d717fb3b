"""`jinka card vpcd`: put a card into a slot of the virtual reader until the person takes it out.

The card's file is written before the answer to the command that changed it goes out, as a chip's memory would be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinka.app.card_files import (
    CardFile,
    fresh_psam,
    open_card,
    open_key_folder,
)
from jinka.app.card_samples import sample_card
from jinka.codec import Algorithm
from jinka.kit import Usage
from jinka.node.vpcd import VPCD_HOST, VPCD_PORT, VpcdSlot

SLOTS = 2  # of vpcd as it is packaged: `vicc_max_slots`


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcdOptions:
    """Which chip goes into which slot. With ``image`` and ``profile`` or ``psam``, a file that is not there is made."""

    image: Path | None = None
    profile: str = ""
    psam: bool = False
    algorithm: Algorithm = Algorithm.TDES
    balance: int = 0
    keys: Path | None = None
    slot: int = 0
    host: str = VPCD_HOST
    port: int = VPCD_PORT

    def __post_init__(self) -> None:
        if not 0 <= self.slot < SLOTS:
            raise Usage(f"slot {self.slot}", where="--slot", fix=f"0 to {SLOTS - 1}")
        if not 0 < self.port <= 0xFFFF - SLOTS:
            raise Usage(f"port {self.port}", where="--port", fix="1 to 65533")
        if self.image is None and not self.profile and not self.psam:
            raise Usage("no card", where="card vpcd", fix="name an image, --profile or --psam")
        if self.profile and self.psam:
            raise Usage("a card or a PSAM, not both", where="card vpcd", fix="two slots take both")


def card_for(options: VpcdOptions) -> CardFile:
    """Open the image, or make the fresh card or module that was asked for."""
    image = options.image
    if image is not None and image.exists():
        return open_card(image, open_key_folder(options.keys) if options.keys is not None else None)
    if image is not None and not (options.profile or options.psam):
        return open_card(image)  # says that it is not there
    if options.psam:
        made = CardFile(fresh_psam(options.algorithm), image)
    else:
        card = sample_card(options.profile, algorithm=options.algorithm, balance=options.balance)
        made = CardFile(card, image)
    made.save()
    return made


def serve_card(
    options: VpcdOptions,
    stop: threading.Event,
    *,
    connected: Callable[[], None] | None = None,
    watch: Callable[[bytes, bytes], None] | None = None,
) -> VpcdSlot:
    """Stay in the slot until ``stop`` is set; returns the slot with its counts."""
    held = card_for(options)
    slot = VpcdSlot(
        held.chip, host=options.host, port=options.port + options.slot, after=held.save, watch=watch
    )
    slot.serve(stop, connected=connected)
    held.save()
    return slot
