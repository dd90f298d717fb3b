"""Files of taps, folders and dates as nobody should hand them in: a finding or one sentence, never a traceback."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app import DayOptions
from jinka.app import day as city_day
from jinka.sectors.shenzhen_taps import read_taps
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.sim.replay import plan_from_file
from tests.journeys.city import day, jinka, jinka_here

HEADER = "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark"
ROW = "{card},{at},巴士,160,200,{device},{company},M506,01620D,0"


def row(card, *, at="2018-09-01 11:17:55", device="231017343", company="巴士集团"):
    return ROW.format(card=card, at=at, device=device, company=company)


def text_of(*rows):
    return "\n".join([HEADER, *rows]) + "\n"


def test_hostile_rows_cost_themselves_alone(tmp_path):
    rows = [
        row("FIAAAEIFD"),
        row("FIAAAEIFE", device="900000000"),
        row("FIAAAEIFF", at="9999-12-31 23:59:59"),
        row("FIAAAEIFG", at="2018-09-02 00:00:00"),
        row("FIAAAEIFH", company="另一公司"),
        row("FIAAAEIFI"),
        row("FIAAAEIFJ", company='"巴士集团'),
        row("FIAAAEIFA", company="?"),
    ]
    taps = tmp_path / "taps.csv"
    taps.write_bytes(text_of(*rows).encode().replace(b"?", b"\xff"))
    report = day(tmp_path / "day", "--taps", taps, code=6)
    assert (report["rows_read"], report["taps"], report["charged_fen"]) == (8, 3, 480)
    assert report["books_balance"] is True
    assert report["unexplained"] == 0
    assert {(f["code"], f["where"]) for f in report["finding_samples"]} == {
        ("ROW_UNREADABLE", "taps.csv:4"),
        ("DATE_OUTSIDE_FILE_DAY", "taps.csv:5"),
        ("DEVICE_CONFLICT", "taps.csv:6"),
        ("ROW_UNREADABLE", "taps.csv:8"),
        ("ROW_UNREADABLE", "taps.csv:9"),
    }


def test_a_refused_tap_is_counted_and_the_day_goes_on(tmp_path, monkeypatch):
    content = text_of(row("FIAAAEIFD"), row("FIAAAEIFE"), row("FIAAAEIFF")).encode()
    plan = plan_from_file(read_taps(content, name="x"), SHENZHEN_2018, name="x", seed=1)
    dear = replace(plan.taps[0], gross_fen=2_000_000)
    expired = replace(plan.taps[2], at=plan.taps[2].at.replace(year=2045))
    plan = replace(plan, taps=(dear, plan.taps[1], expired))
    monkeypatch.setattr(city_day, "_plan", lambda _options: plan)
    report = city_day.run_day(DayOptions(directory=tmp_path / "day"))
    assert {f.code: f.count for f in report.findings}["TAP_REFUSED"] == 2
    assert (report.charged_fen, report.books_balance, report.unexplained, report.exit_code) == (
        160,
        True,
        0,
        6,
    )


def test_a_refused_file_leaves_no_day(tmp_path):
    taps = tmp_path / "taps.csv"
    for content in (b"", b"name,age\n", HEADER.encode(), b"\xff\xfe\0", b'{"data": [[[['):
        taps.write_bytes(content)
        done = jinka_here("day", "--taps", taps, "--dir", tmp_path / "day", code=2)
        assert "taps.csv" in done.stderr
        assert not (tmp_path / "day").exists()
    taps.write_text(text_of(row("FIAAAEIFD")))
    assert day(tmp_path / "day", "--taps", taps)["charged_fen"] == 160


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--dir", "{tmp}/file"), "a file stands where a folder is needed"),
        (("--dir", "{tmp}/file/day"), "a file stands where a folder is needed"),
        (("--dir", "{tmp}/" + "a" * 300), "the name is too long"),
        (("--taps", "{tmp}"), "is a folder"),
        (("--taps", "/dev/zero"), "no regular file"),
        (("--dir", "{tmp}/day", "--date", "9999-12-31"), "2000-01-01 to 2039-12-31"),
        (("--dir", "{tmp}/day", "--date", "0001-01-01"), "2000-01-01 to 2039-12-31"),
    ],
)
def test_ordinary_mistakes_are_one_sentence(tmp_path, arguments, words):
    (tmp_path / "file").touch()
    run = jinka if words == "the name is too long" else jinka_here
    done = run("day", "--riders", 5, *(text.format(tmp=tmp_path) for text in arguments), code=2)
    assert words in done.stderr
    assert "Errno" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_day_of_a_file_can_be_named(tmp_path):
    taps = tmp_path / "taps.csv"
    other = row("FIAAAEIFF", at="2018-09-02 10:00:00")
    taps.write_text(text_of(row("FIAAAEIFD"), row("FIAAAEIFE"), other))
    report = day(tmp_path / "day", "--taps", taps, "--date", "2018-09-02", code=6)
    assert (report["charged_fen"], report["source"]["business_date"]) == (160, "2018-09-02")
    assert "2018-09-01" in jinka_here("day", "--taps", taps, "--date", "2018-09-03", code=2).stderr
    assert "date" in jinka_here("day", "--taps", taps, "--dir", tmp_path / "day", code=2).stderr
