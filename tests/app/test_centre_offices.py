"""Reconciliation, disputes and the float on a centre's folder. Goal: the offices work there as on a city's day.

Method: two days of two cities in one process; then the commands in this process on one city's folder, on its parent's,
and beside a process that holds the folder as `jinka centre up` does.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from jinka.app.centre_config import DATABASE
from jinka.app.centre_proof import CityProof
from jinka.app.settle_file import read_settle_file
from jinka.cli.main import app
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_private import new_signer
from jinka.node import FolderLock
from jinka.node.system import SystemRandomness
from jinka.settlement import BooksWithoutDisputes, prove_settlement
from jinka.settlement.float_acts import BooksWithoutFloat
from jinka.store import SqlLedger, database_at
from tests.app.centre_rig import DATE, NEXT, TWO, Federation, centre_folder, federation, services, travel

CITY, OTHER = (city.code for city in TWO)
RANDOM = SystemRandomness()


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    keys = services(TWO)
    with federation(tmp_path_factory.mktemp("offices"), keys, travel(keys, TWO, riders=6)) as made:
        for code in made.days:
            proof = CityProof(
                folder=made.root / code,
                centre=code,
                signer=new_signer(KeyKind.ECDSA, RANDOM),
                randomness=RANDOM,
            )
            made.centres[code] = dataclasses.replace(made.centres[code], proof=proof)
        for date in (DATE, NEXT):
            made.close(date, empty=date == NEXT)
            made.run()
        yield made


@pytest.fixture
def city(fed: Federation, tmp_path: Path) -> Path:
    return centre_folder(fed, CITY, tmp_path / CITY)


def run(*words: object, code: int = 0) -> Any:
    done: Result = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if "--json" in words and code in (0, 6) else done


def _statement(folder: Path, lines: list[tuple[str, int]]) -> Path:
    """The bank's word on the folder's account: right in itself, in the evening of the last day."""
    settings = read_settle_file(folder / "settle.toml")
    account, moved = settings.book.party(settings.funds).account, sum(amount for _, amount in lines)
    entries = "".join(
        f"""<Ntry><Amt Ccy="CNY">{abs(amount) // 100}.{abs(amount) % 100:02d}</Amt>
        <CdtDbtInd>{"CRDT" if amount > 0 else "DBIT"}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>{NEXT}</Dt></BookgDt><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>
        </TxDtls></NtryDtls></Ntry>"""
        for reference, amount in lines
    )
    balances = "".join(
        f"""<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{value // 100}.{value % 100:02d}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2018-09-10</Dt></Dt></Bal>"""
        for kind, value in (("OPBD", 10**9), ("CLBD", 10**9 + moved))
    )
    path = folder.parent / "statement.xml"
    path.write_text(
        f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>
        <CreDtTm>2018-09-10T20:00:00Z</CreDtTm></GrpHdr><Stmt><Id>1</Id><ElctrncSeqNb>1</ElctrncSeqNb><Acct><Id><Othr>
        <Id>{account}</Id></Othr></Id></Acct>{balances}{entries}</Stmt></BkToCstmrStmt></Document>"""
    )
    return path


def _lines(fed: Federation, code: str, folder: Path) -> list[tuple[str, int]]:
    """What a bank shows when everybody paid: this centre its orders, its neighbours theirs."""
    funds = read_settle_file(folder / "settle.toml").funds
    rows = [
        row
        for date in (DATE, NEXT)
        for kind in ("orders", "expected")
        for row in fed.settled(code, date)[kind]
    ]
    return [(row["reference"], row["amount"] if row["creditor"] == funds else -row["amount"]) for row in rows]


@pytest.mark.parametrize("code", [CITY, OTHER, "44", "00"])
def test_a_centres_bank_is_held_against_what_is_ordered_and_what_is_expected(
    code: str, fed: Federation, tmp_path: Path
) -> None:
    """A neighbour pays a fen less, another payment is not there, and a stranger's is; then everything agrees."""
    folder = centre_folder(fed, code, tmp_path / code)
    lines = _lines(fed, code, folder)
    assert any(
        row["account"] == "CENTRE_DUE" for kind in ("orders", "expected") for row in fed.settled(code)[kind]
    )
    (reference, amount), *others = lines
    wrong = [(reference, amount - 1 if amount > 1 else amount - 2), *others[1:], ("stranger", 5)]
    broken = run("settle", "reconcile", folder, _statement(folder, wrong), "--json", code=6)
    kinds = {each["kind"] for each in broken["breaks"]}
    assert {"AMOUNT_DIFFERS", "UNKNOWN_REFERENCE"} <= kinds
    assert ("NO_LINE" in kinds) is bool(others)
    found = run("settle", "reconcile", folder, _statement(folder, lines), "--post", "--json")
    assert [row["state"] for row in found["orders"]] == ["settled"] * len(lines)
    assert found["moved_minor"] == found["matched_minor"] == sum(amount for _, amount in lines)
    run("settle", "reconcile", folder, _statement(folder, lines), "--round", "2018-09-09", code=3)


def _records(folder: Path, *, crossing: bool) -> list[dict[str, Any]]:
    """Paid purchases of this city alone, or those of which one end is elsewhere; the dearest first."""
    rows = pq.read_table(folder / "outcomes" / str(DATE)).to_pylist()
    return sorted(
        (
            row
            for row in rows
            if row["outcome"] == "PAID" and row["txn_type"] in (6, 9)
            if (f"issuer.{CITY}" != row["issuer"] or f"op.{CITY}." not in row["operator"]) is crossing
        ),
        key=lambda row: -row["amount"],
    )


def test_a_wrong_fare_is_disputed_in_a_citys_centre_and_the_next_round_still_holds(
    fed: Federation, city: Path
) -> None:
    row = _records(city, crossing=False)[0]
    issuer, who = f"issuer.{CITY}", row["operator"]
    (city / "letter.pdf").write_bytes(b"what happened")
    about = ("--record", row["record_id"], "--gross", 200, "--product", "full", "--reason", "P08")
    asked = (
        city,
        "wrong-fare",
        *about,
        "--as",
        issuer,
        "--on",
        NEXT,
        "--evidence",
        f"statement={city / 'letter.pdf'}",
    )
    with FolderLock(city):  # the centre is up
        opened = run("dispute", "open", *asked, "--json")
        run("dispute", "step", city, opened["id"], "agree", "--as", who, "--on", NEXT)
        assert run("dispute", "list", city, "--json")
    assert list((city / "evidence").iterdir())
    with database_at(city / DATABASE) as database:
        ledger = SqlLedger(database)
        own = BooksWithoutFloat(BooksWithoutDisputes(ledger), ledger)
        assert prove_settlement(own).holds
        assert not prove_settlement(ledger).holds, "the disputed fare is held"
    assert _records(city, crossing=True)
    for odd in _records(city, crossing=True)[:3]:
        about = ("--record", odd["record_id"], *about[2:])
        done = run("dispute", "open", city, "wrong-fare", *about, "--as", issuer, "--on", NEXT, code=4)
        assert "crosses centres" in done.stderr


def test_the_float_of_a_citys_centre_is_proven_from_its_rounds(city: Path) -> None:
    """The shadows of its cards, abroad too, add up to the liability that its rounds left; taken once."""
    first = run("float", "take", city, "--json")
    assert first["date"] == str(NEXT)
    again = run("float", "take", city, "--json")
    assert again["new"] is False
    [row] = run("float", "prove", city, "--json")["issuers"]
    assert row["issuer"] == f"issuer.{CITY}"
    assert row["cards"] == 6
    parts = (row[f"{name}_fen"] for name in ("shown", "transit", "suspense", "unexplained"))
    assert sum(parts) == row["liability_fen"]
    assert row["unexplained_fen"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("dispute", "deadlines"), ("float", "write-off", "--actor", "li"), ("float", "sleep", "--actor", "li"),
        ("float", "refund", "ask", "dead", "--card", "1", "--actor", "li"),
        ("dispute", "open", "dead-card", "--card", "1", "--reason", "P09", "--as", "x"),
    ],
)  # fmt: skip
def test_nobody_acts_on_a_day_that_has_not_come(city: Path, words: tuple[str, ...]) -> None:
    """Else whoever names a far day lets the others' deadlines pass, and waits for nothing."""
    run("float", "take", city)
    place = 3 if "refund" in words else 2
    done = run(*words[:place], city, *words[place:], "--on", "2199-01-01", code=4)
    assert "has not come" in done.stderr


def test_a_province_has_books_and_no_cards(fed: Federation, tmp_path: Path) -> None:
    folder = centre_folder(fed, "44", tmp_path / "44")
    assert "no cards" in run("float", "take", folder, code=2).stderr
    asked = ("--record", 1, "--gross", 1, "--product", "x", "--reason", "P08", "--as", "x", "--on", NEXT)
    run("dispute", "open", folder, "wrong-fare", *asked, code=3)
