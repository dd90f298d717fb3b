"""The one rule of lists: a card is blocked at a terminal from the later of two moments.

They are the moment from which the list is effective, and the moment at which that terminal acknowledged it. Lists
are cumulative, so acknowledging version 5 acknowledges 1 to 4. Moments are local ``YYYYMMDDhhmmss``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from jinka.registry import LISTINGS

Table = Any


def blocked_at(
    listings: Iterable[tuple[int, str]], acknowledgements: Iterable[tuple[int, str]]
) -> str | None:
    """The moment from which one card is blocked at one terminal, or None.

    ``listings`` are the card's (version, effective_from), ``acknowledgements`` the terminal's (version, at).
    """
    acks = list(acknowledgements)
    moments = [
        max(effective, min(at for held, at in acks if held >= version))
        for version, effective in listings
        if any(held >= version for held, _ in acks)
    ]
    return min(moments, default=None)


def listing_status(taps: Table, listings: Table, acknowledgements: Table) -> Table:
    """For the taps of listed cards: (record_id, blocked, late), both as of the moment of the tap.

    ``taps`` has record_id, card_no, terminal_id and ``at`` as a number YYYYMMDDhhmmss. ``late`` means that the list
    was effective but not yet acknowledged by the terminal.
    """
    named = listings.select(
        l_card=listings.card_no,
        l_version=listings.list_version,
        l_from=listings.effective_from.try_cast("int64"),
    )
    heard = acknowledgements.select(
        a_terminal=acknowledgements.terminal_id,
        a_version=acknowledgements.list_version,
        a_at=acknowledgements.acknowledged_at.try_cast("int64"),
    )
    listed = taps.inner_join(named, [("card_no", "l_card")])
    pairs = listed.left_join(
        heard, [listed.terminal_id == heard.a_terminal, heard.a_version >= listed.l_version]
    )
    in_force = (pairs.a_at > pairs.l_from).ifelse(pairs.a_at, pairs.l_from)
    tap = pairs.group_by("record_id").aggregate(
        blocked=(pairs.a_at.notnull() & (in_force <= pairs["at"])).fill_null(False).max(),
        effective=(pairs.l_from <= pairs["at"]).fill_null(False).max(),
    )
    return tap.select("record_id", "blocked", late=tap.effective & ~tap.blocked)


def new_listings(cards: Sequence[bytes], *, version: int, effective_from: str) -> pa.Table:
    """The rows that put ``cards`` onto list ``version``, each once, in the order of their numbers."""
    unique = sorted(set(cards))
    return pa.table(
        {
            "list_version": pa.array([version] * len(unique), pa.uint32()),
            "card_no": pa.array(unique, pa.binary(10)),
            "effective_from": [effective_from] * len(unique),
        },
        schema=LISTINGS,
    )
