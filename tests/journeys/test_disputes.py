"""A dispute of each kind, from the complaint to its posting, as an officer runs it.

Method: a cleared day and a switch's journal put together by hand; the commands in this process. After each story the
suspense is empty, the books balance, and the accounts say who has the money.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.dispute import app
from jinka.settlement import AccountCode, AccountName, prove_settlement, trial_balance
from jinka.store import SqlLedger, database_at
from tests.journeys.dispute_case import (
    AGENT,
    FARE,
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
    card,
    make_day,
    make_switch,
    write_outcomes,
)

ACQUIRING, ISSUING = "bank.acq", "bank.iss"
_FIRST = "2018-09-04"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_day(tmp_path_factory.mktemp("made") / "day")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    copied = shutil.copytree(made, tmp_path / "day")
    yield copied
    with database_at(copied / "centre" / "centre.db") as database:
        ledger = SqlLedger(database)
        assert trial_balance(ledger).balances
        proof = prove_settlement(ledger)
        assert proof.funds - proof.liability == _open(ledger), "who has been paid too much owes it"


def _open(ledger: SqlLedger) -> int:
    """What participants are owed, all of them together; the money behind the purses is that much beyond them."""
    own = (AccountCode.CUSTOMER_FUNDS, AccountCode.PURSE_LIABILITY, AccountCode.DISPUTE)
    accounts = [account.id for account in ledger.accounts() if account.code not in own]
    return sum(b.credits_posted - b.debits_posted for b in ledger.balances(accounts).values())


def run(*words: object, code: int = 0) -> Result:
    """One command; of its group alone, which is built faster than the whole tree."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, f"exit code {done.exit_code}: {done.stderr[-2000:]}"
    return done


class Officer:
    """Runs the commands on one dispute."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        self.folder, self.paper = folder, tmp_path / "paper.txt"
        self.paper.write_text("signed")
        self.id = ""

    def open(self, kind: str, *words: object, who: str, reason: str, code: int = 0) -> dict[str, Any]:
        shown = self._run(
            "open", self.folder, kind, *words, "--as", who, "--reason", reason, on=_FIRST, code=code
        )
        self.id = shown.get("id", "")
        return shown

    def step(
        self, event: str, who: str, *papers: str, on: str = _FIRST, amount: int = 0, code: int = 0
    ) -> dict[str, Any]:
        words = [word for kind in papers for word in ("--evidence", f"{kind}={self.paper}")]
        return self._run(
            "step", self.folder, self.id[:8], event, "--as", who, *words, "--amount", amount, on=on, code=code
        )

    def deadlines(self, on: str) -> dict[str, Any]:
        run("deadlines", self.folder, "--on", on)
        return json.loads(run("show", self.folder, self.id, "--json").stdout)

    def papers(self, *kinds: str) -> list[str]:
        return [word for kind in kinds for word in ("--evidence", f"{kind}={self.paper}")]

    def worth(self, code: AccountCode, owner: str) -> int:
        name = "disputes.db" if not (self.folder / "day.json").exists() else "centre/centre.db"
        account = AccountName(code=code, owner=owner).id
        with database_at(self.folder / name) as database:
            found = SqlLedger(database).balances([account]).get(account)
        return found.credits_posted - found.debits_posted if found else 0

    def _run(self, *words: object, on: str, code: int) -> dict[str, Any]:
        done = run(*words, "--on", on, "--json", code=code)
        return json.loads(done.stdout) if code == 0 else {"error": done.stderr}


@pytest.fixture
def officer(folder: Path, tmp_path: Path) -> Officer:
    return Officer(folder, tmp_path)


@pytest.fixture
def banker(tmp_path: Path, empty_sqlite: Path) -> Officer:
    """With a folder of its own: the disputes of bank cards."""
    (tmp_path / "bank").mkdir()
    shutil.copy(empty_sqlite, tmp_path / "bank" / "disputes.db")
    return Officer(tmp_path / "bank", tmp_path)


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The words that name a purchase of 800.00 by its trace number."""
    file = make_switch(tmp_path_factory.mktemp("switched") / "switch", {1: 80_000, 2: 500})
    return ["--switch", file, "--date", "2018-09-03", "--trace", "000001", "--scheme", SCHEME]


def banks(banker: Officer) -> tuple[int, int, int]:
    """(issuer, acquirer, scheme), which add up to nothing."""
    found = (
        banker.worth(AccountCode.MEMBER, ISSUING), banker.worth(AccountCode.MEMBER, ACQUIRING),
        banker.worth(AccountCode.FEE_PAYABLE, SCHEME),
    )  # fmt: skip
    assert sum(found) == 0
    return found


def test_an_inquiry_whose_answer_is_a_credit_adjustment(banker: Officer, bought: list[object]) -> None:
    assert banker.open("inquiry", *bought, who=ISSUING, reason="B07")["due"] == "2018-09-11"
    banker.step("reply", ACQUIRING, "letter", on="2018-09-11")
    done = banker.step("adjust", ACQUIRING, on="2018-09-12", amount=300)
    assert (done["state"], done["returned_fen"]) == ("adjusted", 300)
    assert banks(banker) == (300, -300, 0)


def test_a_retrieval_that_nobody_answers_is_charged_back_for_good(
    banker: Officer, bought: list[object]
) -> None:
    banker.open("retrieval", *bought, who=ISSUING, reason="B12")
    assert banker.deadlines("2018-10-08")["state"] == "requested", "seven free days in October"
    assert banker.deadlines("2018-10-09")["state"] == "unfulfilled"
    done = banker.step("charge-back", ISSUING, "statement", on="2018-10-09")
    assert (done["state"], done["ended"]) == ("upheld", True)
    assert banks(banker) == (80_000, -80_000, 0)


def test_a_chargeback_presented_again_in_part_charged_back_again_and_ruled_upon(
    banker: Officer, bought: list[object]
) -> None:
    banker.open("chargeback", *bought, "--credit", *banker.papers("statement"), who=ISSUING, reason="B05")
    assert banks_held(banker) == (0, -80_000)
    banker.step("represent", ACQUIRING, "receipt", amount=60_000)
    banker.step("charge-back-again", ISSUING, "statement", "letter")
    banker.step("arbitrate", ACQUIRING, "letter")
    assert "may not uphold" in banker.step("uphold", ISSUING, "ruling", code=4)["error"]
    done = banker.step("uphold", SCHEME, "ruling", amount=10_000)
    assert (done["state"], done["returned_fen"], done["held_fen"]) == ("upheld", 30_000, 0)
    assert banks(banker) == (30_000, -80_000, 50_000)


def banks_held(banker: Officer) -> tuple[int, int]:
    return banker.worth(AccountCode.MEMBER, ISSUING), banker.worth(AccountCode.MEMBER, ACQUIRING)


def test_a_debit_card_is_not_charged_back_twice(banker: Officer, bought: list[object]) -> None:
    banker.open("chargeback", *bought, *banker.papers("statement"), who=ISSUING, reason="B02")
    banker.step("represent", ACQUIRING, "receipt")
    refused = banker.step("charge-back-again", ISSUING, "statement", "letter", code=4)["error"]
    assert "only a credit card" in refused
    assert banker.deadlines("2018-12-01")["state"] == "rejected"
    assert banks(banker) == (0, 0, 0)


def test_an_adjustment_and_what_is_left_of_the_original(banker: Officer, bought: list[object]) -> None:
    banker.open("adjustment", *bought, "--amount", 79_000, who=ACQUIRING, reason="B14")
    assert banks(banker) == (79_000, -79_000, 0)
    again = [*bought, "--reference", "2", *banker.papers("statement")]
    refused = banker.open("chargeback", *again, who=ISSUING, reason="B02", code=4)["error"]
    assert "80000 of 80000, of which 79000" in refused
    banker.open("chargeback", *again, "--amount", 1_000, who=ISSUING, reason="B02")


def test_only_the_issuer_inquires(banker: Officer, bought: list[object]) -> None:
    for who in (ACQUIRING, SCHEME, "nobody"):
        assert "may not inquire" in banker.open("inquiry", *bought, who=who, reason="B01", code=4)["error"]


def test_an_exception_that_is_refused_goes_to_arbitration_and_is_lost(
    banker: Officer, bought: list[object]
) -> None:
    banker.open("exception", *bought, who=ISSUING, reason="B09")
    banker.step("refuse", ACQUIRING, "letter")
    banker.step("arbitrate", ISSUING, "letter")
    assert banks_held(banker) == (0, -80_000)
    assert banker.step("reject", SCHEME, "ruling")["state"] == "rejected"
    assert banks(banker) == (-50_000, 0, 50_000)


def test_a_transaction_that_the_switch_does_not_know_is_not_disputed(
    banker: Officer, bought: list[object]
) -> None:
    for trace in ("000900", "000777"):
        words = [trace if word == "000001" else word for word in bought]
        assert (
            "no approved debit" in banker.open("inquiry", *words, who=ISSUING, reason="B01", code=3)["error"]
        )


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


def test_a_lost_exit_is_charged_by_the_journey_that_is_proven(officer: Officer) -> None:
    words = ["--record", LOST, "--gross", 400, "--product", "metro.ordinary"]
    opened = officer.open("lost-exit", *words, who=ISSUER, reason="P04")
    assert opened["claimed_fen"] == 4_750 - 380
    officer.step("prove", ISSUER, "journey", amount=4_000)
    officer.step("contest", OPERATOR, "terminal-log")
    officer.step("uphold", SCHEME, "ruling", amount=3_000)
    assert officer.step("credit-card", ISSUER, "card-reading")["state"] == "card-credited"
    assert officer.worth(AccountCode.OPERATOR_PAYABLE, OPERATOR) == -3_000
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING + 3_000


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
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING + 200


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
    assert officer.worth(AccountCode.PURSE_LIABILITY, ISSUER) == 7 * OPENING
    again = ["--card", number, *officer.papers("inspection"), "--reference", "2"]
    assert "nothing is left" in officer.open("dead-card", *again, who=ISSUER, reason="P09", code=4)["error"]


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
        (("step", officer.folder, officer.id, "sue", "--as", ISSUER, "--on", _FIRST), 2),
        (("step", officer.folder, officer.id, "represent", "--as", ISSUER, "--on", _FIRST), 2),
        (("open", officer.folder, "quarrel", "--reason", "P01", "--as", ISSUER, "--on", _FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "B01", "--record", TORN, "--as", ISSUER, "--on", _FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "P01", "--as", ISSUER, "--on", _FIRST), 2),
        (("open", officer.folder, "torn-tap", "--reason", "P01", "--record", 99, "--as", ISSUER, "--on", _FIRST), 3),
        (("open", officer.folder, "inquiry", "--reason", "B01", "--as", ISSUER, "--on", _FIRST), 2),
        (("open", officer.folder, "dead-card", "--reason", "P09", "--card", "x", "--as", ISSUER, "--on", _FIRST), 2),
        (("deadlines", officer.folder, "--on", "soon"), 2),
    ):  # fmt: skip
        run(*words, code=code)
    bad = officer.step("show-debited", ISSUER, "love-letter", code=2)["error"]
    assert "no such evidence" in bad
    empty = officer.folder / "empty.txt"
    empty.write_text("")
    officer.paper = empty
    assert "is empty" in officer.step("show-debited", ISSUER, "card-reading", code=4)["error"]
