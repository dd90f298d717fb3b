"""Steps of tags that say more than a number: written once with data behind the EPC, and read by a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class WriteTag(Step):
    """A tag is written: a scheme of TDS 2.3 (``giai+``), application identifiers with their values, the chip's TID.

    The register learns which chip the thing carries, unless it is ``forged``: then somebody else wrote it.
    """

    tag: str
    scheme: str
    data: Mapping[str, str]
    tid: str
    _: KW_ONLY
    forged: bool = False


@dataclass(frozen=True, slots=True)
class ReadTag(Step):
    """A device's reader reports a tag; what it says must be ``shows`` (application identifiers).

    ``refused`` is UNKNOWN for a thing that nobody registered, OTHER_CHIP for one that its tag was copied from.
    ``remembers`` keeps values under names, to be facts of later steps (``=name``).
    """

    tag: str
    device: str
    shows: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)
