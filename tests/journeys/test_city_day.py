"""A city's day from ceremony to settlement, as a newcomer runs it: real taps, generated ones, spoiled ones."""

from __future__ import annotations

import json
import os
import shutil
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app import DayOptions
from jinka.app.day import run_day
from jinka.app.keyring import open_keys
from jinka.app.road import read_labels
from jinka.app.workspace import Workspace
from jinka.kit import Refused
from jinka.sim.faults import Fault
from tests.journeys.city import books, day, jinka, jinka_here, ledger, log, outcomes
from tests.shared_data import SHENZHEN_TAPS, needs_shenzhen_taps

SPOILED = ("--riders", 1500, "--seed", 7, "--spoil", 0.02)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An ordinary day of 600 riders."""
    folder = tmp_path_factory.mktemp("small") / "day"
    return folder, day(folder, "--riders", 600, "--seed", 5)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A day of 40 riders, for those who want to break one: copy it."""
    folder = tmp_path_factory.mktemp("tiny") / "day"
    day(folder, "--riders", 40)
    return folder


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A day with faults of every kind."""
    folder = tmp_path_factory.mktemp("spoiled") / "day"
    return folder, day(folder, *SPOILED, code=6)


@pytest.mark.data
@needs_shenzhen_taps
def test_real_taps_are_cleared_to_the_fen(tmp_path):
    report = day(tmp_path / "day", "--taps", SHENZHEN_TAPS)
    assert report["rows_read"] == 37_000
    assert report["duplicates_dropped"] == 1
    assert (report["charged_fen"], report["gross_fen"]) == (6_355_425, 7_780_550)
    assert report["findings"]["unexplained_charge"] == 0
    assert report["books_balance"] is True
    used = [row for row in report["by_product"] if row["product"] != "entry"]
    assert len(used) <= 10
    assert sum(row["charged_fen"] for row in report["by_operator"]) == 6_355_425
    assert report["float_proof"]["suspense_fen"] == report["float_proof"]["transit_fen"] == 0


@pytest.mark.data
@needs_shenzhen_taps
def test_json_pages_of_the_same_taps_give_the_same_money(tmp_path):
    with SHENZHEN_TAPS.open(encoding="utf-8") as lines:
        header = next(lines).strip().split(",")
        rows = [
            dict(zip(header, line.strip().split(","), strict=True))
            for line, _ in zip(lines, range(900), strict=False)
        ]
    shuffled = header[::-1]
    table = tmp_path / "taps.csv"
    table.write_text("\n".join([",".join(shuffled), *(",".join(row[c] for c in shuffled) for row in rows)]))
    pages = tmp_path / "taps.json"
    pages.write_text("\n".join(json.dumps({"page": i, "data": rows[i : i + 300]}) for i in (0, 300, 600)))
    by_table, by_page = day(tmp_path / "a", "--taps", table), day(tmp_path / "b", "--taps", pages)
    for name in ("rows_read", "charged_fen", "gross_fen", "by_operator", "by_product", "float_proof"):
        assert by_table[name] == by_page[name]


def test_an_unreadable_row_is_a_finding_and_the_day_goes_on(tmp_path):
    taps = tmp_path / "taps.csv"
    header = "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark"
    good = "FIAAAEIFD,2018-09-01 11:17:55,巴士,160,200,231017343,巴士集团,M506,01620D,0"
    odd = "FIAAAEIFE,2018-09-01 11:18:55,巴士,137,200,231017343,巴士集团,M506,01620D,0"
    taps.write_text("\n".join([header, good, odd, "half a row", good]))
    report = day(tmp_path / "day", "--taps", taps, code=6)
    assert report["findings"]["row_unreadable"] == 1
    assert report["duplicates_dropped"] == 1
    assert report["unexplained"] == 1, "137 of 200 fen is no product of the tariff"
    assert report["books_balance"] is True
    assert report["finding_samples"][0]["where"] == "taps.csv:4"


def test_a_generated_day_balances_and_explains_itself(small):
    folder, report = small
    assert report["books_balance"] is True
    assert report["unexplained"] == 0
    assert report["loads"] > 0
    assert sum(row["position_fen"] for row in report["positions"]) == 0
    operators = {row["code"]: row for row in report["by_operator"]}
    for row in operators.values():
        assert row["net_fen"] == row["charged_fen"] + row["subsidy_fen"] - row["fees_fen"]
    orders = {row["payee"]: row["amount_fen"] for row in report["orders"] if row["payee"] in operators}
    assert orders == {code: row["net_fen"] for code, row in operators.items()}
    page = (folder / "report" / "index.html").read_text()
    assert "账务分毫不差" in page
    assert "The books balance" in page


def test_both_algorithms_are_in_the_field(small):
    outcomes = pq.read_table(small[0] / "centre" / "outcomes")
    assert set(outcomes["algorithm"].to_pylist()) == {0, 1}
    assert set(outcomes["outcome"].to_pylist()) <= {"PAID", "UNCONFIRMED", "VOID"}


def test_every_injected_fault_is_found_for_the_right_reason(spoiled):
    _, report = spoiled
    kinds = {row["kind"] for row in report["spoil"]}
    assert kinds == {fault.name for fault in Fault}
    wrong = [row for row in report["spoil"] if row["right"] != row["injected"]]
    assert wrong == []
    assert sum(row["injected"] for row in report["spoil"]) > 80
    assert report["false_rejections"] == 0
    assert report["books_balance"] is True
    assert report["float_proof"]["suspense_fen"] != 0, "refused loads count the other way"
    assert report["float_proof"]["transit_fen"] > 0, "lost records are in transit"


def test_the_clearing_needs_no_labels(spoiled, tmp_path):
    folder, _ = spoiled
    blind = tmp_path / "blind"
    shutil.copytree(folder, blind)
    shutil.rmtree(blind / "labels")
    shutil.rmtree(blind / "centre")
    report = json.loads(jinka("day", "--dir", blind, "--json", *SPOILED, code=6).stdout)
    assert report["spoil"] == []
    assert ledger(blind) == ledger(folder)
    assert outcomes(blind) == outcomes(folder)


def test_the_labels_are_sealed(spoiled):
    workspace = Workspace(spoiled[0])
    assert Fault.FORGED_TAC.name.encode() not in workspace.labels.read_bytes()
    for path in (workspace.labels, workspace.labels_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {label.fault for label in read_labels(workspace)} == set(Fault)


@pytest.mark.parametrize("which", ["small", "spoiled"])
def test_clearing_again_pays_nothing_twice_and_gives_the_same_bytes(which, request):
    folder, report = request.getfixturevalue(which)
    before = books(folder)
    again = json.loads(jinka("clear", folder, "--json", code=report["exit_code"]).stdout)
    assert books(folder) == before
    assert ledger(folder)[1], "there are transfers to be posted twice"
    del report["run"], again["run"]
    assert again == report
    assert [entry for entry in log(folder) if entry["event"] == "delivery_acknowledged_before"]


def test_the_same_seed_gives_the_same_books_and_another_one_does_not(small, tiny, tmp_path):
    day(tmp_path / "same", "--riders", 600, "--seed", 5)
    assert books(tmp_path / "same") == books(small[0])
    day(tmp_path / "other", "--riders", 40, "--seed", 6)
    assert books(tmp_path / "other")["ledger"] != books(tiny)["ledger"]


def test_another_day_in_the_same_folder_is_refused(small):
    done = jinka_here("day", "--dir", small[0], "--riders", 601, "--seed", 5, code=2)
    assert "riders" in done.stderr
    assert "--dir" in done.stderr


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    jinka_here("day", "--dir", tmp_path, "--riders", 10, code=2)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".lock") == ["thesis.txt"]


def test_clearing_a_folder_without_a_day(tmp_path):
    jinka_here("clear", tmp_path, code=3)
    jinka_here("clear", tmp_path / "nowhere", code=3)


def test_secrets_lie_apart_and_closed(small):
    folder, _ = small
    for path in [*folder.glob("custodians/*/share.json"), folder / "keys" / "store.sealed"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert '"simulated": true' in path.read_text()
    assert len(list(folder.glob("custodians/*/share.json"))) == 3


def test_one_damaged_share_of_three_does_not_stop_the_day(small, tmp_path):
    folder = tmp_path / "day"
    shutil.copytree(small[0], folder)
    shares = sorted(folder.glob("custodians/*/share.json"))
    shares[0].write_text("{}")
    jinka("clear", folder)
    wrong = json.loads(shares[1].read_text())
    shares[1].write_text(json.dumps(wrong | {"secret": "00" * 32}))
    done = jinka("clear", folder, code=4)
    assert wrong["secret"] not in done.stderr


def test_a_days_folder_is_closed_to_others(small):
    assert stat.S_IMODE(small[0].stat().st_mode) == 0o700


def test_one_share_does_not_open_the_keys(small, tmp_path):
    source = Workspace(small[0])
    lone = Workspace(tmp_path)
    lone.keystore.parent.mkdir()
    lone.keystore.write_bytes(source.keystore.read_bytes())
    share = lone.custodians / "custodian-1" / "share.json"
    share.parent.mkdir(parents=True)
    share.write_bytes((source.custodians / "custodian-1" / "share.json").read_bytes())
    with pytest.raises(Refused, match="1 of 2"):
        open_keys(lone, "440300")


def test_damaged_deliveries_are_refused_and_the_others_are_paid(tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "day")
    orders = ledger(folder)
    paths = sorted(folder.glob("field/lane0/outbox/*.batches.parquet"))
    for path in folder.glob("centre/*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    paths[3].write_bytes(os.urandom(500))
    report = day(folder, "--riders", 40, code=6)
    assert report["findings"]["delivery_refused"] == 1
    assert report["books_balance"] is True
    assert report["float_proof"]["transit_fen"] > 0
    assert sum(row["net_fen"] for row in report["by_operator"]) > 0
    assert ledger(folder) != orders
    [entry] = [entry for entry in log(folder) if entry["event"] == "delivery_refused"]
    assert entry["delivery"] == paths[3].name.removesuffix(".batches.parquet")
    for path in folder.glob("centre/*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in set(folder.glob("field/lane*/outbox/*.batches.parquet")) - {paths[3]}:
        table = pq.read_table(path)
        seals = pa.array([bytes(32)] * table.num_rows, table.schema.field("seal").type)
        pq.write_table(table.set_column(table.schema.get_field_index("seal"), "seal", seals), path)
    report = run_day(DayOptions(directory=folder, riders=40))
    assert report.exit_code == 6
    [parked] = [row for row in report.outcomes if row.count]
    assert (parked.reason, parked.count) == ("PARKED_SEAL", sum(row.count for row in report.outcomes))
    assert parked.batches > 1
    assert report.books_balance


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("field/lane0/cards.state", 4),
        ("keys/store.sealed", 4),
        ("day.json", 2),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_paid(tiny, tmp_path, pattern, code):
    folder = shutil.copytree(tiny, tmp_path / "day")
    before = ledger(folder)
    path = sorted(folder.glob(pattern))[0]
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 :] = os.urandom(len(raw) - len(raw) // 2)
    path.write_bytes(raw)
    done = jinka("day", "--dir", folder, "--riders", 40, code=code)
    assert done.stderr.count("jinka: error:") == 1
    assert ledger(folder) == before


def test_a_day_is_settled_by_a_window_with_a_price_list_and_shared_lines(tiny, tmp_path):
    rows = pq.read_table(tiny / "centre" / "outcomes").to_pylist()
    lines = sorted({row["line"] for row in rows if row["stop"]})
    assert lines
    files = {
        "business-day": '[[schedule]]\ncode = "daily"\nzone = "Asia/Shanghai"\n',
        "fees": '[fees]\nscheme = "scheme.jinka"\n[[line]]\ncode = "fee"\ntitle_en = "Fee"\ntitle_zh = "费"\n'
        'payers = "operator"\npayees = "scheme"\nper = "record"\nrate = "1%"\nfloor_minor = 1\n',
        "paths": "".join(f'[[line]]\nline = "{line}"\nowner = "op.rails"\n' for line in lines),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    jinka_here("window", "open", tmp_path, "--at", "2018-09-03T09:00")
    for _ in range(2):
        jinka_here("window", "take", tmp_path, tiny, "--at", "2018-09-03T10:00")
    jinka_here("window", "close", tmp_path, "--early")
    jinka_here("window", "hold", tmp_path)
    settled = json.loads(jinka_here("window", "settle", tmp_path, "--json").stdout)
    assert settled["state"] == "settled"
    assert sum(settled["positions"].values()) == 0
    debits = [row for row in rows if row["outcome"] == "PAID" and not row["counter_kind"]]
    fee = sum(max((row["amount"] + 50) // 100, 1) for row in debits)
    assert settled["positions"]["scheme.jinka"] == fee
    metro = sum(row["amount"] + row["subsidy"] for row in debits if row["stop"])
    assert 0 < metro - settled["positions"]["op.rails"] <= fee
