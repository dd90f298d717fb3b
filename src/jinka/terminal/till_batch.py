"""A terminal's batch: its totals compared with the host's, and every transaction told where they differ.

ISO 8583:1987, 4.1 (05xx, 03xx), fields 48 and 66; UnionPay's terminals: 0500 with totals, 0320 for single items and for
the end (field 60, 201 and 207). What the host makes of differing items is its business; the batch is closed either way,
and the slip says that they differed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinka.codec.iso8583 import Message
from jinka.kit import Refused
from jinka.terminal.host_verbs import Side
from jinka.terminal.till import Till
from jinka.terminal.till_states import BatchTotals, TillEntry, TillState, totals_of

EQUAL, DIFFERENT = "1", "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a batch was closed. ``told`` counts the items that the host took, where totals differed."""

    batch: str
    totals: BatchTotals
    equal: bool
    told: int = 0
    items: int = 0


def settle_batch(till: Till) -> Settlement:
    """Close the batch; `Refused` when the host gives no answer: it stays open then, with the same totals."""
    till.make_ready()
    totals, items = totals_of(till.entries.values(), till.batch), _items(till, till.batch)
    return close_with(till, till.open_settlement(), totals, items)


def close_with(till: Till, entry: TillEntry, totals: BatchTotals, items: Sequence[TillEntry]) -> Settlement:
    """Close the batch of a settlement's entry with these totals and, where the host has others, these items."""
    batch = entry.batch
    answer = till.exchange(till.messages.settlement(entry.trace, entry.moment, batch, totals))
    verdict = _verdict(answer)
    if verdict is None:
        till.close_settlement(entry, answered=False)
        raise Refused("no answer to the batch's totals", where=f"batch {batch}", fix="settle it again")
    items = items if verdict == DIFFERENT else []
    told = sum(_took(till, till.messages.item(item)) for item in items)
    if verdict == DIFFERENT and not _took(till, till.messages.upload_end(entry.trace, till.moment(), batch)):
        till.close_settlement(entry, answered=False)
        raise Refused("the upload had no end", where=f"batch {batch}", fix="settle it again")
    till.close_settlement(entry, answered=True)
    return Settlement(batch=batch, totals=totals, equal=verdict == EQUAL, told=told, items=len(items))


def _verdict(answer: Message | None) -> str | None:
    """1 or 2; None without an answer, or one that names no verdict."""
    if answer is None or answer.text(39) not in ("00", "95"):
        return None
    said = answer.text(66) or answer.text(48)[-1:]
    return said if said in (EQUAL, DIFFERENT) else None


def _items(till: Till, batch: str) -> list[TillEntry]:
    return [
        entry
        for entry in till.entries.values()
        if entry.batch == batch and entry.state is TillState.DONE and entry.kind.side is not Side.NONE
    ]


def _took(till: Till, message: Message) -> bool:
    answer = till.exchange(message)
    return answer is not None and answer.text(39) == "00"
