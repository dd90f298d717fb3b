"""Statistics on their way up the tiers. Goal: the nation's cells are the sum of the cities', each event once, whatever
is late or cut. Method: chips travel between two cities for a day; one count over all records taken in is compared,
and so are the two cities' files of the trade.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jinka.app.centre_files import RoundFiles
from jinka.app.centre_statistics import require_cells
from jinka.app.statistics import read_cells
from jinka.app.trade_diff import compare_files
from jinka.app.trade_files import export_day
from jinka.codec.trade_files import CITY_UNION
from jinka.kit import Refused
from jinka.reports.statistics import STATISTICS, add_up
from jinka.sim.travel import TravelDay
from tests.app.centre_rig import DATE, TWO, Federation, federation, services, travel

HOME, FAR = TWO[0].code, TWO[1].code


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(TWO)


@pytest.fixture(scope="module")
def days(keys: Any) -> list[TravelDay]:
    return travel(keys, TWO, riders=5)


def sent(fed: Federation, code: str) -> pa.Table:
    files = RoundFiles(fed.root / code, DATE)
    return add_up([files.read("up-statistics-cells", STATISTICS)])


def test_the_nation_is_the_sum_of_its_cities_also_of_one_that_was_cut_off(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    with federation(tmp_path, keys, days) as fed:
        fed.cut(FAR, fed.parents[FAR], "statistics")
        fed.close()
        fed.run()
        above = [RoundFiles(tmp_path / code, DATE) for code in (fed.parents[FAR], "00")]
        assert all(files.noted("settled") is not None for files in above), "nobody waits for statistics"
        assert [files.noted("up-statistics") for files in above] == [None, None]
        fed.centres = {code: fed.centre(code) for code in fed.centres}
        fed.cut(FAR, fed.parents[FAR], "statistics", cut=False)
        fed.run()
        nation = sent(fed, "00")
        assert nation == add_up([sent(fed, HOME), sent(fed, FAR)])
        assert read_cells([tmp_path / "00"]) == nation == read_cells([tmp_path / HOME, tmp_path / FAR])
        taken = [
            row
            for code in (HOME, FAR)
            for path in sorted((tmp_path / code / "intake").glob("accepted-*"))
            for row in pq.read_table(path).to_pylist()
        ]
        used = nation.filter(pc.not_equal(nation["use"], "cards")).to_pylist()
        assert sum(cell["count"] for cell in used) == len(taken), "each record once"
        crossing: Counter[tuple[str, str]] = Counter()
        for cell in used:
            if cell["issuer"]:
                crossing[cell["issuer"], cell["acquirer"]] += cell["count"]
        found = Counter((row["issuer"], row["acquirer"]) for row in taken)
        assert crossing <= found
        assert any(issuer[-4:] != acquirer[-4:] for issuer, acquirer in crossing)
        cards = nation.filter(pc.equal(nation["use"], "cards"))
        assert sum(cards["count"].to_pylist()) == sum(day.registry.cards.num_rows for day in days)
        issuer, acquirer = next(pair for pair in sorted(found) if pair[0][-4:] != pair[1][-4:])
        files = [tmp_path / f"{code}.txt" for code in (HOME, FAR)]
        sums = [
            export_day(tmp_path / code, CITY_UNION, out, issuer=issuer, acquirer=acquirer)
            for code, out in zip((HOME, FAR), files, strict=True)
        ]
        assert sums[0].records == sums[1].records == found[issuer, acquirer]
        assert compare_files(*files, CITY_UNION).equal, "both cities say the same of the cards that travelled"


def test_a_child_counts_cards_of_its_own_issuers_alone(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    with federation(tmp_path, keys, days) as fed:
        around = fed.configs[fed.parents[HOME]].around
        cell = {"date": DATE, "use": "cards", "sector": "x", "issuer": TWO[1].issuer, "count": 1, "amount": 0}
        table = pa.Table.from_pylist([dict.fromkeys(STATISTICS.names, "") | cell], schema=STATISTICS)
        with pytest.raises(Refused, match="sends rows of"):
            require_cells(table, around, HOME, where="parcel")
        with pytest.raises(Refused, match="go up"):
            require_cells(table, around, "00", where="parcel")
        require_cells(table, fed.configs["00"].around, fed.parents[FAR], where="parcel")
