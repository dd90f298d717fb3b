"""A bureau whose custodians hold their shares elsewhere. Goal: `jinka issue` opens its keys with the shares that are
named and with no fewer, and what is done with keys is in the audit log. Method: the commands; logs read back; a kill.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.issue import IssueOptions, issue
from jinka.app.key_scan import scan
from jinka.cli.main import app
from jinka.keys import check_log
from jinka.kit import JinkaError
from jinka.node import AuditLog, read_audit_lines
from jinka.node.system import SystemClock
from jinka.sectors.transit_shenzhen import PROFILE

TRANSIT, BANK = PROFILE.name, "cn.bank.debit"
LOG = "keys/audit-service.jsonl"


def _jinka(*words: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def bureau(tmp_path: Path) -> Path:
    """A folder with a store alone: its shares went to three places."""
    places = [word for name in "ABC" for word in ("--custodian", f"{name}={tmp_path / name}")]
    _jinka("keys", "ceremony", tmp_path / "bureau", "--issuer", "issuer.szt", *places, "--simulated")
    return tmp_path / "bureau"


def _shares(bureau: Path, names: str) -> list[str]:
    found = [path for name in names for path in (bureau.parent / name).glob("share-*.json")]
    assert len(found) == len(names)
    return [word for path in found for word in ("--share", str(path))]


def _acts(bureau: Path) -> list[str]:
    report = check_log(list(read_audit_lines(bureau / LOG)))
    assert not report.findings
    return [json.loads(line)["act"] for line in read_audit_lines(bureau / LOG)]


def test_an_order_with_shares_held_elsewhere(bureau: Path) -> None:
    words = ("issue", "--profile", TRANSIT, "--cards", 3, "--dir", bureau)
    assert "0 of 2 shares" in _jinka(*words, code=4).stderr
    assert "1 of 2 shares" in _jinka(*words, *_shares(bureau, "A"), code=4).stderr
    _jinka(*words, "--share", bureau.parent / "nowhere.json", code=3)
    assert not (bureau / LOG).exists()
    assert not (bureau / "orders/order-1/cards").exists()
    made = json.loads(_jinka(*words, *_shares(bureau, "CA"), "--json").stdout)
    assert made["made"] == 3
    acts = _acts(bureau)
    assert acts[0] == "log.opened"
    assert acts.count("keys.seal_image") == 3
    assert "keys.chip_keys" in acts
    assert not list(bureau.glob("custodians/*/share*")), "the shares stay where they are"
    _jinka(*words, *_shares(bureau, "AB"))  # the log was closed, and is taken up again
    assert _acts(bureau)[: len(acts)] == acts


def test_shares_without_a_store_hold_no_ceremony(bureau: Path, tmp_path: Path) -> None:
    words = ("--profile", TRANSIT, "--cards", 3, "--dir", tmp_path / "typo")
    refused = _jinka("issue", *words, *_shares(bureau, "AB"), code=3)
    assert "no key store" in refused.stderr
    assert not (tmp_path / "typo/keys").exists()


def test_keys_that_are_not_simulated_make_no_software_purse(tmp_path: Path) -> None:
    places = [word for name in "AB" for word in ("--custodian", f"{name}={tmp_path / name}")]
    _jinka("keys", "ceremony", tmp_path / "bureau", "--issuer", "issuer.szt", *places)
    words = ("issue", "--profile", TRANSIT, "--cards", 1, "--dir", tmp_path / "bureau")
    refused = _jinka(*words, *_shares(tmp_path / "bureau", "AB"), code=4)
    assert "simulated service only" in refused.stderr
    assert not (tmp_path / "bureau/orders/order-1/cards").exists()
    last = json.loads(list(read_audit_lines(tmp_path / "bureau" / LOG))[-1])
    assert (last["act"], last["outcome"]) == ("keys.chip_keys", "refused")


def test_letters_and_the_pool_take_shares_as_well(bureau: Path) -> None:
    words = ("issue", "--profile", BANK, "--cards", 1, "--dir", bureau, "--oda", "none")
    _jinka(*words, *_shares(bureau, "AB"))
    acts = _acts(bureau)
    assert acts.count("keys.seal_image") == 3, "the secret, the card, the letter"
    _jinka(*words, "--letters", code=4)
    [letter] = json.loads(_jinka(*words, "--letters", *_shares(bureau, "BC")).stdout)
    assert letter["pin"].isdigit()
    assert _acts(bureau)[len(acts) :] == ["keys.open_image"], "who reads PINs leaves a trace"
    drawn = json.loads(_jinka(*words, "--draw", *_shares(bureau, "AC"), "--json").stdout)
    assert drawn == {"drawn": 1}
    assert _acts(bureau)[-1] == "keys.seal_image"
    size = (bureau / LOG).stat().st_size
    shares = [Path(word) for word in _shares(bureau, "AB") if word != "--share"]
    assert scan([bureau], [bureau], shares=shares).findings == ()
    assert (bureau / LOG).stat().st_size == size, "what is scanned is not written to"


def test_no_file_has_its_name_before_the_log_is_durable(
    bureau: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails under the log: the slice leaves nothing that counts, and the order goes on afterwards."""
    shares = tuple(Path(word) for word in _shares(bureau, "AB") if word != "--share")
    options = IssueOptions(directory=bureau, profile=TRANSIT, cards=4, slice_size=2, share_files=shares)
    whole, commits = AuditLog.commit, 0

    def failing(log: AuditLog, number: int | None = None) -> None:
        nonlocal commits
        commits += log.origin.startswith("keys/")
        if commits > 2:  # the first begins the log, the second is the first slice's
            raise JinkaError("no space is left", where="log")
        whole(log, number)

    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "commit", failing)
        with pytest.raises(JinkaError, match="no space is left"):
            issue(options)
    assert [path.name for path in sorted((bureau / "orders/order-1/cards").glob("[0-9]*"))] == ["0000"]
    done = issue(options)
    assert (done.before, done.made) == (2, 2)
    assert _acts(bureau).count("keys.seal_image") == 4


def test_a_log_that_another_program_writes_is_refused(bureau: Path) -> None:
    with AuditLog(bureau / LOG, origin="keys/issuer.szt/keys", clock=SystemClock()):
        words = ("issue", "--profile", TRANSIT, "--cards", 1, "--dir", bureau)
        assert "another program writes" in _jinka(*words, *_shares(bureau, "AB"), code=4).stderr
    _jinka(*words, *_shares(bureau, "AB"))
