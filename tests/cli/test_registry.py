"""`jinka registry`. Goal: an officer's way from application to grant, the refusals with their exit codes, and an audit
entry for each. Method: the real commands in a folder; the clock set where dates matter.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.registrar import AUDIT, FixedClock, Registrar
from jinka.cli.main import app
from jinka.cli.registry import KIND_NAMES
from jinka.keys import AuditEntry, check_log
from jinka.kit import Refused
from jinka.node import read_audit_lines
from jinka.registry import Act, Kind, State

CITIZEN = "11010519491231002X"


def _jinka(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["registry", *arguments, "--dir", str(folder)])


def _log(folder: Path) -> list[tuple[str, str, str]]:
    entries = [AuditEntry.from_line(line) for line in read_audit_lines(folder / AUDIT)]
    return [(entry.actor, entry.act, entry.outcome.value) for entry in entries[1:]]


def test_every_kind_can_be_applied_for() -> None:
    assert tuple(kind.value for kind in Kind) == KIND_NAMES


def test_from_application_to_grant(tmp_path: Path) -> None:
    applied = _jinka(tmp_path, "apply", "rid", "a000000333", "--holder", "org.a", "--officer", "li-si")
    assert (applied.exit_code, "1  registered application provider (RID)  A000000333" in applied.stdout) == (
        0,
        True,
    )
    by_himself = _jinka(tmp_path, "review", "1", "--officer", "li-si")
    assert (by_himself.exit_code, "second officer" in by_himself.stderr) == (4, True)
    too_early = _jinka(tmp_path, "grant", "1", "--officer", "wang-wu")
    assert (too_early.exit_code, "possible: review, refuse, withdraw" in too_early.stderr) == (4, True)
    assert _jinka(tmp_path, "review", "1", "--officer", "wang-wu").exit_code == 0
    granted = _jinka(tmp_path, "grant", "1", "--officer", "wang-wu", "--lang", "zh")
    assert "已批准" in granted.stdout
    body = json.loads(_jinka(tmp_path, "show", "1", "--json").stdout)
    assert (body["state"], [deed["act"] for deed in body["acts"]]) == (
        "granted",
        ["apply", "review", "grant"],
    )
    assert _log(tmp_path) == [
        ("li-si", "registry.apply", "ok"),
        ("li-si", "registry.review", "refused"),
        ("wang-wu", "registry.grant", "refused"),
        ("wang-wu", "registry.review", "ok"),
        ("wang-wu", "registry.grant", "ok"),
    ]
    assert check_log(read_audit_lines(tmp_path / AUDIT)).sound


def test_the_other_acts(tmp_path: Path) -> None:
    with Registrar(tmp_path, clock=FixedClock(dt.date(2020, 1, 1))) as registrar:
        registrar.apply(Kind.CENTRE, "44030001", holder="org.a", officer="li-si")
        registrar.act(1, Act.REVIEW, officer="wang-wu")
        registrar.act(1, Act.GRANT, officer="wang-wu")
    for act, officer, code in (
        ("suspend", "wang-wu", 0),
        ("resume", "wang-wu", 4),
        ("resume", "li-si", 0),
        ("expire", "li-si", 4),
        ("withdraw", "li-si", 0),
        ("grant", "li-si", 4),
    ):
        assert _jinka(tmp_path, act, "1", "--officer", officer, "--reason", "why").exit_code == code, act
    assert _jinka(tmp_path, "suspend", "1", "--officer", "li-si").exit_code == 2  # no reason
    assert _jinka(tmp_path, "grant", "7", "--officer", "li-si").exit_code == 3
    with Registrar(tmp_path, clock=FixedClock(dt.date(2040, 1, 1))) as registrar:
        registrar.apply(Kind.RID, "A000000333", holder="org.a", officer="li-si")


def test_what_is_over_is_closed(tmp_path: Path) -> None:
    with Registrar(tmp_path, clock=FixedClock(dt.date(2020, 2, 29))) as registrar:
        found = registrar.apply(Kind.RID, "A000000333", holder="org.a", officer="li-si")
        registrar.act(1, Act.REVIEW, officer="wang-wu")
        registrar.act(1, Act.GRANT, officer="wang-wu")
    assert found.valid_to == dt.date(2030, 2, 28)
    with Registrar(tmp_path, clock=FixedClock(dt.date(2030, 3, 1))) as registrar:
        assert registrar.act(1, Act.EXPIRE, officer="wang-wu").state is State.EXPIRED


def test_personal_data_and_card_numbers_stay_out(tmp_path: Path) -> None:
    officer = ("--holder", "org.a", "--officer", "li-si")
    _jinka(tmp_path, "apply", "citizen", CITIZEN, *officer, "--reason", "card 6225880123456789 was lost")
    shown = _jinka(tmp_path, "list").stdout + _jinka(tmp_path, "list", "--json").stdout
    shown += _jinka(tmp_path, "show", "1").stdout + (tmp_path / AUDIT).read_text()
    assert "110105********002X" in shown
    assert "19491231" not in shown
    assert "880123456" not in shown
    wrong = _jinka(tmp_path, "apply", "citizen", CITIZEN[:-1] + "0", *officer)
    assert (wrong.exit_code, "19491231" in wrong.stderr) == (4, False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("apply", "rid", "F000000333", "--holder", "org.a", "--officer", "li-si"), 4),
        (("apply", "aid", "A000000333010101", "--holder", "org.a", "--officer", "li-si"), 4),
        (("apply", "terminal", "440300000001", "--holder", "org.a", "--officer", "li-si"), 4),
        (("apply", "rid", "A000000333", "--holder", "org.a", "--officer", "Li Si"), 2),
        (("apply", "rid", "A000000333", "--holder", "", "--officer", "li-si"), 2),
        (("apply", "rid", "A000000333", "--holder", "o.a", "--officer", "li-si", "--to", "2000-01-01"), 2),
        (("apply", "rid", "A000000333", "--holder", "o.a", "--officer", "li-si", "--from", "soon"), 2),
        (("apply", "rubbish", "A000000333", "--holder", "o.a", "--officer", "li-si"), 2),
        (("list",), 3),
        (("show", "1"), 3),
    ],
)
def test_wrong_commands(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    found = _jinka(tmp_path, *arguments)
    assert (found.exit_code, found.stdout) == (code, "")
    assert (
        not (tmp_path / "registry.sqlite").exists()
        or json.loads(_jinka(tmp_path, "list", "--json").stdout) == []
    )


def test_a_damaged_audit_log_stops_the_register(tmp_path: Path) -> None:
    with Registrar(tmp_path) as registrar:
        registrar.apply(Kind.RID, "A000000333", holder="org.a", officer="li-si")
        with pytest.raises(Refused), Registrar(tmp_path):  # one at a time
            pass
    log = tmp_path / AUDIT
    log.write_bytes(
        log.read_bytes().replace(b'"log:registry","outcome":"ok"', b'"log:registry","outcome":"failed"')
    )
    assert _jinka(tmp_path, "review", "1", "--officer", "wang-wu").exit_code == 4


def test_an_act_whose_entry_cannot_be_written_does_not_happen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Registrar(tmp_path) as registrar:
        monkeypatch.setattr("jinka.node.audit_log.AuditLog.commit", _full)
        with pytest.raises(OSError, match="no space"):
            registrar.apply(Kind.RID, "A000000333", holder="org.a", officer="li-si")
        monkeypatch.undo()
    assert json.loads(_jinka(tmp_path, "list", "--json").stdout) == []


def _full(*_: object) -> None:
    raise OSError("no space")


def test_a_simulated_range_is_granted_once_and_stays_as_an_officer_left_it(tmp_path: Path) -> None:
    first, last = "5180000001000000", "5180000001999999"
    with Registrar(tmp_path) as registrar:
        with pytest.raises(Refused):
            registrar.require_card_numbers(first, last, holder="issuer.test")
        granted = registrar.grant_simulated(first, last, holder="issuer.test")
        assert granted.state is State.GRANTED
        assert registrar.grant_simulated(first, last, holder="issuer.test") == granted
        registrar.require_card_numbers(first, last, holder="issuer.test")
        registrar.act(granted.number, Act.SUSPEND, officer="wang-wu", reason="lost")
        assert registrar.grant_simulated(first, last, holder="issuer.test").state is State.SUSPENDED
        with pytest.raises(Refused):
            registrar.require_card_numbers(first, last, holder="issuer.test")
    assert ("jinka", "registry.use", "refused") in _log(tmp_path)
