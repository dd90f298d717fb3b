"""The BIN table: the longest prefix of a card of that length wins, and hostile rows are findings.

Method: look-ups against a plain search through all rows; a table with every kind of bad row; the shared table.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jinka.cli.main import app
from jinka.kit import Refused, Severity, Usage
from jinka.registry.bins import Bin, BinTable, CardKind, parse_bins, require_card, write_bins
from tests.shared_data import DATA

HEAD = "bin,bank,type,length\n"
SHARED = DATA / "bin" / "bin.csv"
digits = st.text("0123", min_size=3, max_size=10)


@given(
    prefixes=st.lists(st.tuples(digits, st.sampled_from([16, 19])), unique=True, max_size=30),
    cards=st.lists(st.text("0123", min_size=15, max_size=19), max_size=20),
)
def test_the_longest_prefix_wins(prefixes: list[tuple[str, int]], cards: list[str]) -> None:
    rows = [Bin(prefix=p, length=n, bank=f"B{i}", kind=CardKind.DEBIT) for i, (p, n) in enumerate(prefixes)]
    table = BinTable(rows)
    for card in cards + [p.ljust(n, "0") for p, n in prefixes]:
        fitting = [row for row in rows if row.length == len(card) and card.startswith(row.prefix)]
        assert table.lookup(card) == max(fitting, key=lambda row: len(row.prefix), default=None)


BAD = [
    ("abc,ICBC,DC,19", "BIN_ROW"), ("62,ICBC,DC,19", "BIN_ROW"), ("6222021234567,ICBC,DC,19", "BIN_ROW"),
    ("622202,icbc,DC,19", "BIN_ROW"), ("622202,ICBC,XX,19", "BIN_ROW"), ("622202,ICBC,DC,20", "BIN_ROW"),
    ("622202,ICBC,DC,11", "BIN_ROW"), ("622202,ICBC,DC,-9", "BIN_ROW"), ("622202,ICBC,DC", "BIN_ROW"),
    ("622202,ICBC,DC,19,1", "BIN_ROW"), ("٦٢٢٢٠٢,ICBC,DC,19", "BIN_ROW"), ("622202,=CMD(),DC,19", "BIN_ROW"),
    ("622202," + "A" * 400 + ",DC,19", "BIN_ROW"), ('"622202,ICBC,DC,19', "BIN_ROW"),
    ("621260,SPABANK,CC,16", "BIN_AMBIGUOUS"), ("621260,ICBC,CC,16", "BIN_TWICE"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code"), BAD)
def test_a_bad_row_is_a_finding_and_nothing_else(row: str, code: str) -> None:
    table, findings = parse_bins(f"{HEAD}621260,ICBC,CC,16\n{row}\n\n621261,ABC,DC,19\n")
    assert [finding.code for finding in findings] == [code]
    assert findings[0].where == "bins:3"
    assert len(table.bins) == 2
    assert table.lookup("6212600000000000").bank == "ICBC", "the first meaning stays"
    assert table.lookup("6212610000000000000").bank == "ABC"


def test_heads_and_names() -> None:
    for text in ("", "bin;bank;type;length\n", "bank,name\n", "622202,ICBC,DC,19\n"):
        with pytest.raises(Usage):
            parse_bins(text)
    table, findings = parse_bins(
        f"\ufeff{HEAD}622202,ICBC,DC,19\n", "bank,name\nICBC,中国工商银行\nx,\nABC,\x07\n"
    )
    assert table.name_of("ICBC") == "中国工商银行"
    assert table.name_of("CMB") == "CMB"
    assert [finding.where for finding in findings] == ["names:3", "names:4"]
    assert parse_bins(write_bins(table))[0].bins == table.bins


@pytest.mark.parametrize(
    "card", ["", "622202", "6222021234567890123456", "62220212345678901x", "٦٢٢٢٠٢١٢٣٤٥٦٧٨٩٠"]
)
def test_what_is_no_card_number(card: str) -> None:
    with pytest.raises(Refused) as caught:
        require_card(card)
    assert not card or card not in str(caught.value)


@pytest.mark.data
@pytest.mark.skipif(not SHARED.exists(), reason="shared data folder absent: bin.csv is not at JINKA_DATA")
def test_the_shared_table() -> None:
    table, findings = parse_bins(SHARED.read_text(), (DATA / "bin" / "name.csv").read_text())
    assert not [finding for finding in findings if finding.severity is Severity.ERROR]
    assert len(table.bins) + len(findings) == 1709
    assert table.lookup("6222021234567890123").bank == "ICBC"
    assert table.lookup("6212600000000000").bank == "SPABANK"
    assert table.lookup("6212600000000000000").bank == "CSRCB", "the same prefix, cards of another length"
    for row in table.bins:
        found = table.lookup(row.prefix.ljust(row.length, "0"))
        assert found is not None
        assert found.prefix.startswith(row.prefix)


def test_import_and_look_up(tmp_path: Path) -> None:
    file, folder = tmp_path / "b.csv", tmp_path / "bins"
    file.write_text(f"{HEAD}622202,ICBC,DC,19\nbad\n", encoding="utf-8")
    run = CliRunner().invoke
    done = run(app, ["bin", "import", str(file), "--dir", str(folder), "--json"])
    assert done.exit_code == 6, done.stderr
    assert json.loads(done.stdout)["findings"][0]["where"] == "bins:3"
    found = run(app, ["bin", "lookup", "6222021234567890123", "--dir", str(folder), "--json"])
    assert json.loads(found.stdout)["bank"] == "ICBC"
    assert (
        "借记卡"
        in run(app, ["bin", "lookup", "6222021234567890123", "--dir", str(folder), "--lang", "zh"]).stdout
    )
    unknown = run(app, ["bin", "lookup", "4111111111111111", "--dir", str(folder)])
    assert unknown.exit_code == 3
    assert "4111111111111111" not in unknown.stderr
    assert run(app, ["bin", "lookup", "12", "--dir", str(folder)]).exit_code == 4
    assert run(app, ["bin", "lookup", "4111111111111111", "--dir", str(tmp_path)]).exit_code == 3
    (folder / "bins.json").write_text('{"rows": 1}')
    assert run(app, ["bin", "lookup", "4111111111111111", "--dir", str(folder)]).exit_code == 2
