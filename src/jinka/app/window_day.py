"""A cleared day's flows as claims of a window: netted anew, with the window folder's price list and shares of paths.

The day's folder is only read. What its own books settled is a simulation's; here its participants settle with one
another by windows, after `fees.toml` and `paths.toml` where they lie beside `business-day.toml`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from jinka.app.centre import FEES
from jinka.app.centre_rules import read_rules
from jinka.app.day_facts import read_facts
from jinka.app.tariffs import prices_named
from jinka.app.workspace import Workspace
from jinka.clearing import FeeSchedule, Flow, Per
from jinka.clearing.day import asks_for_amounts, paid_groups
from jinka.clearing.net import net
from jinka.kit import Finding, NotFound, Usage
from jinka.settlement import BusinessDay
from jinka.store import DuckEngine


def day_flows(folder: Path, day_folder: Path) -> tuple[BusinessDay, list[Flow], list[Finding]]:
    """What a day's participants owe one another; raises `NotFound`, and `Usage` for a price list by the month."""
    files = sorted((day_folder / "centre" / "outcomes").glob("*.parquet"))
    facts = read_facts(Workspace(day_folder)) if files else None
    if facts is None:
        raise NotFound("no cleared day", where=str(day_folder), fix="run jinka day first")
    day = BusinessDay(date=dt.date.fromisoformat(facts.first_date), zone=facts.zone)
    rules = read_rules(folder)
    fees = rules.fees_on(day.date, FEES)
    if isinstance(fees, FeeSchedule) and any(line.per is Per.MONTH for line in fees.lines):
        raise Usage(
            "has lines by the month",
            where=str(folder / "fees.toml"),
            fix="a day alone does not know its month: a centre's rounds do",
        )
    with DuckEngine() as engine:
        limit = prices_named(facts.tariff).purse_limit
        groups = paid_groups(engine, engine.parquet(files), limit, by_amount=asks_for_amounts(fees))
    netted = net(groups, fees)
    handed_on, findings = rules.shared([files], netted)
    return day, [*netted.flows, *handed_on], findings
