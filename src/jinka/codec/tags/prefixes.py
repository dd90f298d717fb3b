"""How many digits a GS1 company prefix has: from a list of prefixes, never from a rule.

GS1 Tag Data Standard 2.x, 7.1: the length is needed to make a URN or a tag of a barcode. GS1 publishes the list (GCP
Length Table, gcpprefixformatlist); member organisations give lengths out freely, also inside one range, so that nothing
follows from the first digits alone. Declared here are China's prefixes 690 to 699 after that table as of 2025;
`read_prefix_list` takes the whole table. A key that no entry covers is `NotFound`: whoever asks has to say the length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinka.codec.tags.ai_table import IDENTIFIERS
from jinka.codec.tags.epc import Elements, Epc, epc_of
from jinka.codec.tags.faults import TagError
from jinka.codec.tags.keys import KEYS, PREFIX_MAX, PREFIX_MIN, Lead
from jinka.kit import NotFound

LIST_MAX = 64 * 1024 * 1024
_CLOSED = 0  # an entry that says: no company has this


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList:
    """Beginnings of keys with the length of the company prefix that they belong to; the longest beginning counts."""

    lengths: Mapping[str, int]
    source: str

    def digits_of(self, key: str) -> int:
        """The length of the company prefix that ``key`` begins with (without indicator or extension digit)."""
        for end in range(min(len(key), PREFIX_MAX), 0, -1):
            found = self.lengths.get(key[:end])
            if found is not None:
                if found == _CLOSED:
                    break
                return found
        raise NotFound(
            f"the list ({self.source}) has no company prefix for {key[:PREFIX_MAX]}",
            where="company prefix",
            fix="say how many digits it has (6 to 12), or give GS1's whole list",
        )


# Longest beginning first when asked; 0 where the table gives the number to no company.
CHINA = PrefixList(
    source="China's prefixes 690 to 699, GCP Length Table 2025",
    lengths={
        "690": 7, "691": 7, "692": 8, "693": 8, "694": 8, "695": 8, "6960": 8, "6964": 12, "697": 9, "698": 12,
        "699": 12,
        "6901028": 10, "69031001": 12, "69111288": 12, "69115511": 12, "69119911": 12, "69140819": 12,
        "692148000": 12, "69408001": 12, "694080020": 12, "694080021": 12, "694629164": 12, "695860405": 12,
        "69595400": 12, "695954000": 0, "695954005": 0, "695954008": 0, "695954009": 0, "695954011": 12,
    },
)  # fmt: skip


def read_prefix_list(raw: bytes, source: str) -> PrefixList:
    """Read GS1's GCP Length Table in JSON. Raises `TagError` at the first entry that is none."""
    if len(raw) > LIST_MAX:
        raise TagError(f"a list of {len(raw)} bytes", where=source)
    try:
        entries = json.loads(raw)["GCPPrefixFormatList"]["entry"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TagError(
            "not GS1's GCP Length Table", where=source, fix="the JSON file with GCPPrefixFormatList"
        ) from None
    return PrefixList(lengths=dict(_entries(entries, source)), source=source)


def _entries(entries: Any, source: str) -> Iterable[tuple[str, int]]:
    if not isinstance(entries, list):
        raise TagError("entry is no list", where=source)
    for number, entry in enumerate(entries):
        where = f"{source}, entry {number}"
        if not isinstance(entry, dict):
            raise TagError("no entry", where=where)
        prefix, length = entry.get("prefix"), entry.get("gcpLength")
        if not isinstance(prefix, str) or not (
            prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_MAX
        ):
            raise TagError("prefix is not a string of digits", where=where)
        if type(length) is not int or not (length == _CLOSED or PREFIX_MIN <= length <= PREFIX_MAX):
            raise TagError("gcpLength is not 0 or 6 to 12", where=where)
        yield prefix, length


def prefix_digits(elements: Elements, prefixes: PrefixList = CHINA) -> int:
    """The length of the company prefix in the GS1 key that these application identifiers name."""
    for ai, value in elements:
        for key in KEYS:
            if key.ai == ai:
                return prefixes.digits_of(value[key.lead is not Lead.NONE :])
    known = ", ".join(f"({ai})" for ai, _ in elements if ai in IDENTIFIERS) or "nothing"
    raise NotFound(f"{known} is no key with a company prefix", where="company prefix")


def split_key(elements: Elements, digits: int | None = None, prefixes: PrefixList = CHINA) -> Epc:
    """The identity that a barcode names; ``digits`` of its company prefix, or else what the list says."""
    return epc_of(elements, prefix_digits(elements, prefixes) if digits is None else digits)
