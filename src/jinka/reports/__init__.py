"""Reports: rows in, text and bytes out (terminal table, HTML, CSV, JSON), in Chinese and English.

Nothing here reads a file, writes one or asks for the time: `app` gathers the rows and puts the results where
they belong. Card numbers are masked on every page (first six and last four digits).
"""

from jinka.reports.day import (
    DayReport,
    EngineRow,
    FindingRow,
    FloatProof,
    HourRow,
    InferredRow,
    OperatorRow,
    OrderRow,
    Outcome,
    OutcomeRow,
    PositionRow,
    ProductRow,
    Source,
    SourceKind,
    SpoilRow,
    Text,
    Timing,
    TrialBalance,
)

__all__ = [
    "DayReport",
    "EngineRow",
    "FindingRow",
    "FloatProof",
    "HourRow",
    "InferredRow",
    "OperatorRow",
    "OrderRow",
    "Outcome",
    "OutcomeRow",
    "PositionRow",
    "ProductRow",
    "Source",
    "SourceKind",
    "SpoilRow",
    "Text",
    "Timing",
    "TrialBalance",
]
