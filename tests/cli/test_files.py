"""`jinka files`: a day out, a file in, two parties' files compared. Goal: what is read back is what was cleared, every
difference is found and counted to the fen, nothing half right is left behind, and no card number is shown.

Method: a day's folder of records made by hand, awkward values included; files changed line by line.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from jinka.app.day_facts import DayFacts
from jinka.cli.main import app
from jinka.codec.trade_files import LAYOUTS
from tests.clearing.outcomes import DATE, rows, write
from tests.codec.trade_files.lines import com_line

COUNT = 60


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["files", *map(str, words)])


def a_day() -> list[dict[str, Any]]:
    made = rows(COUNT)
    for number, row in enumerate(made):
        day = dt.date(2026, 3, 1 + number % 9)
        row |= {
            "local_date": bytes.fromhex(f"{day:%Y%m%d}"), "local_time": bytes.fromhex("081502"),
            "card_no": bytes.fromhex(f"0{6222021234567800000 + number:019d}"),
            "stop": "世界之窗" if number % 2 else None, "batch_seq": number, "batch": bytes(15) + b"\x01",
        }  # fmt: skip
        row["line"] = row["line"] or None
        if row["tac"] is not None and not 0 < len(row["tac"]) <= 16:
            row["tac"] = None
        if row["amount"] < 0 or row["amount"] >= 1 << 32:
            row |= {"outcome": "REJECTED", "reason": "AMOUNT_OUT_OF_RANGE"}
            row["amount"] = -5 if number else 1 << 60
    return made


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "day"
    for name in ("field", "centre"):
        (folder / name).mkdir(parents=True)
    facts = DayFacts(
        source="", generated=True, region="440300", zone="Asia/Shanghai", first_date=DATE.isoformat(),
        last_date=DATE.isoformat(), seed=0, rows_read=0, duplicates_dropped=0, cards=0,
        inferred={}, findings=[], finding_samples=[], hours=[], counts={},
    )  # fmt: skip
    (folder / "field" / "facts.json").write_text(json.dumps(asdict(facts)))
    write(folder / "centre" / "outcomes.parquet", a_day(), part=25)
    return folder


def exported(day: Path, out: Path, *more: object) -> bytes:
    done = run("export", day, "--out", out, *more)
    assert done.exit_code == 0, done.output
    return out.read_bytes()


def compared(first: Path, second: Path, *more: object) -> tuple[int, dict[str, Any]]:
    done = run("diff", first, second, "--json", *more)
    return done.exit_code, json.loads(done.stdout)


def test_a_day_comes_back_as_it_was_cleared(day: Path, tmp_path: Path) -> None:
    raw = exported(day, tmp_path / "a.txt")
    assert raw == exported(day, tmp_path / "b.txt"), "the same day gives the same bytes"
    assert (tmp_path / "a.txt").stat().st_mode & 0o077 == 0, "it names cards"
    done = run("import", tmp_path / "a.txt", "--out", tmp_path / "a.parquet", "--json")
    said = json.loads(done.stdout)
    assert (said["records"], said["total_minor"]) == (COUNT, sum(row["amount"] for row in a_day()))
    found = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert found == [{name: row[name] for name in found[0]} for row in a_day()]


def test_a_party_gets_its_own_records(day: Path, tmp_path: Path) -> None:
    assert len(exported(day, tmp_path / "a.txt", "--issuer", "nobody").splitlines()) == 2
    assert len(exported(day, tmp_path / "b.txt", "--acquirer", "acq").splitlines()) == COUNT + 2


def test_purchases_stand_in_a_unionpay_style_file(day: Path, tmp_path: Path) -> None:
    (tmp_path / "codes.toml").write_text('issuer = "01045840"\nacq = "48215840"\n')
    raw = exported(
        day, tmp_path / "c.txt", "--layout", "unionpay-com", "--institutions", tmp_path / "codes.toml"
    )
    paid = [row for row in a_day() if row["outcome"] == "PAID"]
    lines = raw.splitlines()
    assert len(lines) == len(paid)
    assert [int(line[62:74]) for line in lines] == [row["amount"] for row in paid]
    assert lines[0][:11] == b"48215840   "
    assert lines[0][42:61].decode() == paid[0]["card_no"].hex()[1:]
    assert lines[0][31:41].decode() == f"{paid[0]['local_date'].hex()[4:]}081502"


def test_a_long_code_asks_for_an_institution(day: Path, tmp_path: Path) -> None:
    (tmp_path / "codes.toml").write_text('issuer = "far too long a code"\n')
    done = run(
        "export",
        day,
        "--out",
        tmp_path / "c.txt",
        "--layout",
        "unionpay-com",
        "--institutions",
        tmp_path / "codes.toml",
    )
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "codes.toml"]


def test_a_file_that_is_wrong_at_its_end_leaves_nothing(day: Path, tmp_path: Path) -> None:
    raw = exported(day, tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(raw.replace(b"op.a", b"op.b"))
    done = run("import", tmp_path / "a.txt", "--out", tmp_path / "a.parquet")
    assert done.exit_code == 4
    assert "trailer, check" in done.output
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_a_value_that_no_record_has_is_refused(day: Path, tmp_path: Path) -> None:
    raw = exported(day, tmp_path / "c.txt", "--layout", "unionpay-com")
    (tmp_path / "c.txt").write_bytes(raw[:62] + b"x" + raw[63:])
    done = run("import", tmp_path / "c.txt", "--out", tmp_path / "c.parquet", "--layout", "unionpay-com")
    assert done.exit_code == 4
    assert "c.txt, record 1, amount, byte 62" in done.output


def test_the_same_file_has_no_differences(day: Path, tmp_path: Path) -> None:
    exported(day, tmp_path / "a.txt")
    code, said = compared(tmp_path / "a.txt", tmp_path / "a.txt")
    assert (code, said["equal"], said["sums"]["same"]["records"]) == (0, True, COUNT)


def test_every_kind_of_difference_is_counted(tmp_path: Path) -> None:
    lines = [com_line(f3=f"{n:06d}", f6=f"{n:012d}") for n in range(1, 9)]
    (tmp_path / "a.txt").write_bytes(b"".join(lines))
    changed = [
        lines[0],
        com_line(f3="000002", f6="000000000102", f12="00000009"),  # 1.00 more, another terminal
        com_line(f3="000003", f6="000000000003", f5="6222021234567899999"),  # another card
        *lines[4:6],  # without the fourth
        lines[6], lines[6],  # one of them twice
        lines[7],
        com_line(f3="000099", f6="000000000099"),
    ]  # fmt: skip
    (tmp_path / "b.txt").write_bytes(b"".join(reversed(changed)))
    code, said = compared(tmp_path / "a.txt", tmp_path / "b.txt", "--layout", "unionpay-com")
    assert code == 6
    assert {kind: (part["records"], part["total_minor"]) for kind, part in said["sums"].items()} == {
        "a": (8, 36), "b": (9, 238), "same": (4, 20), "differs": (2, 5), "only_a": (1, 4), "only_b": (1, 99),
        "doubled_a": (1, 7), "doubled_b": (2, 14),
    }  # fmt: skip
    assert said["fields"] == {"amount": 1, "terminal": 1, "pan": 1}
    assert said["amount_difference_minor"] == 100
    (first, second, *_) = said["first"]
    assert (first["record_a"], first["record_b"]) == (2, 8)
    assert first["fields"] == {"amount": ["2", "102"], "terminal": ["00000001", "00000009"]}
    assert second["fields"] == {"pan": ["******0123", "******9999"]}


def test_fields_may_be_ignored_but_no_key(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(com_line())
    (tmp_path / "b.txt").write_bytes(com_line(f23="D00000000004"))
    paths = (tmp_path / "a.txt", tmp_path / "b.txt", "--layout", "unionpay-com")
    assert compared(*paths)[0] == 6
    assert compared(*paths, "--ignore", "switch_fee")[0] == 0
    for field in ("trace", "nothing"):
        assert run("diff", *paths, "--ignore", field).exit_code == 2


def test_no_card_number_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(com_line())
    (tmp_path / "b.txt").write_bytes(com_line(f5="6222021234567890124"))
    for more in ((), ("--json",)):
        done = run("diff", tmp_path / "a.txt", tmp_path / "b.txt", "--layout", "unionpay-com", *more)
        assert "6222" not in done.output
        assert "0124" in done.output


def test_what_a_stranger_wrote_is_no_markup(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(com_line())
    (tmp_path / "b.txt").write_bytes(com_line(f13="[red]x[/red]"))
    done = run("diff", tmp_path / "a.txt", tmp_path / "b.txt", "--layout", "unionpay-com", "--lang", "zh")
    assert "[red]x[/red]" in done.output
    assert "内容不符" in done.output


def test_layouts_say_where_their_fields_come_from() -> None:
    listed = json.loads(run("layouts", "--json").stdout)
    assert [one["layout"] for one in listed] == list(LAYOUTS)
    for name in LAYOUTS:
        record = json.loads(run("layouts", name, "--json").stdout)["lines"]["record"]
        assert {field["origin"] for field in record} == {"jinka" if name == "city-union" else "public"}
    assert "交易金额" in run("layouts", "unionpay-com", "--lang", "zh").stdout
    assert run("layouts", "nothing").exit_code == 3
    assert run("export", "/nowhere", "--out", "x").exit_code == 3
