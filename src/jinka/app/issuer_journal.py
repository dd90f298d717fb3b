"""`jinka issuer journal`: the issuer's newest transactions, by state or by reason, with the card's number masked.

What people have to look at stands there: `disputed` advices, holds that `lapsed`, and totals of a day that `differ`.
Acquirer, terminal and trace number are how the acquirer finds one again that is asked about. The books alone are read,
without the key service; cards' ids stay covered and are not shown.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinka.app.issuer_host import opened_host, read_issuer_file
from jinka.issuer.books import Booking, State
from jinka.issuer.day_totals import Comparison
from jinka.issuer.reasons import BY_WORD
from jinka.kit import Usage

_COMPARED = {"equal", "differ"}


def issuer_journal(path: Path, *, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The newest rows whose state or reason is one of these, oldest first; `Usage` for a word that is neither.

    Comparisons of a day's totals have the states ``equal`` and ``differ``, and are shown where one is asked for.
    """
    known = {state.value[0] for state in State} | set(BY_WORD) | _COMPARED
    for word in states:
        if word not in known:
            raise Usage(
                f"{word!r} is neither a state nor a reason", where="--state", fix=", ".join(sorted(known))
            )
    with opened_host(read_issuer_file(path), None) as opened:
        rows = (row for row in opened.books.all_bookings() if row.state is not State.USED)
        chosen = (row for row in rows if not states or {row.state.value[0], row.reason.word} & {*states})
        found = [(row.at_micros, _shown(row)) for row in deque(chosen, maxlen=limit)]
        compared = opened.books.days.comparisons() if _COMPARED & {*states} else ()
        found += [(one.at_micros, _sums(one)) for one in compared if one.state in states]
    return [shown for _, shown in sorted(found, key=lambda line: line[0])[-limit:]]


def _sums(one: Comparison) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "at": _moment(one.at_micros),
        "kind": "totals",
        "business_date": one.business_date,
        "asker": one.asker,
        "acquirer": one.acquirer,
        "state": one.state,
        "claimed": asdict(one.claimed),
        "ours": asdict(one.ours),
    }


def _moment(micros: int) -> str:
    return dt.datetime.fromtimestamp(micros / 1_000_000, dt.UTC).isoformat(timespec="seconds")


def _shown(row: Booking) -> dict[str, Any]:
    return {
        "id": row.id.hex(),
        "at": _moment(row.at_micros),
        "kind": row.kind.word,
        "acquirer": row.acquirer,
        "merchant": row.merchant,
        "terminal": row.terminal,
        "trace": row.stan,
        "card": row.masked,
        "business_date": row.settled,
        "amount_fen": row.amount_fen,
        "state": row.state.value[0],
        "reason": row.reason.word,
        "code": row.reason.code,
        "rule": row.rule,
        "advice": row.forced,
    }
