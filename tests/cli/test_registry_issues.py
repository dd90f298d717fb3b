"""What is issued, and on which grants. Goal: `jinka issue` and whatever admits a device stop where a register is
demanded and grants nothing, and go on where it does; a forged grant is none; a recall reaches what it must. Method: the
real commands in folders.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from click.testing import CliRunner as ClickRunner
from click.testing import Result

from jinka.app.issue_gate import VARIABLE, gate_of, refuse_simulated, require_device
from jinka.app.issue_office import IssueOffice
from jinka.app.registrar import AUDIT, FixedClock, Registrar
from jinka.cli.main import app
from jinka.cli.registry_issues import ITEM_NAMES
from jinka.keys import check_log
from jinka.kit import NotFound, Refused
from jinka.node import read_audit_lines
from jinka.registry import Act, Item, Kind, State
from jinka.registry.issue_words import FINDINGS, ITEMS
from jinka.sim.parties import ISSUER
from tests.databases import empty_database

TRANSIT = "cn.shenzhen.transit"
MADE = ("maker=maker.a", "chip=SC01", "chip_version=A1", "os=JCOS", "os_version=1")
TAG = ("maker=maker.a", "model=T1", "model_version=1")
GRANTS = (
    ("maker-licence", "XK-1", "maker.a", ("item=card,psam,terminal",)),
    ("product-certificate", "CERT-1", "maker.a",
     ("item=card,psam,terminal,tag", "chip=SC01", "chip_version=A1,A2", "os=JCOS", "os_version=1", "model=T1,R1",
      "model_version=1")),
    ("card-approval", "AP-1", ISSUER, ("use=*", "region=440300", "purse=yes")),
    ("key-issue", "KEY-1", ISSUER, ("item=psam", "region=440300")),
)  # fmt: skip


@cache
def _command() -> Any:
    """The tree of commands, which a runner would make anew for each."""
    return typer.main.get_command(app)


def _jinka(*arguments: str) -> Result:
    return ClickRunner().invoke(_command(), list(arguments))


def _registry(folder: Path, *arguments: str) -> Result:
    return _jinka("registry", *arguments, "--dir", str(folder))


def _made(facts: Sequence[str]) -> list[str]:
    return [part for fact in facts for part in ("--made", fact)]


def _issue(folder: Path, cards: int, *more: str, facts: Sequence[str] = MADE) -> Result:
    wanted = ("--profile", TRANSIT, "--cards", str(cards), "--dir", str(folder))
    return _jinka("issue", *wanted, *_made(facts), *more)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    empty_database(tmp_path / "registry.sqlite")
    path = tmp_path / "licence.pdf"
    path.write_bytes(b"a document")
    return path


def _grant(folder: Path, paper: Path, number: int = 0, *more: str) -> int:
    kind, value, holder, scope = GRANTS[number]
    scopes = [part for text in scope for part in ("--scope", text)]
    applied = _registry(
        folder, "apply", kind, value, "--holder", holder, "--officer", "li-si", "--document", str(paper),
        "--json", *scopes, *more,
    )  # fmt: skip
    assert applied.exit_code == 0, applied.output
    found = json.loads(applied.stdout)["number"]
    for act in ("review", "grant"):
        done = _registry(folder, act, str(found), "--officer", "wang-wu", "--reason", "examined")
        assert done.exit_code == 0, done.output
    return int(found)


def test_the_words_are_those_of_the_rules() -> None:
    assert tuple(item.value for item in Item) == ITEM_NAMES
    assert set(ITEMS) == set(Item)
    assert {state.name for state in State} - {"GRANTED"} <= set(FINDINGS)


def test_a_bureau_issues_what_was_granted_and_nothing_else(tmp_path: Path, paper: Path) -> None:
    assert _issue(tmp_path, 2, facts=()).exit_code == 0  # no register is demanded
    assert _registry(tmp_path, "demand", "--officer", "li-si").exit_code == 0
    refused = _issue(tmp_path, 3, "--order", "o2")
    assert refused.exit_code == 4
    for named in (
        "maker licence of maker.a",
        "product certificate of",
        "card approval of",
        "国办发[1997]22号",
    ):
        assert named in refused.stderr
    assert "jinka registry apply card-approval" in refused.stderr
    assert not (tmp_path / "orders" / "o2").exists()
    assert _issue(tmp_path, 3, "--order", "o2", facts=()).exit_code == 2  # a maker has to be named
    licence, certificate = _grant(tmp_path, paper, 0), _grant(tmp_path, paper, 1)
    fees = ("--quantity", "5", "--fees", "cn-jiangsu-2010,2081,2000,3000")
    approval = _grant(tmp_path, paper, 2, *fees)
    dear = _issue(tmp_path, 3, "--order", "o2", "--fee-fen", "2001")
    assert (dear.exit_code, "2000 were approved" in dear.stderr) == (4, True)
    for _ in range(2):  # the same order again
        done = _issue(tmp_path, 3, "--order", "o2", "--fee-fen", "2000")
        assert done.exit_code == 0, done.output
    other = _issue(tmp_path, 3, "--order", "o3")
    assert (other.exit_code, "has 2 left of 5, not 3" in other.stderr) == (4, True)
    (entry,) = json.loads(_registry(tmp_path, "cards", "--json").stdout)
    assert (entry["count"], entry["grants"], entry["state"]) == (
        3,
        [licence, certificate, approval],
        "in use",
    )
    assert entry["first"].startswith("****")
    listed = _registry(tmp_path, "cards", "--lang", "zh").stdout
    assert "在用" in listed
    assert "518000000100" not in listed + (tmp_path / AUDIT).read_text()
    assert check_log(read_audit_lines(tmp_path / AUDIT)).sound


def test_what_was_suspended_meanwhile_stops_an_order_between_two_slices(
    tmp_path: Path, paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jinka.app.issue import IssueOptions, issue
    from jinka.app.issue_gate import Making
    from jinka.app.issue_register import OrderAtRegister

    approval = [_grant(tmp_path, paper, number) for number in range(3)][-1]
    ask, asked = OrderAtRegister.require, list[int]()

    def suspend_then_ask(self: OrderAtRegister) -> None:
        asked.append(1)
        if len(asked) == 2:
            with Registrar(tmp_path) as registrar:
                registrar.act(approval, Act.SUSPEND, officer="li-si", reason="complaints")
        ask(self)

    monkeypatch.setattr(OrderAtRegister, "require", suspend_then_ask)
    options = IssueOptions(directory=tmp_path, profile=TRANSIT, cards=4, slice_size=2, making=Making.of(MADE))
    with pytest.raises(Refused, match="AP-1 that it rests on is suspended"):
        issue(options)
    with Registrar(tmp_path) as registrar:
        registrar.act(approval, Act.RESUME, officer="wang-wu", reason="settled")
    done = issue(options)
    assert (done.before, done.made) == (2, 2)


def test_a_licence_that_lapsed_yesterday(tmp_path: Path, paper: Path) -> None:
    day = dt.date(2026, 6, 1)
    with Registrar(tmp_path, clock=FixedClock(day)) as registrar:
        from jinka.app.register_papers import digests, terms_of

        found = registrar.apply(
            Kind.PRODUCT_CERTIFICATE, "CERT-1", holder="maker.a", officer="li-si", valid_to=day,
            terms=terms_of(("item=tag", "model=T1", "model_version=1"), 0, ""), documents=digests((paper,)),
        )  # fmt: skip
        for act in (Act.REVIEW, Act.GRANT):
            registrar.act(found.number, act, officer="wang-wu", reason="examined")
    from jinka.app.issue_gate import Making

    order = Making.of(TAG).order(Item.TAG, name="t1", issuer="issuer.a", first="00A0", last="00A3")
    with IssueOffice(tmp_path, clock=FixedClock(day)) as office:
        assert office.check(order) == (found.number,)
    with (
        IssueOffice(tmp_path, clock=FixedClock(day + dt.timedelta(days=1))) as office,
        pytest.raises(Refused, match=f"CERT-1 lapsed on {day}"),
    ):
        office.enter(order, officer="li-si")


def _forge(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "registry.sqlite") as raw:
        for statement in statements:
            raw.execute(statement)
    raw.close()


def _enter_tags(folder: Path, order: str = "t1", first: str = "00A0", last: str = "00A3") -> Result:
    return _registry(
        folder, "enter", "tag", "--order", order, "--issuer", "issuer.a", "--first", first, "--last", last,
        "--officer", "li-si", *_made(TAG),
    )  # fmt: skip


def test_a_grant_that_was_written_into_the_database_is_none(tmp_path: Path, paper: Path) -> None:
    certificate = _grant(tmp_path, paper, 1)
    _registry(tmp_path, "suspend", str(certificate), "--officer", "wang-wu", "--reason", "chip broken")
    assert "is suspended" in _enter_tags(tmp_path).stderr
    resumed = (
        f"INSERT INTO registration_acts VALUES ({certificate}, 4, 'resume', 'li-si', 9999999999999999, 'ok')"
    )
    _forge(tmp_path, resumed)
    forged = _enter_tags(tmp_path)
    assert (forged.exit_code, "knows nothing of its resume: it is forged" in forged.stderr) == (4, True)
    _forge(  # a whole grant, its acts copied from one that was granted
        tmp_path,
        "INSERT INTO registrations SELECT 99, kind, 'CERT-2', 'CERT-2', 'CERT-2', holder, under, valid_from, valid_to "
        f"FROM registrations WHERE number = {certificate}",
        f"INSERT INTO registration_terms SELECT 99, body FROM registration_terms WHERE number = {certificate}",
        "INSERT INTO registration_acts SELECT 99, seq, act, officer, at_micros, reason FROM registration_acts "
        f"WHERE number = {certificate} AND seq < 3",
        "DROP TRIGGER registration_acts_no_delete",
        f"DELETE FROM registration_acts WHERE number = {certificate} AND seq = 4",
    )
    forged = _enter_tags(tmp_path)
    assert (forged.exit_code, "registration 99: the audit log knows nothing" in forged.stderr) == (4, True)


def test_an_act_that_was_taken_out_of_the_database_is_missed(tmp_path: Path, paper: Path) -> None:
    certificate = _grant(tmp_path, paper, 1)
    _registry(tmp_path, "suspend", str(certificate), "--officer", "wang-wu", "--reason", "chip broken")
    gone = f"DELETE FROM registration_acts WHERE number = {certificate} AND seq = 3"
    _forge(tmp_path, "DROP TRIGGER registration_acts_no_delete", gone)
    forged = _enter_tags(tmp_path)
    assert (forged.exit_code, "has a later act on it" in forged.stderr) == (4, True)


def test_wider_terms_than_were_granted_are_found(tmp_path: Path, paper: Path) -> None:
    _grant(tmp_path, paper, 1)
    _forge(
        tmp_path,
        "DROP TRIGGER registration_terms_no_update",
        """UPDATE registration_terms SET body = replace(body, '"T1"', '"T1","T2"')""",
    )
    assert "it is forged" in _enter_tags(tmp_path).stderr


def test_a_demand_that_was_changed_behind_the_register_is_found(tmp_path: Path, paper: Path) -> None:
    assert _registry(tmp_path, "demand", "--officer", "li-si").exit_code == 0
    relaxed = _registry(tmp_path, "demand", "--officer", "li-si", "--rules", "scheme")
    assert (relaxed.exit_code, "second officer" in relaxed.stderr) == (4, True)
    for trick in (
        "INSERT INTO register_demands SELECT 1, 'wang-wu', at_micros, replace(rules, 'item', 'item'), '../mine' "
        "FROM register_demands",
        "DELETE FROM register_demands",
    ):
        _forge(tmp_path, "DROP TRIGGER IF EXISTS register_demands_no_delete", trick)
        with pytest.raises(Refused, match="knows another demand"):
            gate_of(tmp_path)
        assert "knows another demand" in _enter_tags(tmp_path).stderr


def test_a_question_is_answered_without_an_entry(tmp_path: Path, paper: Path) -> None:
    asked = (
        "check", "tag", "--order", "t1", "--issuer", "issuer.a", "--first", "00A0", "--last", "00A3", *_made(TAG),
    )  # fmt: skip
    missing = _registry(tmp_path, *asked, "--json")
    assert missing.exit_code == 6
    assert [found["code"] for found in json.loads(missing.stdout)["findings"]] == ["NOT_GRANTED"]
    assert "未经批准" in _registry(tmp_path, *asked, "--lang", "zh").stdout
    number = _grant(tmp_path, paper, 1)
    assert json.loads(_registry(tmp_path, *asked, "--json").stdout) == {"granted": True, "grants": [number]}
    assert json.loads(_registry(tmp_path, "devices", "--json").stdout) == []


def test_a_recall_reaches_what_rests_on_a_grant(tmp_path: Path, paper: Path) -> None:
    certificate = [_grant(tmp_path, paper, number) for number in range(3)][1]
    assert _issue(tmp_path, 3).exit_code == 0
    assert _enter_tags(tmp_path).exit_code == 0
    recall = ("recall", str(certificate), "--officer", "li-si", "--reason", "chip broken")
    too_early = _registry(tmp_path, *recall)
    assert (too_early.exit_code, "suspend or withdraw it first" in too_early.stderr) == (4, True)
    _registry(tmp_path, "withdraw", str(certificate), "--officer", "wang-wu", "--reason", "chip broken")
    lists = tmp_path / "lists"
    assert _registry(tmp_path, *recall, "--lists", str(lists)).exit_code == 2  # from when?
    for _ in range(2):
        done = _registry(
            tmp_path, *recall, "--lists", str(lists), "--version", "7", "--from", "20260601000000", "--json"
        )
        assert done.exit_code == 0, done.output
        body = json.loads(done.stdout)
        assert [entry["state"] for entry in body["entries"]] == ["recalled", "recalled"]
    rows = pq.read_table(lists / f"recall-{certificate}-listings.parquet").to_pylist()
    assert [(row["list_version"], row["effective_from"]) for row in rows] == [(7, "20260601000000")] * 3
    assert rows[0]["card_no"].hex() == "00005180000001000000"
    with (lists / f"recall-{certificate}-devices.csv").open(encoding="utf-8") as file:
        assert [(row["item"], row["first"], row["count"]) for row in csv.DictReader(file)] == [
            ("tag", "00A0", "4")
        ]
    stopped = _issue(tmp_path, 3)
    assert (stopped.exit_code, "it is recalled" in stopped.stderr) == (4, True)
    free = ("release", "2", "--reason", "other chip")
    assert _registry(tmp_path, *free, "--officer", "li-si").exit_code == 4
    assert "in use" in _registry(tmp_path, *free, "--officer", "wang-wu").stdout
    assert "retired" in _registry(tmp_path, "retire", "2", "--officer", "li-si", "--reason", "x").stdout


def test_a_device_that_was_not_entered_gets_nothing(
    tmp_path: Path, paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, office = tmp_path / "keys", tmp_path / "office"
    require_device(keys, Item.PSAM, "44030001440300000001")  # nothing is demanded
    demanded = _registry(
        keys / "register", "demand", "--officer", "li-si", "--register", "../../office", "--rules", "scheme"
    )
    assert demanded.exit_code == 0, demanded.output
    with pytest.raises(NotFound, match="the register that is demanded is not there"):
        require_device(keys, Item.PSAM, "44030001440300000001")
    assert _registry(office, "demand", "--officer", "li-si", "--rules", "scheme").exit_code == 0
    with pytest.raises(Refused, match="no psam of this number was entered"):
        require_device(keys, Item.PSAM, "44030001440300000001")
    for number in (1, 3):
        _grant(office, paper, number)
    entered = _registry(
        office, "enter", "psam", "--order", "p1", "--issuer", ISSUER, "--first", "44030001440300000001",
        "--last", "44030001440300000100", "--officer", "li-si", *_made((*MADE, "region=440300")), "--json",
    )  # fmt: skip
    assert json.loads(entered.stdout)[0]["count"] == 100
    require_device(keys, Item.PSAM, "44030001440300000064")
    for other in ("4403000144030000006a", "44030001440300000101"):
        with pytest.raises(Refused, match="no psam"):
            require_device(keys, Item.PSAM, other)
    assert gate_of(tmp_path / "elsewhere") is None
    monkeypatch.setenv(VARIABLE, str(office))
    with pytest.raises(Refused, match="no terminal"):
        require_device(tmp_path / "elsewhere", Item.TERMINAL, "440300000001")
    with pytest.raises(Refused, match="granted by none"):
        refuse_simulated(tmp_path / "elsewhere")
    assert "maker.a" not in _issue(tmp_path / "elsewhere", 1, facts=()).stdout
    assert _issue(tmp_path / "elsewhere", 1).exit_code == 4


def test_fees_are_shown_and_counted() -> None:
    text = _jinka("registry", "fees", "--lang", "zh").stdout
    assert "苏价费[2010]187号" in text
    cost = ("--bare-fen", "1800", "--making-fen", "221", "--loss-permille", "30", "--json")
    body = json.loads(_jinka("registry", "fees", "cn-jiangsu-2010", *cost).stdout)
    assert (body["cost_fen"], body["new_fen"], body["again_fen"]) == (2081, 2081, 3121)
    assert _jinka("registry", "fees", "cn-1999").exit_code == 2
    assert len(json.loads(_jinka("registry", "fees", "--json").stdout)) == 4


WRONG: tuple[tuple[tuple[str, ...], int], ...] = (
    (("apply", "maker-licence", "XK-1", "--holder", "a.b", "--officer", "li-si"), 2),  # no scope
    (("apply", "rid", "A000000333", "--holder", "a.b", "--officer", "li-si", "--scope", "item=card"), 2),
    (("apply", "rid", "A000000333", "--holder", "a.b", "--officer", "li-si", "--quantity", "5"), 2),
    (("apply", "maker-licence", "XK 1", "--holder", "a.b", "--officer", "li-si", "--scope", "item=card"), 4),
    (("apply", "maker-licence", "XK-1", "--holder", "a.b", "--officer", "li-si", "--scope", "colour=red"), 2),
    (("apply", "maker-licence", "XK-1", "--holder", "a.b", "--officer", "li-si", "--scope", "item"), 2),
    (("apply", "card-approval", "AP-1", "--holder", "a.b", "--officer", "li-si", "--scope", "use=*",
      "--fees", "cn-2001,1000,1001,1000"), 4),
    (("apply", "card-approval", "AP-1", "--holder", "a.b", "--officer", "li-si", "--scope", "use=*",
      "--fees", "cn-2001,x,1,1"), 2),
    (("apply", "maker-licence", "XK-1", "--holder", "a.b", "--officer", "li-si", "--scope", "item=card",
      "--document", "no-such-file"), 3),
    (("demand", "--officer", "li-si", "--rules", "no-such-rules"), 2),
    (("demand", "--officer", "Li Si"), 2),
    (("enter", "boat", "--officer", "li-si", "--order", "a", "--issuer", "a.b", "--first", "0001",
      "--made", "maker=a.b"), 2),
    (("enter", "tag", "--officer", "li-si", "--order", "a", "--issuer", "a.b", "--first", "XYZ1",
      "--made", "maker=a.b"), 2),
    (("recall", "7", "--officer", "li-si", "--reason", "x"), 3),
)  # fmt: skip


def test_wrong_commands(tmp_path: Path, paper: Path) -> None:
    for arguments, code in WRONG:
        found = _registry(tmp_path, *arguments)
        assert (found.exit_code, found.stdout) == (code, ""), (arguments, found.output)
    assert json.loads(_registry(tmp_path, "list", "--json").stdout) == []
    assert _registry(tmp_path / "nowhere", "cards").exit_code == 3
