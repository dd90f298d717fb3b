"""What the field knows of a day when it is over; the centre never needs the plan or the taps file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from jinka.app.options import TARIFF_DEFAULT, DayOptions
from jinka.app.workspace import Workspace
from jinka.node import write_durable
from jinka.sim.plan import CityPlan
from jinka.tariff import TapKind

FACTS = "facts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """All of it JSON. ``hours`` has [hour, entries, boards, exits]; ``findings`` [code, severity, count]."""

    source: str
    generated: bool
    region: str
    zone: str
    first_date: str
    last_date: str
    seed: int
    rows_read: int
    duplicates_dropped: int
    cards: int
    inferred: dict[str, int]
    findings: list[list[Any]]
    finding_samples: list[dict[str, Any]]
    hours: list[list[int]]
    counts: dict[str, int]
    tariff: str = TARIFF_DEFAULT


_SAMPLES = 100


def gather_facts(plan: CityPlan, options: DayOptions, counts: Counter[str]) -> DayFacts:
    """Sum up a plan that was played."""
    dates = sorted({tap.at.date() for tap in plan.taps})
    kinds = Counter((tap.at.hour, tap.kind) for tap in plan.taps)
    found = Counter((finding.code, finding.severity.value) for finding in plan.findings)
    return DayFacts(
        source=plan.source,
        generated=options.taps is None,
        region=plan.region,
        zone=plan.zone,
        first_date=dates[0].isoformat() if dates else plan.date.isoformat(),
        last_date=dates[-1].isoformat() if dates else plan.date.isoformat(),
        seed=options.seed,
        rows_read=plan.rows_read,
        duplicates_dropped=plan.duplicates_dropped,
        cards=len(plan.cards),
        inferred=plan.inferred,
        findings=[[code, severity, count] for (code, severity), count in sorted(found.items())],
        finding_samples=[finding.as_dict() for finding in plan.findings[:_SAMPLES]],
        hours=[
            [hour, kinds[hour, TapKind.ENTRY], kinds[hour, TapKind.BOARD], kinds[hour, TapKind.EXIT]]
            for hour in sorted({hour for hour, _ in kinds})
        ],
        counts=dict(sorted(counts.items())),
        tariff=options.tariff,
    )


def write_facts(workspace: Workspace, facts: DayFacts) -> None:
    """Note the facts down; their file says that the field has finished."""
    text = json.dumps(asdict(facts), ensure_ascii=False, indent=2)
    write_durable(workspace.field / FACTS, text.encode() + b"\n")


def read_facts(workspace: Workspace) -> DayFacts | None:
    """The facts, or None while the field has not finished."""
    path = workspace.field / FACTS
    return DayFacts(**json.loads(path.read_bytes())) if path.exists() else None
