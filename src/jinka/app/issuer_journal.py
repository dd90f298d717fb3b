"""`jinka issuer journal`: the issuer's newest transactions, by state or by reason, without a card number.

What people have to look at stands there: `disputed` advices, and holds that `lapsed`. The books alone are read, without
the key service; cards' ids stay covered and are not shown.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinka.app.issuer_host import opened_host, read_issuer_file
from jinka.issuer.books import Booking, State
from jinka.issuer.reasons import BY_WORD
from jinka.kit import Usage


def issuer_journal(path: Path, *, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The newest rows whose state or reason is one of these, oldest first; `Usage` for a word that is neither."""
    known = {state.value[0] for state in State} | set(BY_WORD)
    for word in states:
        if word not in known:
            raise Usage(
                f"{word!r} is neither a state nor a reason", where="--state", fix=", ".join(sorted(known))
            )
    with opened_host(read_issuer_file(path), None) as opened:
        rows = (row for row in opened.books.all_bookings() if row.state is not State.USED)
        chosen = (row for row in rows if not states or {row.state.value[0], row.reason.word} & {*states})
        return [_shown(row) for row in deque(chosen, maxlen=limit)]


def _shown(row: Booking) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(row.at_micros / 1_000_000, dt.UTC)
    return {
        "id": row.id.hex(),
        "at": at.isoformat(timespec="seconds"),
        "kind": row.kind.word,
        "acquirer": row.acquirer,
        "merchant": row.merchant,
        "amount_fen": row.amount_fen,
        "state": row.state.value[0],
        "reason": row.reason.word,
        "code": row.reason.code,
        "rule": row.rule,
        "advice": row.forced,
    }
