"""`jinka records`: what a person at a terminal does with base records. Goal: each command does what its help says, and
no value of a person leaves by an error. Method: the commands in this process, over one folder that the demo made.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from typer.main import get_command

from jinka.cli.main import app as commands

NUMBER, NAME = "440301199003072719", "李蕾"
CARD_LIST = ("--purpose", "loan-review", "--field", "cards")
BANK = ("--as", "bank", "--officer", "zhao-liu")


COMMANDS = get_command(commands)  # made once: the whole tree of commands is large


def _run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(COMMANDS, list(arguments), input=stdin)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "demo"
    shown = _run("records", "demo", "--dir", str(folder), "--json")
    steps = json.loads(shown.stdout)
    assert [step["ok"] for step in steps].count(False) == 4, "the story's refusals"
    assert steps[-1]["result"].endswith("entries, sound")
    return folder


@pytest.fixture
def records(demo: Path, tmp_path: Path) -> Callable[..., Result]:
    """The commands, on a copy of the demo's folder."""
    folder = shutil.copytree(demo, tmp_path / "records")

    def run(*arguments: str, stdin: str = "") -> Result:
        return _run("records", *arguments, "--dir", str(folder), stdin=stdin)

    run.folder = folder  # type: ignore[attr-defined]
    return run


def _data(result: Result) -> Any:
    assert result.exit_code in (0, 6), result.stderr
    return json.loads(result.stdout)


def test_a_department_sees_what_it_may_and_the_holder_reads_it(records: Callable[..., Result]) -> None:
    look = (
        "look",
        "person",
        "--find",
        "identity_number=-",
        *BANK,
        "--purpose",
        "account-opening",
        "--case",
        "7",
    )
    seen = _data(records(*look, "--json", stdin=NUMBER + "\n"))
    assert seen["values"] == {"identity_number": [NUMBER], "name": [NAME]}
    assert seen["grounds"]["name"] == "real-name 7"
    shown = records(*look, "--lang", "zh", stdin=NUMBER + "\n").stdout
    assert NAME in shown
    assert "《个人存款账户实名制规定》第7条" in shown
    mine = _data(records("log", "--holder", "person:1", "--json"))
    assert (mine[-1]["department"], mine[-1]["purpose"], mine[-1]["case"]) == ("bank", "account-opening", "7")
    told = records("log", "--holder", "person:1", "--lang", "zh", "--looks", "--last", "1").stdout
    assert "zhao-liu@银行  查询  开立账户  7" in told
    assert "公民身份号码、姓名  [《个人存款账户实名制规定》第7条]" in told
    assert NUMBER not in json.dumps(mine)


def test_a_refusal_is_code_4_noted_and_the_same_for_nobody(records: Callable[..., Result]) -> None:
    before = len(_data(records("log", "--as", "bank", "--json")))
    said = set()
    for record in ("person:1", "person:99"):
        refused = records("look", "person", "--record", record, *BANK, *CARD_LIST)
        assert (refused.exit_code, refused.stdout) == (4, "")
        said.add(refused.stderr)
    other = records("look", "person", "--find", "identity_number=11010519491231002X", *BANK, *CARD_LIST)
    assert said == {other.stderr}
    rows = _data(records("log", "--as", "bank", "--json"))[before:]
    assert [row["outcome"] for row in rows] == ["refused"] * 3


def test_consent_is_given_listed_used_and_withdrawn(records: Callable[..., Result]) -> None:
    give = ("consent", "person:1", "--for", "bank", *CARD_LIST, "--until", "2999-12-31")
    bundled = records(*give)
    assert (bundled.exit_code, "separate" in bundled.stderr) == (4, True)
    number = _data(records(*give, "--separate", "--json"))["consent"]
    look = ("look", "person", "--record", "person:1", *BANK, *CARD_LIST)
    assert "card:6" in records(*look).stdout
    assert records("withdraw", "person:1", str(number)).exit_code == 0
    assert records(*look).exit_code == 4
    listed = _data(records("consents", "person:1", "--json"))
    assert listed[-1]["withdrawn"] != ""


def test_history_shows_no_values_and_corrections_keep_the_old(records: Callable[..., Result]) -> None:
    source = ("--as", "card-centre", "--officer", "wang-wu", "--why", "register 13")
    before = _data(records("show", "person:1", "--json"))
    mobile = str(next(row["statement"] for row in before if row["field"] == "mobile"))
    fixed = records("correct", "person:1", mobile, "mobile=13900139000", *source, "--json")
    assert _data(fixed)["record"] == "person:1"
    rows = _data(records("show", "person:1", "--json"))
    assert rows[int(mobile) - 1]["corrected_by"] == len(rows)
    shown = records("show", "person:1").stdout + json.dumps(rows)
    assert not any(secret in shown for secret in (NUMBER, NAME, "13900139000", "13800138000"))
    again = records("correct", "person:1", mobile, "mobile=13900139001", *source)
    assert (again.exit_code, "corrected already" in again.stderr) == (4, True)
    foreign = records("correct", "person:1", "3", "sex=male", "--as", "bank", *source[2:])
    assert "public-security keeps this field" in foreign.stderr


def test_a_holder_is_named_by_kind_and_number(records: Callable[..., Result]) -> None:
    for wrong in (
        ("log", "--holder", "vehicle:1"),
        ("consents", "vehicle:1"),
        ("log", "--holder", "person:999"),
    ):
        told = records(*wrong)
        assert (told.exit_code, told.stdout) == (3, ""), wrong
        assert "has this number" in told.stderr


def test_a_wrong_value_is_not_repeated(records: Callable[..., Result]) -> None:
    source = ("--as", "public-security", "--officer", "wang-wu", "--why", "x")
    for value in ("440301199003072710", "4403011990030727190"):
        refused = records("write", "person", f"identity_number={value}", *source)
        assert refused.exit_code == 4
        assert value not in refused.stderr


def test_copies_are_told_and_acknowledged(records: Callable[..., Result]) -> None:
    insurance = ("--as", "social-insurance")
    source = ("--as", "public-security", "--officer", "wang-wu", "--why", "register 14")
    records("write", "person:1", "name=李磊", *source, "--from", "2026-06-02")
    late = records("behind", "--json")
    assert (late.exit_code, [row["department"] for row in _data(late)]) == (6, ["social-insurance"])
    (message,) = _data(records("outbox", *insurance, "--officer", "sun-ba", "--json"))
    assert [one["value"] for one in message["values"]] == [NAME, "李磊"]
    assert "李磊" in records("outbox", *insurance, "--officer", "sun-ba", "--lang", "zh").stdout
    assert _data(records("ack", str(message["message"]), *insurance, "--json")) == {"acknowledged": 1}
    assert records("behind").exit_code == 0
    copy = ("copy", "person", "--record", "person:1", *BANK, "--purpose", "account-opening", "--case", "8")
    assert _data(records(*copy, "--field", "name", "--json"))["fields"] == ["name"]
    assert records(*copy, "--field", "cards").exit_code == 4


def test_an_objection_is_corrected_with_its_value(records: Callable[..., Result]) -> None:
    filed = _data(records("object", "person:1", "vehicle:4", "3", "--note", "it is for hire", "--json"))
    assert (filed["machine"], filed["keeper"]) == ("objection", "traffic-police")
    step = ("step", str(filed["case"]), "correct", "--as", "traffic-police", "--officer", "wang-wu")
    assert records(*step, "--value", "unknown").exit_code == 4, "the step is taken back with the value"
    assert _data(records("case", str(filed["case"]), "--json"))["state"] == "filed"
    assert _data(records(*step, "--value", "hire", "--json"))["state"] == "corrected"
    acts = records("case", str(filed["case"]), "--lang", "zh").stdout
    assert "it is for hire" in acts
    listed = _data(records("cases", "--open", "--json"))
    assert {case["machine"] for case in listed} == {"dispute"}
    assert "objection" in records("cases").stdout


def test_an_emergency_names_its_review(records: Callable[..., Result]) -> None:
    ask = (
        "look",
        "person",
        "--record",
        "person:1",
        "--as",
        "health",
        "--officer",
        "he-jiu",
        "--purpose",
        "treatment",
    )
    assert records(*ask, "--field", "name", "--emergency").exit_code == 2, "it wants a reason"
    seen = records(*ask, "--field", "name", "--emergency", "--reason", "unconscious")
    assert (seen.exit_code, NAME in seen.stdout) == (0, True)
    review = seen.stderr.split()[-1]
    judged = records(
        "step", review, "blame", "--as", "supervision", "--officer", "wu-qi", "--note", "no patient"
    )
    assert judged.exit_code == 0
    assert "justified" in records("cases", "--json").stdout


def test_credit_from_report_to_purge(records: Callable[..., Result]) -> None:
    made = records(
        "credit", "report", "person:1", "overdue", "--sign", "bad", "--since", "2015-01-01", "--ended",
        "2016-01-01", *BANK, "--json",
    )  # fmt: skip
    assert _data(made)["delete_on"] == "2021-01-02"
    own = _data(records("credit", "own", "person:1", "--json"))
    assert [one["entry"] for one in own["entries"]] == [1], "what is over is not shown"
    assert _data(records("credit", "purge", "--officer", "li-si", "--json")) == {"deleted": 1}
    look = ("credit", "look", "--record", "person:1", *BANK, "--purpose", "loan-review")
    assert records(*look).exit_code == 4
    records(
        "consent", "person:1", "--for", "bank", "--purpose", "loan-review", "--of", "credit", "--field", "entries",
        "--until", "2999-12-31", "--separate",
    )  # fmt: skip
    assert "有异议" in records(*look, "--lang", "zh").stdout
    running = records("credit", "dispute", "person:1", "1", "--note", "again")
    assert (running.exit_code, "under way" in running.stderr) == (4, True)
    assert _data(records("verify", "--json"))["sound"]


def test_a_dispute_is_corrected_by_the_entry_that_replaces_the_wrong_one(
    records: Callable[..., Result],
) -> None:
    step = ("step", "3", "correct", "--as", "credit-bureau", "--officer", "li-si")
    early = records(*step)
    assert (early.exit_code, "replaces it first" in early.stderr) == (4, True)
    right = (
        "credit",
        "report",
        "person:1",
        "paid in time",
        "--since",
        "2025-11-05",
        "--replaces",
        "1",
        *BANK,
    )
    assert records(*right).exit_code == 0
    assert _data(records(*step, "--json"))["state"] == "corrected"
    (shown,) = _data(records("credit", "own", "person:1", "--json"))["entries"]
    assert (shown["text"], shown["sign"], shown["disputed"]) == ("paid in time", "good", False)
    assert _data(records("verify", "--json"))["sound"]


def test_what_was_changed_behind_its_back_ends_with_6(records: Callable[..., Result]) -> None:
    folder: Path = records.folder  # type: ignore[attr-defined]
    connection = sqlite3.connect(folder / "records.sqlite")
    connection.execute("DROP TRIGGER base_log_no_update")
    connection.execute("UPDATE base_log SET body = replace(body, 'loan 9', 'loan 8')")
    connection.commit()
    connection.close()
    found = records("verify", "--json")
    assert found.exit_code == 6
    assert {finding["code"] for finding in json.loads(found.stdout)["findings"]} == {"BODY_CHANGED"}
    assert "已被改动" in records("verify", "--lang", "zh").stdout


def test_a_tail_that_was_cut_off_shows_against_a_checkpoint(
    records: Callable[..., Result], tmp_path: Path
) -> None:
    lines, key, note = tmp_path / "lines.jsonl", tmp_path / "audit.pem", tmp_path / "held.note"
    records("log", "--lines", str(lines))
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    sign = ["audit", "checkpoint", str(lines), "--signer", str(key), "--name", "base-records"]
    made = _run(*sign, "--out", str(note))
    assert made.exit_code == 0, made.stderr
    public = tmp_path / "audit.pub"
    public.write_text(_run(*sign, "--public").stdout)
    held = ("verify", "--checkpoint", str(note), "--key", str(public), "--json")
    assert records(*held).exit_code == 0
    folder: Path = records.folder  # type: ignore[attr-defined]
    fresh = _run("records", "demo", "--dir", str(tmp_path / "other"))
    assert fresh.exit_code == 0
    for name in ("records.sqlite", "records.secret"):
        shutil.copy(tmp_path / "other" / name, folder / name)
    assert records("verify").exit_code == 0, "a log that was written anew is sound in itself"
    again = records(*held)
    assert again.exit_code == 6
    assert "REWRITTEN" in again.stdout


def test_what_does_not_exist_says_so(records: Callable[..., Result], tmp_path: Path) -> None:
    empty = _run("records", "log", "--dir", str(tmp_path / "none"))
    assert (empty.exit_code, "jinka records demo" in empty.stderr) == (3, True)
    assert not (tmp_path / "none").exists()
    for arguments, code in (
        (("look", "person", *BANK, *CARD_LIST), 2),
        (("look", "pet", "--record", "person:1", *BANK, *CARD_LIST), 2),
        (("look", "person", "--record", "12", *BANK, *CARD_LIST), 4),
        (("show", "person:99"), 3),
        (("withdraw", "person:1", "99"), 3),
        (("case", "99"), 3),
        (("ack", "99", "--as", "bank"), 3),
        (("demo",), 4),
    ):
        assert records(*arguments).exit_code == code, arguments
    folder: Path = records.folder  # type: ignore[attr-defined]
    (folder / "records.secret").unlink()
    lost = records("write", "person", "sex=male", "--as", "public-security", "--officer", "li", "--why", "x")
    assert (lost.exit_code, "restore" in lost.stderr) == (4, True)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_rules_and_fields_are_told_with_their_clauses(lang: str) -> None:
    rules = ("records", "rules", "--as", "social-insurance", "--lang", lang)
    told = _data(_run(*rules, "--json"))
    wanted = "《中华人民共和国社会保险法》第57条" if lang == "zh" else "Social Insurance Law, Art. 57"
    assert wanted in {row["article"] for row in told}
    assert _run(*rules).stdout.count("social-insurance") == 4
    rows = _data(_run("records", "fields", "vehicle", "--lang", lang, "--json"))
    assert {"plate", "vin"} <= {row["field"] for row in rows if row["key"] and row["personal"]}


def test_an_installed_package_declares_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part from outside the tree, found by its entry point: a department, a purpose, a kind and a rule."""
    info = tmp_path / "lending-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lending\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[jinka.base_records]\nlending = lending_part:PART\n")
    (tmp_path / "lending_part.py").write_text(
        "from jinka.identity.base_records import *\n"
        "ticket = FieldSpec(name='ticket', title=('ticket', '读者证'), type=FieldType.TEXT, source='library',\n"
        "                   sensitivity=Sensitivity.PERSONAL, key=True)\n"
        "PART = Part(departments=(Named(code='library', title=('library', '图书馆')),),\n"
        "            kinds=(RecordKind(name='reader', title=('reader', '读者'), fields=(ticket,)),))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = ("--dir", str(tmp_path / "records"))
    keep = ("--as", "library", "--officer", "li-si")
    made = _run("records", "write", "reader", "ticket=R1", *keep, "--why", "new", *folder)
    assert (made.exit_code, made.stdout.strip()) == (0, "reader:1: 1 statements")
    look = ["records", "look", "reader", "--find", "ticket=R1", *keep, "--purpose", "upkeep", *folder]
    assert "R1" in _run(*look).stdout
    assert _run(*look[:5], *BANK, "--purpose", "upkeep", *folder).exit_code == 4


def test_the_same_over_postgresql(fresh_postgres: Callable[[], str], tmp_path: Path) -> None:
    place = ("--dir", str(tmp_path / "records"), "--database", fresh_postgres())
    police = ("--as", "public-security", "--officer", "wang-wu")
    wrote = ["records", "write", "person", "name=李雷", *police, "--why", "certificate", *place]
    assert _run(*wrote).stdout.strip() == "person:1: 1 statements"
    look = [
        "records",
        "look",
        "person",
        "--record",
        "person:1",
        *police,
        "--purpose",
        "upkeep",
        "--field",
        "name",
    ]
    assert "李雷" in _run(*look, *place).stdout
    assert _run("records", "verify", *place).exit_code == 0
