"""A dispute of each kind, from the complaint to its posting, as an officer runs it.

Method: a cleared day and a switch's journal put together by hand; the commands in this process. After each story the
suspense is empty, the books balance, and the accounts say who has the money.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jinka.app.audit import examine
from jinka.settlement import (
    AccountCode,
    BooksWithoutDisputes,
    prove_settlement,
    purse_liability,
    trial_balance,
)
from jinka.store import SqlLedger, SqlLoads, database_at
from tests.card.rig import Pull
from tests.issuer.host_rig import vault
from tests.journeys.dispute_case import (
    AGENT,
    DATE,
    FARE,
    FIRST,
    GOVERNMENT,
    ISSUER,
    LOAD,
    LOAD_LOST,
    LOST,
    OPENING,
    OPERATOR,
    SCHEME,
    TORN,
    TORN_SERVED,
    Officer,
    card,
    make_day,
    run,
    write_outcomes,
)
from tests.journeys.load_world import World

_OF_FARES = {"wrong-fare": "P05", "lost-exit": "P04"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_day(tmp_path_factory.mktemp("made") / "day")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    copied = shutil.copytree(made, tmp_path / "day")
    yield copied
    run("settle", copied, "--on", "2019-10-01")
    assert json.loads(run("settle", copied, "--on", "2019-10-01", "--json").stdout) == []
    with database_at(copied / "centre" / "centre.db") as database:
        ledger = SqlLedger(database)
        assert trial_balance(ledger).balances
        assert prove_settlement(ledger).holds, (
            "everybody has what is his, and the holders' money is all there"
        )
        before = BooksWithoutDisputes(ledger)
        assert trial_balance(before).debits == purse_liability(before) == 7 * OPENING


@pytest.fixture
def officer(folder: Path, tmp_path: Path) -> Officer:
    return Officer(folder, tmp_path)


def test_a_torn_tap_that_the_card_shows_is_paid_to_the_operator(officer: Officer) -> None:
    officer.open("torn-tap", "--record", TORN_SERVED, who=OPERATOR, reason="P01")
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING, "held, not taken"
    assert officer.step("show-debited", ISSUER, "card-reading")["state"] == "operator-paid"
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == 380
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING - 380


def test_a_torn_tap_without_passage_is_refunded(officer: Officer) -> None:
    officer.open("torn-tap", "--record", TORN, who=ISSUER, reason="P02")
    officer.step("show-unserved", ISSUER, "card-reading", "statement")
    assert officer.step("pay-out", ISSUER, "payment", on="2019-09-04")["state"] == "refunded", (
        "it waits for its owner"
    )
    assert officer.worth(AccountCode.CUSTOMER_FUNDS, ISSUER) == -7 * OPENING + 350
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == 0


def test_a_torn_tap_that_the_clearing_decides_is_left_to_it(officer: Officer) -> None:
    officer.open("torn-tap", "--record", TORN, who=ISSUER, reason="P01")
    assert "has not decided" in officer.step("settle", "clearing", code=4)["error"]
    write_outcomes(officer.folder, r1="PAID")
    assert officer.step("settle", "clearing")["state"] == "cleared"
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING


def test_a_load_that_is_not_on_the_card_is_given_back_by_the_agent(officer: Officer) -> None:
    officer.open(
        "unconfirmed-load", "--record", LOAD_LOST, *officer.papers("receipt"), who=ISSUER, reason="P03"
    )
    officer.step("show-not-credited", ISSUER, "card-reading")
    officer.step("pay-out", ISSUER, "payment")
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, AGENT) == -3_000
    assert officer.worth(AccountCode.CUSTOMER_FUNDS, ISSUER) == -7 * OPENING + 3_000


def test_a_load_that_is_on_the_card_is_claimed_from_the_agent(officer: Officer) -> None:
    officer.open("unconfirmed-load", "--record", LOAD, *officer.papers("receipt"), who=ISSUER, reason="P03")
    assert officer.step("show-credited", ISSUER, "card-reading")["state"] == "load-confirmed"
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, AGENT) == -5_000
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING + 5_000


@pytest.mark.parametrize(
    "pull",
    [Pull(command="money", write=-1), Pull(command="money", write=None)],
    ids=["not credited", "credited"],
)
def test_a_load_is_decided_by_the_card_at_the_issuer_s_host(
    officer: Officer, tmp_path: Path, pull: Pull
) -> None:
    with database_at(tmp_path / "issuer.db") as database:
        world = World(books=SqlLoads(database, vault()))
        record = world.load(1_000, pull)
        assert record is not None
        row = {name: getattr(record, name) for name in record.__slots__}
        row |= {"record_id": 50, "outcome": "UNCONFIRMED", "reason": "UNRESOLVED", "issuer": ISSUER, "operator": AGENT,
                "business_date": DATE}  # fmt: skip
        write_outcomes(officer.folder, row)
        (tmp_path / "issuer.toml").write_text(
            '[issuer]\nname = "i"\nacquirers = []\n[peer]\n[names]\npin = "p"\ncard_value = "c"\n[keys]\n[policy]\n'
        )
        asked = ["--issuer", tmp_path / "issuer.toml"]
        officer.open("unconfirmed-load", "--record", 50, *officer.papers("receipt"), who=ISSUER, reason="P03")
        refused = officer.step("show-not-credited", ISSUER, more=asked, code=4)["error"]
        assert "the host says authorised (present the card: it decides)" in refused
        world.come_back(record)
        credited = world.credited() > 0
        words = ["show-not-credited", "show-credited"]
        assert "the host says" in officer.step(words[not credited], ISSUER, more=asked, code=4)["error"]
        done = officer.step(words[credited], ISSUER, more=asked)
    assert done["state"] == ("load-confirmed" if credited else "refund-due")
    assert done["deeds"][-1]["evidence"][0]["name"] == "host.json"
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, AGENT) == -1_000, "claimed, or to be given back"
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING + 1_000 * credited


def test_a_lost_exit_is_charged_by_the_journey_that_is_proven(officer: Officer) -> None:
    words = ["--record", LOST, "--gross", 400, "--product", "metro.ordinary"]
    opened = officer.open("lost-exit", *words, who=ISSUER, reason="P04")
    assert opened["claimed_fen"] == 4_750 - 380
    officer.step("prove", ISSUER, "journey", amount=4_000)
    officer.step("contest", OPERATOR, "terminal-log")
    officer.step("uphold", SCHEME, "ruling", amount=3_000)
    assert officer.step("credit-card", ISSUER, "card-reading")["state"] == "card-credited"
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == -3_000
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, ISSUER) == 3_000, (
        "for the load that it will be claimed for"
    )


def test_without_a_proof_the_maximum_fare_stands(officer: Officer) -> None:
    officer.open(
        "lost-exit", "--record", LOST, "--gross", 400, "--product", "metro.ordinary", who=ISSUER, reason="P04"
    )
    assert officer.deadlines("2018-09-30")["state"] == "rejected"
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == 0


def test_a_wrong_fare_comes_back_and_its_subsidy_goes_to_the_operator(officer: Officer) -> None:
    words = ["--record", FARE, "--gross", 400, "--product", "half", *officer.papers("statement")]
    opened = officer.open("wrong-fare", *words, who=ISSUER, reason="P05")
    assert opened["claimed_fen"] == 200
    assert officer.deadlines("2018-10-01")["state"] == "refund-due", "an operator's silence is agreement"
    assert officer.worth(AccountCode.GOVERNMENT_RECEIVABLE, GOVERNMENT) == -200
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == 0, "200 back, 200 of subsidy"
    officer.step("credit-card", ISSUER, "card-reading", on="2018-10-02")
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, ISSUER) == 200
    for kind in ("wrong-fare", "lost-exit"):  # half of 4.00 was too much, and that was given back
        again = officer.open(kind, *words, "--reference", "2", who=ISSUER, reason=_OF_FARES[kind], code=4)
        assert "nothing is left" in again["error"]


def test_a_fare_has_one_complaint_at_a_time(officer: Officer) -> None:
    words = ["--record", FARE, "--gross", 400, "--product", "half", *officer.papers("statement")]
    officer.open("wrong-fare", *words, who=ISSUER, reason="P05")
    first, second = officer.id, [*words, "--reference", "2"]
    assert "nothing is left" in officer.open("wrong-fare", *second, who=ISSUER, reason="P05", code=4)["error"]
    officer.id = first
    officer.step("withdraw", ISSUER)
    assert officer.open("wrong-fare", *second, who=ISSUER, reason="P05")["claimed_fen"] == 200


def test_a_fare_needs_a_right_to_its_product_and_something_to_return(officer: Officer) -> None:
    papers = officer.papers("statement")
    for record, gross, product, what in (
        (LOST, 400, "half", "no right"), (FARE, 400, "full", "nothing is to return"), (FARE, 9_999, "full", "no full"),
        (TORN, 400, "full", "is UNCONFIRMED"),
    ):  # fmt: skip
        words = ["--record", record, "--gross", gross, "--product", product, *papers]
        assert what in officer.open("wrong-fare", *words, who=ISSUER, reason="P05", code=4)["error"]


def test_a_dead_card_waits_for_late_records_and_its_balance_is_refunded(officer: Officer) -> None:
    number = card(7).hex()
    opened = officer.open(
        "dead-card", "--card", number, *officer.papers("inspection"), who=ISSUER, reason="P09"
    )
    assert opened["claimed_fen"] == OPENING - 2_500
    assert number not in json.dumps(opened)
    assert "not possible when waiting" in officer.step("determine", ISSUER, code=4)["error"]
    assert officer.deadlines("2018-09-14")["state"] == "waited"
    due = officer.step("determine", ISSUER, on="2018-09-14")
    assert due["deeds"][-1]["evidence"][0]["name"] == "balance.json"
    assert officer.step("credit-card", ISSUER, "card-reading", on="2018-09-17")["returned_fen"] == 7_500
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING - 7_500
    assert officer.worth(AccountCode.LOAD_RECEIVABLE, ISSUER) == 7_500
    again = ["--card", number, *officer.papers("inspection"), "--reference", "2"]
    assert "nothing is left" in officer.open("dead-card", *again, who=ISSUER, reason="P09", code=4)["error"]


def test_a_late_record_lowers_what_a_dead_card_gives_back(officer: Officer) -> None:
    officer.open(
        "dead-card", "--card", card(7).hex(), *officer.papers("inspection"), who=ISSUER, reason="P09"
    )
    late = {"record_id": 60, "txn_type": 9, "amount": 7_400, "gross_fare": 7_400, "product": "full",
            "outcome": "PAID", "reason": "ACCEPTED", "card_no": card(7), "operator": OPERATOR,
            "terminal_serial": 60}  # fmt: skip
    write_outcomes(officer.folder, late)
    officer.deadlines("2018-09-14")
    assert "7400 of 100" in officer.step("determine", ISSUER, on="2018-09-14", amount=7_400, code=4)["error"]
    assert officer.step("determine", ISSUER, on="2018-09-14")["held_fen"] == 100
    officer.step("pay-out", ISSUER, "payment", on="2018-09-14")
    log = officer.folder / "centre" / "audit-disputes.jsonl"
    assert examine(log).report.sound
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(each["act"], each["outcome"]) for each in entries if each["act"].startswith("dispute.")]
    assert told == [
        ("dispute.report", "ok"), ("dispute.deadline", "ok"), ("dispute.determine", "refused"),
        ("dispute.determine", "ok"), ("dispute.pay-out", "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize(("shown", "left"), [("show-debited", 350), ("show-not-debited", 0), ("", 350)])
def test_a_dead_card_gives_back_no_tap_that_was_paid_or_refunded_otherwise(
    officer: Officer, shown: str, left: int
) -> None:
    if shown:
        officer.open("torn-tap", "--record", TORN, who=ISSUER, reason="P01")
        officer.step(shown, ISSUER, "card-reading")
    words = ["--card", card(1).hex(), *officer.papers("inspection")]
    assert officer.open("dead-card", *words, who=ISSUER, reason="P09")["claimed_fen"] == OPENING - left
    officer.step("withdraw", ISSUER)


@pytest.mark.parametrize(("shown", "more"), [("show-credited", 5_000), ("show-not-credited", 0)])
def test_a_dead_card_gives_back_a_load_that_it_showed(officer: Officer, shown: str, more: int) -> None:
    officer.open("unconfirmed-load", "--record", LOAD, *officer.papers("receipt"), who=ISSUER, reason="P03")
    officer.step(shown, ISSUER, "card-reading")
    words = ["--card", card(3).hex(), *officer.papers("inspection")]
    assert officer.open("dead-card", *words, who=ISSUER, reason="P09")["claimed_fen"] == OPENING + more
    officer.step("withdraw", ISSUER)


def test_what_does_not_fit_is_found(officer: Officer) -> None:
    officer.open("torn-tap", "--record", TORN, who=ISSUER, reason="P02")
    officer.step("show-debited", ISSUER, "card-reading")
    assert "operator paid" in run("list", officer.folder).stdout
    write_outcomes(officer.folder, r1="PAID")
    for paper in (officer.folder / "centre" / "evidence").iterdir():
        paper.write_text("forged")
    shown = json.loads(run("list", officer.folder, "--json", code=6).stdout)
    assert [each["code"] for each in shown["findings"]] == ["EVIDENCE_LOST", "PAID_BY_CLEARING_TOO"]
    run("show", officer.folder, officer.id, code=6)


def test_what_is_shown_in_chinese_and_what_is_asked_wrongly(officer: Officer) -> None:
    officer.open("torn-tap", "--record", TORN, "--note", "card 6228480402564890018", who=ISSUER, reason="P02")
    shown = run("show", officer.folder, officer.id, "--lang", "zh").stdout
    assert "断卡交易" in shown
    assert "预留 PURSE_LIABILITY" in shown
    assert "6228480402564890018" not in shown
    assert "断卡交易" in run("list", officer.folder, "--open", "--lang", "zh").stdout
    for words, code in (
        (("show", officer.folder, "ffff"), 3), (("show", officer.folder / "none", "ffff"), 3),
        (("step", officer.folder, officer.id, "sue", "--as", ISSUER, "--on", FIRST), 2),
        (("step", officer.folder, officer.id, "represent", "--as", ISSUER, "--on", FIRST), 2),
        (("open", officer.folder, "quarrel", "--reason", "P01", "--as", ISSUER, "--on", FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "B01", "--record", TORN, "--as", ISSUER, "--on", FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "P01", "--as", ISSUER, "--on", FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "P01", "--record", 99, "--as", ISSUER, "--on", FIRST), 3),
        (("open", officer.folder, "inquiry", "--reason", "B01", "--as", ISSUER, "--on", FIRST), 2),
        (("open", officer.folder, "dead-card", "--reason", "P09", "--card", "x", "--as", ISSUER, "--on", FIRST), 2),
        (("deadlines", officer.folder, "--on", "soon"), 2),
        (("open", officer.folder / "none", "torn-tap", "--reason", "P01", "--as", ISSUER, "--on", FIRST), 3),
    ):  # fmt: skip
        run(*words, code=code)
    bad = officer.step("show-debited", ISSUER, "love-letter", code=2)["error"]
    assert "no such evidence" in bad
    for paper, code in (("/dev/zero", 2), (officer.folder, 2), (officer.folder / "none.txt", 3)):
        officer.paper = Path(paper)
        officer.step("show-debited", ISSUER, "card-reading", code=code)
    empty = officer.folder / "empty.txt"
    empty.write_text("")
    officer.paper = empty
    assert not (officer.folder / "none").exists()
    assert "is empty" in officer.step("show-debited", ISSUER, "card-reading", code=4)["error"]
