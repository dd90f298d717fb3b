"""Steps at folders that open to an authority's key: proved by EXTERNAL AUTHENTICATE, read, and written with a MAC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class OpenFolder(Step):
    """An authority's desk opens folders of an application and reads or writes records in them.

    ``reads`` must be what the card holds; ``writes`` are written under the folder's MAC. Without ``proves`` the desk
    has no key, with ``reading`` the key to read alone. ``refused`` is the card's status word. ``remembers`` keeps what
    was read or written under names.
    """

    card: str
    device: str
    reads: Mapping[str, str] = field(default_factory=dict)
    writes: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    proves: bool = True
    reading: bool = False
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)  # name -> record
