"""What a centre's operator may say beside `centre.toml`: `business-day.toml`, `fees.toml` and `paths.toml`.

Each is optional and has one grammar wherever it is used (docs/business-day.md). Here are their effects on a city's
round: the price list in the place of basis points, the volumes of a month, a metro fare's owners, silence in business
days, lists that count as acknowledged, and what operators lost on listed cards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre_files import RoundFiles
from jinka.clearing import (
    FeeSchedule,
    FeeTable,
    Flow,
    NetResult,
    PathTable,
    apportion_trips,
    metro_trips,
    read_fees,
    share_flows,
)
from jinka.clearing.paths_file import read_paths
from jinka.kit import Finding, Usage
from jinka.node import file_errors
from jinka.registry import Registry
from jinka.settlement import (
    BusinessDayFile,
    Unanswered,
    deem_acknowledged,
    judge_silence,
    list_losses,
    read_business_day,
)
from jinka.store import DuckEngine

DAY_FILE, FEES_FILE, PATHS_FILE = "business-day.toml", "fees.toml", "paths.toml"
ACTIVE = 1
_MONTH = "volumes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreRules:
    """What the files say; None for a file that is not there."""

    day: BusinessDayFile | None = None
    fees: FeeSchedule | None = None
    paths: PathTable | None = None

    def fees_on(self, date: dt.date, plain: FeeTable, before: Any = ()) -> FeeTable | FeeSchedule:
        """The fees of a day: the price list's lines in force, with the month's volumes so far, or the plain table."""
        if self.fees is None:
            return plain
        earlier = {(name, tuple(payers)): (volume, count) for name, payers, volume, count in before}
        return replace(self.fees.on(date), earlier=earlier)

    def silent_up_to(self, date: dt.date, days: int) -> int:
        """The last round whose unanswered records silence accepts: by the rule, or after so many calendar days."""
        if self.day is None or self.day.silence is None:
            return date.toordinal() - days
        return self.day.silence.silent_up_to(date).toordinal()

    def late_days(self, plain: int) -> int:
        """How old a late record may be: by the schedule for all, or without the file as many days as are given."""
        return plain if self.day is None else self.day.schedules[-1].late_days

    def silence(self, sent: pa.Table, heard: pa.Table, date: dt.date, days: int) -> list[Finding]:
        """Whose silence is an answer in this round, and whose verdicts are still waited for.

        ``heard`` are the answers without those that silence gives in this round.
        """
        rule = self.day.silence if self.day is not None else None
        until = dt.date.fromordinal(self.silent_up_to(date, days))
        open_ = sent.filter(
            pc.and_(
                pc.is_valid(sent["tac"]),
                pc.invert(pc.is_in(sent["record_id"], heard["w_id"].combine_chunks())),
            )
        )
        sums = open_.group_by(["issuer", "round"]).aggregate([("amount", "sum"), ("amount", "count")])
        waiting = [
            Unanswered(
                issuer=row["issuer"],
                sent=dt.date.fromordinal(row["round"]),
                count=row["amount_count"],
                amount=row["amount_sum"],
            )
            for row in sums.to_pylist()
        ]
        plain = dt.timedelta(days=days - 1)
        due = rule.last_day if rule is not None else lambda day: day + plain
        return judge_silence(waiting, until=until, due=due)[1]

    def acknowledged(self, registry: Registry) -> tuple[pa.Table, list[Finding]]:
        """The acknowledgements of lists, with those that the rule supposes."""
        if self.day is None or self.day.lists is None:
            return registry.acknowledgements, []
        rows = registry.terminals.select(["terminal_id", "operator", "status"]).to_pylist()
        terminals = {row["terminal_id"]: row["operator"] for row in rows if row["status"] == ACTIVE}
        return deem_acknowledged(registry.listings, registry.acknowledgements, terminals, self.day.lists)

    def losses(self, outcomes: Sequence[Path]) -> list[Finding]:
        """What operators lost on listed cards, where the centre has a rule of lists."""
        if self.day is None or self.day.lists is None or not outcomes:
            return []
        with DuckEngine() as engine:
            return list_losses(engine, engine.parquet(list(outcomes)))

    def shared(
        self, outcomes: Iterable[Sequence[Path]], netted: NetResult
    ) -> tuple[tuple[Flow, ...], list[Finding]]:
        """What collectors of metro fares hand on to the lines' owners; ``outcomes`` are paired each by itself."""
        if self.paths is None:
            return (), []
        with DuckEngine() as engine:
            trips = [
                trip
                for files in outcomes
                if files
                for trip in metro_trips(engine, engine.parquet(list(files)))
            ]
        shares, findings = apportion_trips(trips, self.paths)
        # Fees are on all that an operator was paid; of fares that it shares out, each owner bears its part.
        paid = {total.operator: (total.fees, total.charged) for total in netted.operators}
        fared: dict[str, int] = {}
        for trip in trips:
            fared[trip.collector] = fared.get(trip.collector, 0) + trip.charged
        fees = {
            code: paid[code][0] * charged // paid[code][1]
            for code, charged in fared.items()
            if code in paid and paid[code][1]
        }
        return share_flows(shares, fees), list(findings)


def read_rules(folder: Path) -> CentreRules:
    """Read what is there; raises `Usage` with the file and the place of what is wrong."""
    texts = {name: _text(folder / name) for name in (DAY_FILE, FEES_FILE, PATHS_FILE)}
    day, fees, paths = texts[DAY_FILE], texts[FEES_FILE], texts[PATHS_FILE]
    return CentreRules(
        day=None if day is None else read_business_day(day),
        fees=None if fees is None else read_fees(fees),
        paths=None if paths is None else read_paths(paths),
    )


def month_before(folder: Path, date: dt.date, days: Iterable[dt.date]) -> Any:
    """The volumes that the last round before ``date`` of the same month left."""
    earlier = [day for day in days if day < date and (day.year, day.month) == (date.year, date.month)]
    for day in sorted(earlier, reverse=True):
        found = (RoundFiles(folder, day).noted("paid") or {}).get(_MONTH)
        if found is not None:
            return found
    return ()


def month_after(netted: NetResult) -> list[list[Any]]:
    """The volumes as a note keeps them."""
    return [[name, list(payers), *sums] for (name, payers), sums in sorted(netted.volumes.items())]


def _text(path: Path) -> str | None:
    with file_errors(path):
        if not path.exists():
            return None
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise Usage(f"not UTF-8: byte {error.start}", where=str(path), fix="save it as UTF-8") from None
