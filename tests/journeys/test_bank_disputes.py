"""A dispute of each kind between two banks, from the complaint to its posting, as their officers run it.

Method: a switch's journal put together by hand; the commands in this process. Issuer, acquirer and scheme
together always have what they had.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from jinka.settlement import AccountCode
from tests.journeys.dispute_case import SCHEME, Officer, make_switch, run

ACQUIRING, ISSUING = "bank.acq", "bank.iss"


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


def test_what_is_open_between_the_banks_is_settled_once(banker: Officer, bought: list[object]) -> None:
    banker.open("chargeback", *bought, *banker.papers("statement"), who=ISSUING, reason="B02")
    first = json.loads(run("settle", banker.folder, "--on", "2018-09-05", "--json").stdout)
    assert [(each["debtor"], each["creditor"], each["amount_fen"]) for each in first] == [
        (ACQUIRING, f"{SCHEME}.float", 80_000)
    ], "what is held lies with the scheme"
    banker.step("accept", ACQUIRING)
    shown = run("settle", banker.folder, "--on", "2018-09-05", "--lang", "zh").stdout
    assert ISSUING in shown
    assert "800.00" in shown
    assert banks(banker) == (0, 0, 0)
    assert banker.worth(AccountCode.CUSTOMER_FUNDS, SCHEME) == 0
    assert run("settle", banker.folder, "--on", "2018-09-06").stdout == ""
