"""`jinka settle`: orders out, answers in, and the exit codes. Goal: a changed report pays nobody; breaks end with 6.

Method: a day's folder put together by hand (two orders), and statements written for it.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from jinka.app.day_facts import DayFacts
from jinka.app.settle_file import read_settle_file
from jinka.cli.main import app
from jinka.kit import Usage, make_id
from jinka.registry import PARTICIPANTS, Registry
from jinka.settlement import (
    AccountCode,
    AccountName,
    BusinessDay,
    SettlementOrder,
    order_of,
    post_settlement,
    prove_settlement,
)
from jinka.store import SqlLedger, database_at, save_registry

DAY = BusinessDay(date=dt.date(2018, 9, 1), zone="Asia/Shanghai")
FLOAT = "issuer.float"
PARTIES = (
    ("issuer", "issuer", "发卡机构"),
    ("op.bus", "operator", "巴士[red]集团"),
    ("acq", "acquirer", "收单机构"),
)


def an_order(code: AccountCode, owner: str, amount: int) -> SettlementOrder:
    reference = make_id("jinka.order", "2018-09-01", 1, owner, int(code)).hex()
    return order_of(DAY, reference=reference, debtor=FLOAT, creditor=owner, amount=amount)


BUS = an_order(AccountCode.OPERATOR_PAYABLE, "op.bus", 123_456)
FEE = an_order(AccountCode.FEE_PAYABLE, "acq", 5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "day"
    for name in ("field", "report", "centre"):
        (folder / name).mkdir(parents=True)
    (folder / "day.json").write_text(json.dumps({"format": 1, "simulated": True}))
    numbers = ("seed", "rows_read", "duplicates_dropped", "cards")
    facts = DayFacts(
        source="", generated=True, region="440300", zone=DAY.zone, first_date="2018-09-01", last_date="2018-09-01",
        inferred={}, findings=[], finding_samples=[], hours=[], counts={}, **dict.fromkeys(numbers, 0),
    )  # fmt: skip
    (folder / "field" / "facts.json").write_text(json.dumps(asdict(facts)))
    rows = [
        {"number": each.reference, "payer": each.debtor, "payee": each.creditor, "amount_fen": each.amount}
        for each in (BUS, FEE)
    ]
    (folder / "report" / "day.json").write_text(json.dumps({"orders": rows}))
    parties = [
        {"code": code, "role": role, "region": "440300", "name_en": code, "name_zh": name}
        for code, role, name in PARTIES
    ]
    tables = {name: schema.empty_table() for name, schema in Registry.SCHEMAS.items()}
    tables["participants"] = pa.Table.from_pylist(parties, schema=PARTICIPANTS)
    with database_at(folder / "centre" / "centre.db") as database:
        save_registry(database, Registry(**tables))
        assert post_settlement(SqlLedger(database), DAY, [BUS, FEE], issuer="issuer")[1] == []
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "day")
    return tmp_path / "day"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["settle", *map(str, words)])


def statement(folder: Path, *entries: tuple[str, int], number: int = 1) -> Path:
    """A statement that shows ``entries`` (reference, minor units signed), right in itself."""
    account = read_settle_file(folder / "settle.toml").book.party(FLOAT).account
    lines, moved = "", 0
    for reference, amount in entries:
        side, moved = "CRDT" if amount > 0 else "DBIT", moved + amount
        lines += f"""<Ntry><Amt Ccy="CNY">{abs(amount) // 100}.{abs(amount) % 100:02d}</Amt>
        <CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2018-09-0{3 if amount < 0 else 4}</Dt></BookgDt>
        <BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"""
    opening = 10_000_000 if number == 1 else 10_000_000 - BUS.amount - FEE.amount
    balances = "".join(
        f"""<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{value // 100}.{value % 100:02d}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2018-09-04</Dt></Dt></Bal>"""
        for kind, value in (("OPBD", opening), ("CLBD", opening + moved))
    )
    path = folder.parent / f"statement-{number}.xml"
    path.write_text(
        f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>
        <CreDtTm>2018-09-04T20:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><Othr><Id>{account}</Id></Othr></Id>
        </Acct>{balances}{lines}</Stmt></BkToCstmrStmt></Document>"""
    )
    return path


def test_orders_are_written_the_same_again(folder: Path) -> None:
    done = run("orders", folder, "--json")
    assert done.exit_code == 0, done.output
    files = json.loads(done.stdout)["files"]
    assert [(each["message"], each["orders"], each["total_minor"]) for each in files] == [
        ("pacs.008.001.10", 1, 123_456),
        ("pacs.009.001.09", 1, 5),
    ]
    ahead = [Path(each["file"]).read_bytes() for each in files]
    assert run("orders", folder, "--json").stdout == done.stdout
    assert [Path(each["file"]).read_bytes() for each in files] == ahead
    assert "巴士[red]集团".encode() in ahead[0]
    assert b"<IntrBkSttlmDt>2018-09-02</IntrBkSttlmDt>" in ahead[0]


def test_one_message_says_how_many_orders_the_other_has(folder: Path) -> None:
    done = run("orders", folder, "--format", "pacs009", "--lang", "zh")
    assert (done.exit_code, "另有 1 条" in done.stderr, "0.05" in done.stdout) == (0, True, True)
    assert run("orders", folder, "--format", "csv").exit_code == 0
    assert BUS.reference in (folder / "settlement" / "orders.csv").read_text(encoding="utf-8-sig")


def test_an_order_is_never_in_two_messages_of_one_folder(folder: Path) -> None:
    assert run("orders", folder, "--format", "pacs009").exit_code == 0
    assert run("orders", folder, "--format", "pacs008").exit_code == 0
    settings = folder / "settle.toml"
    settings.write_text(settings.read_text().replace("institution = true", "institution = false"))
    done = run("orders", folder)
    assert (done.exit_code, "other messages of these orders" in done.stderr) == (4, True), done.output
    assert run("orders", folder, "--out", folder / "again").exit_code == 0


def test_what_cannot_be_paid_is_refused_with_its_code(folder: Path, tmp_path: Path) -> None:
    assert run("orders", tmp_path / "none").exit_code == 3
    assert run("orders", folder, "--format", "pain001").exit_code == 2
    assert run("orders", folder, "--date", "2018-08-31").exit_code == 2
    assert run("orders", folder, "--parties", tmp_path / "none.toml").exit_code == 3
    report = folder / "report" / "day.json"
    right = report.read_text()
    for old, new, says in (
        ("123456", "123457", "another amount than the ledger"),
        ('"op.bus"', '"acq"', "not that of an order"),
        (BUS.reference, "0" * 32, "not that of an order"),
    ):
        report.write_text(right.replace(old, new))
        done = run("orders", folder)
        assert (done.exit_code, says in done.stderr) == (4, True), done.output
    report.write_text("{}")
    assert run("orders", folder).exit_code == 2


def test_a_right_statement_ends_with_0_and_a_break_with_6(folder: Path) -> None:
    run("orders", folder)
    right = statement(folder, (BUS.reference, -BUS.amount), (FEE.reference, -FEE.amount))
    done = run("reconcile", folder, right)
    assert (done.exit_code, "orders: settled 2" in done.stdout) == (0, True), done.output
    wrong = statement(folder, (BUS.reference, -BUS.amount), ("[red]X", -7), (FEE.reference, -6))
    done = run("reconcile", folder, wrong, "--json")
    assert done.exit_code == 6
    kinds = [each["kind"] for each in json.loads(done.stdout)["breaks"]]
    assert kinds == ["AMOUNT_DIFFERS", "UNKNOWN_REFERENCE"]
    table = run("reconcile", folder, wrong, "--lang", "zh").stdout
    assert "对账单金额与指令不符" in table
    assert "[red]X" in table


def test_a_payment_that_came_back_is_posted_once_and_stands_open(folder: Path) -> None:
    run("orders", folder)
    paid = statement(folder, (BUS.reference, -BUS.amount), (FEE.reference, -FEE.amount))
    assert run("reconcile", folder, paid, "--post").exit_code == 0
    back = statement(
        folder, (BUS.reference, BUS.amount), number=2
    )  # the booking itself is in the statement before
    for _ in range(2):
        done = run("reconcile", folder, back, "--post")
        assert (done.exit_code, "the money came back" in done.stdout) == (6, True), done.output
        assert ("LEDGER" in done.stdout, "settled 1, returned 1" in done.stdout) == (False, True)
    payable = AccountName(code=AccountCode.OPERATOR_PAYABLE, owner="op.bus").id
    with database_at(folder / "centre" / "centre.db") as database:
        ledger = SqlLedger(database)
        balance = ledger.balances([payable])[payable]
        assert (balance.debits_posted, balance.credits_posted) == (BUS.amount, BUS.amount)
        assert prove_settlement(ledger).funds == -FEE.amount


def test_a_hostile_file_is_refused_whole(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')
    done = run("reconcile", folder, bad)
    assert (done.exit_code, "DOCTYPE" in done.stderr) == (4, True)
    assert run("reconcile", folder, tmp_path / "none.xml").exit_code == 3


PARTY = '[[party]]\ncode = "i.float"\nname_en = "A"\nname_zh = "甲"\nbic = "ABCDCNB0"\naccount = "1"\n'
NETWORK = '[network]\nsender = { bic = "ABCDCNB0" }\nfunds = "i.float"\n'


def test_money_moves_on_a_business_day_of_the_calendar_that_is_named(tmp_path: Path) -> None:
    path, friday = tmp_path / "settle.toml", dt.date(2018, 9, 21)
    for line, day in (("", 22), ('calendar = "weekdays"\n', 24), ('calendar = "china"\n', 25)):
        path.write_text(NETWORK + line + PARTY, encoding="utf-8")
        assert read_settle_file(path).settles_on(friday) == dt.date(2018, 9, day), "Monday was 中秋节"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network", "not TOML"),
        (NETWORK, "no bank details"),
        (NETWORK + PARTY + PARTY, "stands twice"),
        (NETWORK + PARTY + "pin = 1\n", "unknown: pin"),
        (NETWORK + PARTY + "iban = 5\n", "not a text"),
        (NETWORK + PARTY + 'institution = "yes"\n', "true or false"),
        (NETWORK + PARTY.replace("ABCDCNB0", "abc"), "not a BIC"),
        (NETWORK + "days = 31\n" + PARTY, "number of days"),
        (NETWORK + "days = true\n" + PARTY, "number of days"),
        (NETWORK + 'calendar = "mars"\n' + PARTY, "china"),
        (NETWORK + 'method = "COVE"\n' + PARTY, "CLRG, INDA, INGA"),
        (NETWORK + 'currency = "XAU"\n' + PARTY, "not a currency"),
        (NETWORK + 'surprise = "x"\n' + PARTY, "unknown: surprise"),
        (NETWORK.replace("i.float", "i") + PARTY, "funds behind"),
        (PARTY, "neither BIC nor member"),
        ("party = 1\n" + NETWORK, "not a list"),
    ],
)
def test_a_file_of_bank_details_with_a_mistake_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "settle.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Usage) as refused:
        read_settle_file(path)
    assert says in str(refused.value)
