"""`jinka statistics`: figures for those who publish them. Goal: sums of files are the sums of what they hold, nothing
in a spreadsheet computes, what is small is hidden in every form, and the same input gives the same bytes.

Method: cells of two cities written as files; a centre's round put together by hand; the workbook is read as XML.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from jinka.app.centre_statistics import round_cells
from jinka.clearing.port import FIRST_INBOUND
from jinka.cli.main import app
from jinka.reports import Language
from jinka.reports.spreadsheet import write_workbook
from jinka.reports.statistics import STATISTICS
from jinka.reports.statistics_tables import statistics_tables
from tests.clearing.outcomes import rows, write
from tests.reports.test_statistics import registry_of

DATE = dt.date(2018, 9, 3)


def cell(home: str, far: str, count: int, **changed: Any) -> dict[str, Any]:
    return {
        "date": DATE, "use": "purchase", "sector": "cn.transit", "issuer": f"issuer.{home}",
        "issuer_region": home, "acquirer": f"acq.{far}", "acquirer_region": far, "outcome": "PAID",
        "count": count, "amount": 200 * count,
    } | changed  # fmt: skip


def cells(path: Path, *found: dict[str, Any]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(found), schema=STATISTICS), path)
    return path


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    a = (
        cell("4403", "4403", 1000),
        cell("4403", "4403", 25, outcome="REJECTED"),
        cell("4401", "4403", 50, issuer_region=""),
    )
    b = (cell("4401", "4401", 900), cell("4403", "4401", 3), cell("4401", "4401", 40, use="load"))
    return [cells(tmp_path / "a.parquet", *a), cells(tmp_path / "b.parquet", *b)]


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["statistics", *map(str, words)])


def tables(*words: object) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_files_add_up_and_a_city_is_named_by_the_centre_that_knows_it(two: list[Path]) -> None:
    found = tables(*two, "--minimum", 1)
    travel = {
        (row["issuer_region"], row["acquirer_region"]): (
            row["count"],
            row["paid"],
            row["rate"],
            row["amount_fen"],
        )
        for row in found["stat_travel"]["rows"]
    }
    assert travel == {
        ("4403", "4403"): (1025, 1000, "97.6 %", 200_000),
        ("4401", "4403"): (50, 50, "100.0 %", 10_000),
        ("4401", "4401"): (940, 940, "100.0 %", 188_000),
        ("4403", "4401"): (3, 3, "100.0 %", 600),
    }
    assert found["stat_volumes"]["total"]["amount_fen"] == 398_600


def test_a_tier_is_the_same_from_sums_and_from_parts(two: list[Path], tmp_path: Path) -> None:
    for number, path in enumerate(two):
        assert run(path, "--format", "cells", "--out", tmp_path / f"up{number}").exit_code == 0
    assert (
        run(tmp_path / "up0", tmp_path / "up1", "--format", "cells", "--out", tmp_path / "sum").exit_code == 0
    )
    assert run(*two, "--format", "cells", "--out", tmp_path / "all").exit_code == 0
    assert (tmp_path / "sum").read_bytes() == (tmp_path / "all").read_bytes()


def test_what_is_small_is_hidden_in_every_form(two: list[Path], tmp_path: Path) -> None:
    rows = tables(*two)["stat_travel"]["rows"]
    hidden = {(row["issuer_region"], row["acquirer_region"]) for row in rows if row["count"] == "*"}
    assert ("4403", "4401") in hidden
    assert len(hidden) > 1, "alone it would follow from the total"
    for form, out in (("csv", "csv"), ("json", "j.json")):
        assert run(*two, "--format", form, "--out", tmp_path / out).exit_code == 0
    assert "2018,4403,4401,*,*,*,*" in (tmp_path / "csv" / "stat_travel.csv").read_text()
    assert json.loads((tmp_path / "j.json").read_text())["stat_travel"]["rows"] == rows


def test_a_workbook_computes_nothing(tmp_path: Path) -> None:
    evil = [
        cell("=1+1", "@SUM(A1)", 500, sector="=HYPERLINK(1)"),
        cell("-2", "+3", 500, sector="https://x.example"),
    ]
    path = cells(tmp_path / "evil.parquet", *evil)
    for name in ("one", "two"):
        assert run(path, "--format", "xlsx", "--out", tmp_path / name, "--lang", "zh").exit_code == 0
    raw = (tmp_path / "one").read_bytes()
    assert raw == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        texts = book.read("xl/sharedStrings.xml").decode()
    assert len(sheets) == 3
    assert not any("<f>" in sheet or "<f " in sheet or "hyperlink" in sheet.lower() for sheet in sheets)
    assert "=HYPERLINK(1)" in texts
    assert "各地发行卡的使用地" in texts
    assert any(re.search(r"<v>100000</v>", sheet) for sheet in sheets)  # 500 at 2.00, in fen
    run(path, "--format", "csv", "--out", tmp_path / "csv")
    assert "'=HYPERLINK(1)" in (tmp_path / "csv" / "stat_volumes.csv").read_text()


def test_a_number_that_a_spreadsheet_would_round_is_a_text() -> None:
    big = cell("4403", "4403", 10, amount=2**53 + 1)
    made = statistics_tables(pa.Table.from_pylist([big], schema=STATISTICS))
    content = io.BytesIO()
    write_workbook(made, content, Language.EN)
    with zipfile.ZipFile(content) as book:
        assert str(2**53 + 1) in book.read("xl/sharedStrings.xml").decode()


def test_tables_are_shown_in_both_languages(two: list[Path]) -> None:
    assert "Success rate" in run(*two).stdout
    assert "成功率" in run(*two, "--lang", "zh").stdout


def test_a_round_counts_each_record_where_it_was_taken_in(tmp_path: Path) -> None:
    day = tmp_path / "rounds" / DATE.isoformat()
    day.mkdir(parents=True)
    made = [
        row | {"profile": "cn.transit", "issuer": "issuer.4403", "acquirer": "acq.4403"} for row in rows(9)
    ]
    write(day / "home", [*made[:4], made[4] | {"record_id": FIRST_INBOUND + 1, "acquirer": "acq.4401"}])
    foreign = made[5] | {"issuer": "issuer.4401"}
    write(day / "abroad", [foreign | {"outcome": "AWAITED", "reason": "AWAITED"}])
    assert (
        sum(
            c["count"]
            for c in round_cells(tmp_path, DATE, registry_of("4403")).to_pylist()
            if c["use"] == "purchase"
        )
        == 4
    )
    write(day / "paid-2018-09-02", [foreign])
    found = round_cells(tmp_path, DATE, registry_of("4403")).to_pylist()
    assert {(c["issuer"], c["acquirer"]): c["count"] for c in found if c["use"] == "purchase"} == {
        ("issuer.4403", "acq.4403"): 4,
        ("issuer.4401", "acq.4403"): 1,
    }
    assert [c["count"] for c in found if c["use"] == "cards"] == [3]


def test_what_cannot_be_added_up_is_refused(two: list[Path], tmp_path: Path) -> None:
    assert run(two[0], two[0]).exit_code == 2
    assert run(tmp_path / "none").exit_code == 3
    assert run(tmp_path).exit_code == 3
    (tmp_path / "junk").write_bytes(b"PAR1junk")
    assert run(tmp_path / "junk").exit_code == 4
    assert run(two[0], "--format", "pdf", "--out", "x").exit_code == 2
    assert run(two[0], "--format", "xlsx").exit_code == 2
