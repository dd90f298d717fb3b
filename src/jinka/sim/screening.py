"""Which rows of a file of taps are played: those of one business day, of devices that belong to one operator.

A row that is left out is a finding with its line. Nothing is guessed about money: a device number that two companies
claim is played for the company that has more than half of its rows, and for nobody when none has.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable

from jinka.kit import Finding, Severity, Usage
from jinka.tariff import Mode
from jinka.tariff.tap_rows import TapRow


def screen(
    rows: Iterable[TapRow], *, name: str, date: dt.date | None = None
) -> tuple[list[TapRow], list[Finding]]:
    """Return the rows to play and a finding for each other row.

    The day is ``date``, or without it the one that most rows bear (the earliest of several). Raises `Usage` when
    nothing is left to play; there must be a row.
    """
    rows = list(rows)
    days = Counter(row.at.date() for row in rows)
    day = date or min(days, key=lambda found: (-days[found], found))
    if day not in days:
        raise Usage(
            f"no row of {day}",
            where=name,
            fix="give --date one of: " + ", ".join(map(str, sorted(days)[:10])),
        )
    owners = _owners(row for row in rows if row.at.date() == day)
    played: list[TapRow] = []
    findings: list[Finding] = []
    for row in rows:
        if row.at.date() != day:
            found = (
                "DATE_OUTSIDE_FILE_DAY",
                f"a tap of {row.at.date()} in the file of {day}",
                "play it by itself",
            )
        elif owners[row.device] != (row.company, row.mode):
            found = (
                "DEVICE_CONFLICT",
                f"device {row.device} is not only of {row.company} ({row.mode.name.lower()})",
                "give each operator's devices numbers of their own",
            )
        else:
            played.append(row)
            continue
        code, what, fix = found
        findings.append(
            Finding(code=code, severity=Severity.ERROR, where=f"{name}:{row.place}", what=what, fix=fix)
        )
    if not played:
        raise Usage(
            f"no row of {day} can be played: {findings[0].what}", where=findings[0].where, fix=findings[0].fix
        )
    return played, findings


def _owners(rows: Iterable[TapRow]) -> dict[str, tuple[str, Mode] | None]:
    """The company and mode of each device; None where none has more than half of the rows."""
    claims: defaultdict[str, Counter[tuple[str, Mode]]] = defaultdict(Counter)
    for row in rows:
        claims[row.device][row.company, row.mode] += 1
    owners: dict[str, tuple[str, Mode] | None] = {}
    for device, claimed in claims.items():
        owner, count = claimed.most_common(1)[0]
        owners[device] = owner if 2 * count > claimed.total() else None
    return owners
