"""An operator's rules in a city's round. Goal: price list, paths, silence and lists do in the books what they say.

Method: two cities for a day with and without the files; what was paid is computed again from the outcomes; a month of
volumes over two rounds; and the rules asked by themselves.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.centre_config import read_config
from jinka.app.centre_files import RoundFiles
from jinka.app.centre_rules import CentreRules, month_before, read_rules
from jinka.app.centre_window import Windowed, settle_by_window, window_desk
from jinka.clearing import FeeTable, Flow, LineKind
from jinka.clearing.net import PaidGroup, net
from jinka.kit import Usage
from jinka.ledger import MemoryLedger
from jinka.registry import ACKNOWLEDGEMENTS, LISTINGS
from jinka.settlement import BusinessDay, WindowEvent, WindowState, prove_settlement, trial_balance
from jinka.settlement.posting import flow_entry
from jinka.sim.travel import CITIES
from jinka.store import SqlWindows
from tests.app.centre_rig import DATE, Federation, services, travel, upper_config
from tests.settlement.window_case import MemoryWindows

HOME, AWAY = CITIES[0], CITIES[1]
FEES = """
[fees]
scheme = "scheme.jinka"

[[line]]
code = "service"
title_en = "Service fee"
title_zh = "服务费"
payers = "operator"
payees = "scheme"
per = "record"
rate = "3.3%"
floor_minor = 3
cap_minor = 9

[[line]]
code = "volume"
title_en = "Volume fee"
title_zh = "交易量费"
payers = "operator"
payees = "scheme"
per = "month"
rate = "0.1%"
"""
DAY = """
[calendar]
base = "china"
[[schedule]]
code = "daily"
zone = "Asia/Shanghai"
[silence]
days = 3
[lists]
grace_minutes = 60
"""


@pytest.fixture(scope="module")
def round_(tmp_path_factory: pytest.TempPathFactory) -> Federation:
    """One round of two cities, the first with rules of its own."""
    keys = services((HOME, AWAY))
    days = travel(keys, (HOME, AWAY), riders=3)
    made = Federation(tmp_path_factory.mktemp("rules"), keys, days)
    folder = made.root / HOME.code
    for name, text in (("fees", FEES), ("business-day", DAY)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    made.configs[HOME.code] = replace(made.configs[HOME.code], rules=read_rules(folder))
    windows = SqlWindows(made.engines[HOME.code])
    made.centres[HOME.code] = replace(made.centre(HOME.code), windows=windows)
    made.close()
    made.run()
    return made


def flows(fed: Federation, kind: str) -> list[tuple[str, str, int]]:
    noted = RoundFiles(fed.root / HOME.code, DATE).noted("paid")["flows"]
    return [(payer, payee, amount) for each, payer, payee, amount in noted if each == kind]


def paid_rows(fed: Federation) -> list[dict[str, object]]:
    folder = fed.root / HOME.code / "rounds" / str(DATE)
    files = [*folder.glob("home/*.parquet"), *folder.glob("paid-*/*.parquet")]
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    return [row for row in rows if row["outcome"] == "PAID" and not row["counter_kind"]]


def test_the_price_list_is_charged_record_by_record_and_the_month_goes_on(round_: Federation) -> None:
    mine = {row["code"] for row in round_.days[HOME.code].registry.participants.to_pylist()}
    rows = [row for row in paid_rows(round_) if row["operator"] in mine]
    assert rows
    expected = sum(min(max((row["amount"] * 33 + 500) // 1_000, 3), 9) for row in rows)
    noted = RoundFiles(round_.root / HOME.code, DATE).noted("paid")
    volumes = {tuple(payers): volume for _, payers, volume, _ in noted["volumes"]}
    expected += sum((volume + 500) // 1_000 for volume in volumes.values())
    assert sum(amount for _, _, amount in flows(round_, "fee")) == expected
    assert sum(volumes.values()) == sum(row["amount"] for row in rows)
    days = [DATE, DATE + dt.timedelta(days=1)]
    folder = round_.root / HOME.code
    assert month_before(folder, days[1], days) == noted["volumes"]
    assert month_before(folder, dt.date(2018, 10, 1), days) == ()
    rules = round_.configs[HOME.code].rules
    fees = rules.fees_on(days[1], FeeTable(scheme="x"), noted["volumes"])
    assert {key: total[0] for key, total in fees.earlier.items()} == {
        ("volume", p): v for p, v in volumes.items()
    }


def test_a_metro_fare_goes_on_to_the_owner_of_the_lines(round_: Federation, tmp_path: Path) -> None:
    folder = round_.root / HOME.code / "rounds" / str(DATE) / "home"
    table = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])
    rows = [row for row in table.to_pylist() if row["outcome"] == "PAID" and not row["counter_kind"]][:1]
    entry, ride = ({**rows[0], "stop": stop, "line": "1"} for stop in ("A", "B"))
    entry |= {"product": "entry", "amount": 0, "gross_fare": 0, "subsidy": 0, "local_time": b"\x00\x00\x00"}
    pq.write_table(pa.Table.from_pylist([entry, ride], schema=table.schema), tmp_path / "trip.parquet")
    collector, fare = ride["operator"], ride["amount"] + ride["subsidy"]
    (tmp_path / "paths.toml").write_text('[[line]]\nline = "1"\nowner = "op.rails"\n', encoding="utf-8")
    netted = net(
        [
            PaidGroup(
                operator=collector, acquirer="a", issuer="i", product="x", online=False, at_risk=False, payer="",
                count=1, gross=ride["amount"], amount=ride["amount"], subsidy=0,
            )
        ],
        FeeTable(scheme="s", scheme_bp=1_000),
    )  # fmt: skip
    handed_on, findings = read_rules(tmp_path).shared([[tmp_path / "trip.parquet"]], netted)
    assert findings == []
    [total] = netted.operators
    assert total.fees > 0
    assert [(flow.payer, flow.payee, flow.amount) for flow in handed_on] == [
        (collector, "op.rails", fare - total.fees)
    ]


def test_books_and_positions_hold_with_the_rules(round_: Federation) -> None:
    for code in round_.centres:
        settled = round_.settled(code)
        assert settled["trial"]["balances"]
        assert settled["proof"]["holds"], settled["proof"]
        assert ("window" in settled) == (code == HOME.code)
    window = round_.settled(HOME.code)["window"]
    assert (window["window"], window["state"]) == (f"{HOME.code}/daily/1", "settled")
    assert not [p for centre in round_.centres.values() for p in centre.road.problems]


CAPPED = (
    DAY
    + """
[[cap]]
participant = "scheme"
limit_minor = 50
[[cap]]
participant = "gov"
limit_minor = 0
on_breach = "officer"
"""
)


def test_a_round_is_a_window_whose_waiting_claims_go_on_into_the_next(tmp_path: Path) -> None:
    (tmp_path / "business-day.toml").write_text(CAPPED, encoding="utf-8")
    config = replace(upper_config("00", {}), rules=read_rules(tmp_path))
    journal, ledger = MemoryWindows(), MemoryLedger()

    def round_of(day: int, *flows: tuple[str, str, int], halted: frozenset[str] = frozenset()) -> Windowed:
        entries = [flow_entry(Flow(kind=LineKind.FEE, payer=a, payee=b, amount=n)) for a, b, n in flows]
        date = BusinessDay(date=DATE + dt.timedelta(days=day), zone="Asia/Shanghai")
        for _ in range(2):  # a round that is done again changes nothing
            desk = window_desk(journal, ledger, config)
            done = settle_by_window(desk, date, entries, config=config, suspended=halted)
        return done

    first = round_of(0, ("scheme", "bus", 40), ("scheme", "cab", 30))
    assert (first.summary["state"], first.summary["waiting"]) == ("settled", [["scheme", "cab", 30, "cap"]])
    assert [order.amount for order in first.orders] == [40, 40]
    second = round_of(1, ("bus", "scheme", 25), ("gov", "bus", 5))
    assert second.summary["state"] == "pending"
    assert {f.code for f in second.findings} == {"CAP_BREACHED"}
    assert second.orders == []
    third = round_of(2, halted=frozenset({"gov"}))
    assert (third.summary["window"], third.summary["state"]) == ("00/daily/3", "settled")
    assert third.summary["positions"] == {"bus": -25, "cab": 30, "scheme": -5}
    assert third.summary["waiting"] == [["gov", "bus", 5, "suspended"]]
    round_of(3)
    desk = window_desk(journal, ledger, config)
    assert desk.window.state is WindowState.PENDING, "the cap is breached as before, once it takes part again"
    desk.by_officer(
        WindowEvent.APPROVE, at_micros=1, officer="li", reason="budget is voted", participant="gov"
    )
    last = round_of(4)
    assert (last.summary["window"], last.summary["state"]) == ("00/daily/5", "settled")
    trial = trial_balance(ledger)
    assert trial.balances
    assert trial.pending_debits == 0
    assert prove_settlement(ledger).open_minor == 0


def test_rules_by_themselves(tmp_path: Path) -> None:
    none = read_rules(tmp_path)
    assert none == CentreRules()
    assert none.silent_up_to(dt.date(2018, 9, 28), 3) == dt.date(2018, 9, 25).toordinal()
    (tmp_path / "business-day.toml").write_text(DAY, encoding="utf-8")
    rules = read_rules(tmp_path)
    assert rules.silent_up_to(dt.date(2018, 10, 9), 3) == dt.date(2018, 9, 28).toordinal()
    assert rules.losses([]) == []
    (tmp_path / "fees.toml").write_text("[fees]", encoding="utf-8")
    with pytest.raises(Usage, match=r"fees\.scheme"):
        read_rules(tmp_path)
    (tmp_path / "fees.toml").write_bytes(b"\xff")
    with pytest.raises(Usage, match="not UTF-8"):
        read_rules(tmp_path)


def test_a_terminal_without_its_list_has_it_after_the_grace(round_: Federation) -> None:
    registry = round_.days[HOME.code].registry
    card = registry.cards["card_no"][0].as_py()
    listed = replace(
        registry,
        listings=pa.Table.from_pylist(
            [{"list_version": 1, "card_no": card, "effective_from": "20180901000000"}], schema=LISTINGS
        ),
        acknowledgements=ACKNOWLEDGEMENTS.empty_table(),
    )
    supposed, findings = round_.configs[HOME.code].rules.acknowledged(listed)
    assert set(supposed["acknowledged_at"].to_pylist()) == {"20180901010000"}
    assert {finding.code for finding in findings} == {"LIST_DEEMED_TAKEN"}
    assert CentreRules().acknowledged(listed) == (listed.acknowledgements, [])


def test_who_is_waited_for_and_who_was_silent_is_a_finding_of_the_round(tmp_path: Path) -> None:
    days = (DATE, DATE + dt.timedelta(days=1))
    columns = {"record_id": [1, 2, 3, 4], "round": [days[0].toordinal()] * 3 + [days[1].toordinal()]}
    columns |= {
        "issuer": ["i"] * 4,
        "amount": [10, 20, 40, 80],
        "tac": [b"\x01" * 4, b"\x01" * 4, None, b"\x01" * 4],
    }
    sent, heard = pa.table(columns), pa.table({"w_id": pa.array([1], pa.int64())})
    after = days[0] + dt.timedelta(days=3)
    found = CentreRules().silence(sent, heard, after, 3)
    assert [(f.code, f.what[:17]) for f in found] == [
        ("DEEMED_ACCEPTED", "1 records of 0.20"), ("VERDICT_AWAITED", "1 records of 0.80")
    ]  # fmt: skip
    assert found[1].what.endswith(f"due {days[1] + dt.timedelta(days=2)}")
    (tmp_path / "business-day.toml").write_text(DAY, encoding="utf-8")
    by_rule = read_rules(tmp_path).silence(sent, heard, after, 3)
    assert {f.code for f in by_rule} == {"VERDICT_AWAITED"}, "three business days are not over"


def test_the_files_lie_beside_the_centres_own(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text(
        '[centre]\ntier = "nation"\ncode = "00"\nregion = "110000"\nzone = "Asia/Shanghai"\n'
        'first_date = "2018-09-03"\nparticipants = []\n',
        encoding="utf-8",
    )
    assert read_config(tmp_path).rules == CentreRules()
    (tmp_path / "fees.toml").write_text(FEES, encoding="utf-8")
    found = read_config(tmp_path).rules.fees
    assert found is not None
    assert [line.code for line in found.lines] == ["service", "volume"]
