"""Taps as an operator publishes them, whatever the form of its file: the rows that could be read, and the findings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.kit import Finding
from jinka.tariff.facts import Mode, TapKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TapRow:
    """One readable row. ``card`` is the published pseudonym: 8 or 9 letters A to J.

    ``number`` counts the rows of the file; ``place`` is where a person finds it: ``17``, or ``3[17]`` on a JSON page.
    """

    number: int
    place: str
    card: str
    at: dt.datetime
    mode: Mode
    kind: TapKind
    gross_fen: int
    charged_fen: int
    device: str
    company: str
    station: str
    vehicle: str
    flagged_transfer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TapFile:
    """What a file held: its rows without repetitions, the counts, and the findings."""

    rows: tuple[TapRow, ...]
    rows_read: int
    duplicates_dropped: int
    findings: tuple[Finding, ...]
