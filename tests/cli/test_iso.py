"""`jinka iso`, `jinka bench iso8583` and `jinka fuzz iso8583`: what they print, what they refuse, how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app import bench_iso8583, fuzz_iso8583
from jinka.cli.main import app
from jinka.codec.iso8583 import DIALECTS, Codec, Message, dialect
from jinka.kit import JinkaError
from tests.vectors.test_unionpay_pos_message import WIRE

PAN = "6222021234567890123"
SALE = Message(
    mti="0200",
    fields={
        2: PAN,
        3: "000000",
        4: "000000012300",
        43: "[red]SHOP[/red]".ljust(40),
        52: bytes.fromhex("0412AC8901234567"),
    },
)
RAW = dialect("iso1987-ascii").encode(SALE)


def run(*words: str, **more: object) -> Result:
    return CliRunner().invoke(app, ["iso", *words], **more)


def test_a_published_terminals_message(tmp_path: Path) -> None:
    file = tmp_path / "sale.bin"
    file.write_bytes(WIRE + WIRE)
    done = run(
        "describe", str(file), "--dialect", "unionpay-pos", "--framing", "unionpay-pos", "--lang", "zh"
    )
    assert done.exit_code == 0, done.stderr
    for words in (
        "银联POS终端",
        "tpdu 6000030000",
        "head 603210320072",
        "交易金额",
        "000000001234",
        "批次号",
    ):
        assert done.stdout.count(words) == 2, words
    plain = run("describe", WIRE.hex(), "--dialect", "unionpay-pos", "--framing", "unionpay-pos", "--json")
    data = json.loads(plain.stdout)
    assert data["fields"]["60"]["batch"] == "000001"
    assert data["masked"] is True


def test_masked_unless_it_is_test_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JINKA_TEST_DATA", raising=False)
    for form in ((), ("--json",)):
        shown = run("describe", RAW.hex(), *form)
        assert shown.exit_code == 0, shown.stderr
        assert PAN not in shown.stdout
        assert "622202*********0123" in shown.stdout
        assert "AC89" not in shown.stdout
        assert "[red]SHOP[/red]" in shown.stdout, "a stranger's text is no markup"
        refused = run("describe", RAW.hex(), "--unmask", *form)
        assert refused.exit_code == 4
        assert refused.stdout == ""
        assert PAN in run("describe", RAW.hex(), "--unmask", "--test-data", *form).stdout
    monkeypatch.setenv("JINKA_TEST_DATA", "1")
    assert PAN in run("describe", RAW.hex(), "--unmask").stdout


def test_json_goes_both_ways(tmp_path: Path) -> None:
    shown = run("describe", "-", "--unmask", "--test-data", "--json", input=RAW)
    file = tmp_path / "sale.json"
    file.write_text(shown.stdout)
    assert bytes.fromhex(run("encode", str(file)).stdout) == RAW
    file.write_text(run("describe", RAW.hex(), "--json").stdout)
    assert run("encode", str(file)).exit_code == 1, "what is masked cannot be sent"
    file.write_text("{")
    assert run("encode", str(file)).exit_code == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("describe", RAW.hex(), "--dialect", "iso1066"), 3, "unionpay-pos"),
        (("describe", "no/such/file"), 3, "neither a file"),
        (("describe", RAW.hex(), "--framing", "5-octal"), 2, "2-binary-tpdu"),
        (("describe", RAW[:-1].hex()), 1, "field 52"),
        (("describe", "00" + RAW.hex()), 1, "type"),
        (
            ("describe", WIRE.hex()[:-2], "--dialect", "unionpay-pos", "--framing", "unionpay-pos"),
            1,
            "inside a frame",
        ),
    ],
)
def test_errors_say_where(words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*words)
    assert done.exit_code == code
    assert said in done.stderr
    assert PAN not in done.stderr


def test_dialects_are_listed() -> None:
    assert set(json.loads(run("dialects", "--json").stdout)["dialects"]) == set(DIALECTS)
    assert "银联联网联合" in run("dialects", "--lang", "zh").stdout


def test_the_bench_runs_beside_its_peers() -> None:
    done = CliRunner().invoke(app, ["bench", "iso8583", "--seconds", "0.3"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["ratio"]) == {"pyiso8583", "iso8583sim"}
    assert all(rate > 0 for way in ("encode", "decode") for rate in found[f"{way}_per_second"].values())


def test_a_peer_that_writes_other_bytes_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Codec.encode
    monkeypatch.setattr(Codec, "encode", lambda self, message: right(self, message.changed({3: "000001"})))
    monkeypatch.setattr(Codec, "decode", lambda self, raw: Message(mti="0200", fields=bench_iso8583._SALE))
    with pytest.raises(JinkaError, match="other bytes"):
        bench_iso8583.bench_iso8583(0.1)


def test_the_fuzzer_holds_and_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["fuzz", "iso8583", "--seconds", "0.5", "--seed", "1", "--dir", str(tmp_path), "--json"]
    good = CliRunner().invoke(app, words)
    assert good.exit_code == 0, good.stdout
    assert json.loads(good.stdout)["messages"] > 100
    monkeypatch.setattr(fuzz_iso8583, "from_json", lambda spec, data: None)
    bad = CliRunner().invoke(app, words)
    assert bad.exit_code == 6
    found = json.loads(bad.stdout)
    assert "JSON does not restore" in found["failure"]
    assert "bytes: " in Path(found["kept"]).read_text()
