"""`jinka trace epc` and `jinka bench epc`: what they print, in both languages and as JSON, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jinka.app import bench_epc, bench_epc_schemes
from jinka.app.trace_epc import Asked, Kind, describe_codes, load_prefixes
from jinka.cli.main import app
from jinka.codec.tags import TagError
from jinka.codec.tags.bank import EpcBank, write_bank
from jinka.kit import JinkaError

TAG = "3074257BF7194E4000001A85"
URN = "urn:epc:id:sgtin:0614141.812345.6789"
LINK = "https://id.gs1.org/01/80614141123458/21/6789"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["trace", "epc", *words])


def data(code: str, **asked: Any) -> dict[str, Any]:
    return describe_codes([code], Asked(**asked))[0].data


@pytest.mark.parametrize(
    ("code", "prefix_digits"),
    [
        (TAG, None),
        (TAG.lower(), None),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.6789", None),
        (URN, None),
        ("https://shop.example/01/80614141123458/21/6789", 7),
        ("(01)80614141123458(21)6789", 7),
        ("]C10180614141123458216789", 7),
        ("^0180614141123458216789", 7),
        ("0180614141123458216789", 7),
        ("\x1d0180614141123458216789", 7),
    ],
)
def test_every_form_gives_all_others(code: str, prefix_digits: int | None) -> None:
    asked = Asked(prefix_digits=prefix_digits, filter_value=3)
    found = describe_codes([code], asked)[0].data
    assert found["epc"] == URN
    assert found["canonical"] == found["digital_link"] == LINK
    assert found["element_string"] == "(01)80614141123458(21)6789"
    assert found["company_prefix"] == "0614141"
    assert found["bits"]["sgtin-96"] == TAG
    assert set(found["bits"]) == {"sgtin-96", "sgtin-198", "sgtin+"}
    for name, value in found["bits"].items():
        again = describe_codes([value], Asked(prefix_digits=7))[0].data
        assert (again["scheme"], again["canonical"], again["filter"]) == (name, LINK, 3)


def test_tables_in_both_languages() -> None:
    english, chinese = run(TAG), run(TAG, "--lang", "zh")
    assert "point of sale" not in english.stdout
    assert "3 reserved" in english.stdout
    for words in ("贸易项目", "过滤值", "3 保留", "数字链接", "元素字符串", "规范标识", TAG):
        assert words in chinese.stdout
    assert "\x1b[" not in chinese.stdout


def test_several_codes_and_schemes_without_a_key() -> None:
    done = run(
        "3500E86F8000A9E000000586", "urn:epc:id:imovn:9176187", "FB342CDE795211411234538566CB0AFC4", "--json"
    )
    gid, vessel, dated = json.loads(done.stdout)
    assert gid["epc"] == gid["canonical"] == "urn:epc:id:gid:952056.2718.1414"
    assert gid["filter"] is None
    assert (gid["digital_link"], vessel["epc"], vessel["bits"]) == (None, "urn:epc:id:imovn:9176187", {})
    assert dated["digital_link"] == "https://id.gs1.org/01/79521141123453/21/32a%2Fb?17=220630"
    assert dated["epc"] is None
    assert "say how many digits" in dated["epc_missing"]


def test_data_of_a_barcode_goes_behind_the_epc() -> None:
    found = data("(01)06901028075763(21)A1(10)L7(17)271231", scheme="dsgtin+")
    assert found["epc"] == "urn:epc:id:sgtin:6901028075.076.A1"
    again = data(found["bits"]["dsgtin+"])
    assert again["element_string"] == "(01)06901028075763(21)A1(17)271231(10)L7"
    assert again["epc"] == found["epc"]


def test_chinese_codes() -> None:
    drug = data("81234567890123456789")
    assert (drug["kind"], drug["product"]) == ("drug", "8123456")
    assert "not public" in str(drug["checked"])
    assert drug["canonical"] is None
    goods = data("6901028075763")
    assert (goods["kind"], goods["company"], goods["item"]) == ("barcode", "6901028075", "76")
    assert goods["epc"] == "urn:epc:idpat:sgtin:6901028075.076.*"
    assert data("036000291452")["digital_link"] == "https://id.gs1.org/01/00036000291452"
    ecode = data("1000112345678", kind=Kind.ECODE)
    assert (ecode["version"], ecode["coding_system"], ecode["item"]) == ("1", "0001", "12345678")
    assert "药品标识码" in run("81234567890123456789", "--lang", "zh").stdout


def test_the_chip_of_a_tag() -> None:
    found = describe_codes(["E280116020007164AB60E10B"], Asked())[0].data
    assert (found["kind"], found["STID"]) == ("tid", "urn:epc:stid:x801.x160.x7164AB60E10B")


def test_the_whole_list_of_prefixes(tmp_path: Path) -> None:
    file = tmp_path / "gcp.json"
    file.write_text(json.dumps({"GCPPrefixFormatList": {"entry": [{"prefix": "0614141", "gcpLength": 7}]}}))
    assert data("(01)80614141123458(21)6789", prefixes=load_prefixes(file))["epc"] == URN
    assert run("6901028075763", "--prefixes", str(tmp_path / "none.json")).exit_code == 3
    file.write_text("{}")
    assert run("6901028075763", "--prefixes", str(file)).exit_code == 1


WRONG: list[tuple[tuple[str, ...], int, str]] = [
    (("307C257BF7194E4000001A85",), 1, "bits 11 to 13: no partition 7"),
    ((TAG + "0001",), 1, "bit 111: a bit of the padding is not zero"),
    ((TAG[:-2],), 1, "sgtin-96 has 96 bits, not 88"),
    (("E2801160600002", "--as", "tag"), 1, "no scheme has the header E2"),
    (("urn:epc:id:sgtin:0614141.81234.6789",), 1, "character 25"),
    (("urn:epc:tag:sgtin-96:9.0614141.812345.6789",), 1, "character 21"),
    (("urn:epc:tag:sgtin-96:1.0614141.812345.A",), 1, "without leading zeros"),
    ((TAG, "(01)80614141123459(21)1"), 4, "code 2, (01) 80614141123459: check digit 9 is wrong"),
    (("https://id.gs1.org/01/80614141123458/99/1",), 1, "character 37"),
    (("https://example.com/page",), 3, "names no GS1 key"),
    (("12345",), 2, "--as: tag, urn, link"),
    (("hello",), 2, "--as"),
    (("",), 2, "--as"),
    (("\N{GREEK SMALL LETTER ALPHA}" * 24,), 2, "--as"),
    (("9" * 5000,), 2, "--as"),
    ((TAG, "--scheme", "sgtin-97"), 3, "sgtin-198"),
    ((TAG, "--scheme", "sscc-96"), 1, "holds no such code"),
    ((URN + "A", "--scheme", "sgtin-96"), 1, "take the longer encoding"),
    ((URN, "--scheme", "sgtin-96", "--filter", "9"), 1, "no filter value 9"),
    (("6901028075764",), 4, "3 belongs behind 690102807576"),
]
OPTIONS = {"--as": "kind", "--scheme": "scheme", "--filter": "filter_value"}


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_errors_say_where(words: tuple[str, ...], code: int, said: str) -> None:
    codes = [word for at, word in enumerate(words) if not {word, *words[:at][-1:]} & set(OPTIONS)]
    given: dict[str, Any] = {OPTIONS[word]: words[at + 1] for at, word in enumerate(words) if word in OPTIONS}
    if "filter_value" in given:
        given["filter_value"] = int(given["filter_value"])
    if "kind" in given:
        given["kind"] = Kind(given["kind"])
    with pytest.raises(JinkaError) as caught:
        describe_codes(codes, Asked(**given))
    assert caught.value.exit_code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(("words", "code", "said"), [WRONG[0], WRONG[7], WRONG[9], WRONG[10]])
def test_an_error_is_one_line(words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*words)
    assert done.exit_code == code, done.stdout + done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_whole_bank() -> None:
    raw = write_bank(EpcBank(epc=bytes.fromhex(TAG), attributes=1)).hex()
    found = describe_codes([raw], Asked(kind=Kind.BANK))[0].data
    assert (found["memory_bank"], found["epc"]) == (
        "urn:epc:tag:[att=x01]:sgtin-96:3.0614141.812345.6789",
        URN,
    )


@pytest.mark.parametrize(
    "code",
    [
        f"  {TAG}\n",
        f"0x{TAG}",
        " ".join(TAG[at : at + 2] for at in range(0, 24, 2)),
        "-".join(TAG[at : at + 4] for at in range(0, 24, 4)),
        f"urn:epc:raw:96.x{TAG}",
    ],
)
def test_hexadecimal_as_programs_show_it(code: str) -> None:
    found = data(code)
    assert (found["code"], found["epc"], found["scheme"]) == (TAG, URN, "sgtin-96")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (f"urn:epc:raw:100.x{TAG}", "100 bits are not 24 digits"),
        ("urn:epc:raw:96.xFF74257BF7194E4000001A85", "no scheme has the header FF"),
        (f"urn:epc:raw:96.xA1.x{TAG}", "urn:epc:id:"),  # a number of another kind: its family says so
        ("(01)06901028075763(21)", "it is 1 to 20 characters of the GS1 set"),
        ("(01)06901028075763(17)271301", "it is a date YYMMDD"),
        ("(8010)0614141a(8011)1", "capital letters, digits, #, - and /"),
        ("urn:epc:id:gid:1.02.3", "it is a number without leading zeros"),
        ("https://id.gs1.org/ARFKk4XB0CDKWcnpq", "compressed links are not read"),
    ],
)
def test_what_is_wrong_is_said_in_words(code: str, said: str) -> None:
    with pytest.raises(JinkaError) as caught:
        data(code)
    assert said in str(caught.value)
    assert "{1," not in str(caught.value)


def test_each_language_alone() -> None:
    for code, words in (
        ("81000000000000000001", ("format only", "仅格式")),
        ("F7380614141123458046A140", ()),
    ):
        english, chinese = (run(code, "--lang", lang).stdout for lang in ("en", "zh"))
        assert english.isascii()
        assert not words or (words[0] in english and words[1] in chinese and words[0] not in chinese)
    assert "trade item" in english  # although nobody says how long its company prefix is
    assert "贸易项目" in chinese
    assert "厂商识别代码的长度未知" in chinese
    assert "location" in run("https://id.gs1.org/414/0614141123452/254/A").stdout


def test_no_kind_of_code() -> None:
    done = run(TAG, "--as", "picture")
    assert done.exit_code == 2
    assert "barcode" in done.stderr


def test_the_bench_runs_beside_its_peer() -> None:
    done = CliRunner().invoke(app, ["bench", "epc", "--seconds", "0.1", "--rows", "4000"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["one_by_one_per_second"]) >= {"epcpy", "jinka, to the parts"}
    assert all(rate > 0 for rate in found["one_by_one_per_second"].values())
    assert found["batch"]["rows"] == 4000
    assert all(rate > 0 for rate in found["batch"].values())
    schemes = found["schemes_to_the_URN"]
    assert len(schemes["each"]) == 20
    assert schemes["least_ratio"] == min(row["ratio"] for row in schemes["each"].values())


def test_a_codec_that_reads_something_else_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(text: str) -> object:
        return type("Wrong", (), {"epc_uri": "urn:epc:id:sgtin:1"})()

    monkeypatch.setattr(bench_epc, "_peer", lambda: wrong)
    with pytest.raises(JinkaError, match="other URNs"):
        bench_epc.bench_epc(0.1, 2000)
    monkeypatch.undo()
    monkeypatch.setattr(bench_epc_schemes, "_peer", lambda scheme: wrong)
    with pytest.raises(JinkaError, match="two URNs of one sgtin-96"):
        bench_epc_schemes.bench_schemes(0.1, bench_epc._measure)
    monkeypatch.undo()
    monkeypatch.setattr(bench_epc, "decode_batch", _refuse)
    with pytest.raises(TagError):
        bench_epc.bench_epc(0.1, 2000)


def _refuse(rows: object) -> None:
    raise TagError("no", where="batch")
