"""Steps of purses that play together with another card: what one holds decides what the other pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class PayFor(Step):
    """A device reads records of a second card, fills a sheet with them, and takes its result from the first card.

    ``reads`` maps facts of the sheet to records of ``other`` (of ``application`` there); ``facts`` are what the device
    knows itself. ``pays`` is what must be debited; ``refused`` is a status of the terminal, as for a tap.
    """

    card: str
    device: str
    other: str
    application: str
    sheet: str
    reads: Mapping[str, str]
    pays: int | None = None
    _: KW_ONLY
    facts: Mapping[str, Number] = field(default_factory=dict)
    refused: str = ""
