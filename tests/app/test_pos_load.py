"""The load driver: every request has an end, and the terminal's books are the switch's and the issuer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app.card_files import bank_template
from jinka.app.pos import Shown, opened_terminal, verb_named
from jinka.app.pos_load import LoadOptions, run_load
from jinka.card.emv_issue import contents
from jinka.codec import Algorithm
from jinka.kit import NotFound, Usage
from jinka.registry.check_digits import luhn_digit
from jinka.sectors.bank import SPEC
from tests.app.pos_rig import LATER, STRIPE, street
from tests.card.emv_rig import PAN, card_keys


def test_stripes_and_chips_under_load(tmp_path: Path) -> None:
    with street(tmp_path) as town:
        shop = town.toml(tmp_path / "shop", terminal="80000060")
        value = town.bank.value("101", STRIPE).value
        holders = tmp_path / "holders.csv"
        track = f"{STRIPE}=281210100000{value}"
        nobody = f"{PAN[:-1]}0".replace("622800", "622899")  # a card of this issuer that it never made
        nobody = nobody[:-1] + luhn_digit(nobody[:-1])
        holders.write_text(f"number,pin,track2\n{STRIPE},123456,{track}\n{nobody},,{nobody}=2812101000000\n")
        before = town.bank.available("S")
        told = run_load(LoadOptions(config=shop, rate=400, seconds=0.2, holders=holders, amount_fen=7))
        assert (told["requests"], told["answers"], told["unknown"]) == (80, 80, 0)
        assert told["codes"] == {"00": 40, "14": 40}
        assert (told["books_equal"], told["debit_fen"]) == (True, 280)
        assert town.bank.available("S") == before - 280
        assert told["p50_ms"] <= told["p99_ms"] <= told["p999_ms"] <= told["max_ms"]
        images = tmp_path / "images"
        images.mkdir()
        template, keys = bank_template(Algorithm.TDES), card_keys(Algorithm.TDES, LATER)
        (images / "one.jci").write_bytes(template.clone(keys, contents(SPEC, LATER)).to_bytes())
        chips = LoadOptions(config=shop, rate=20, seconds=0.2, images=images, lines=1)
        with opened_terminal(shop) as terminal:
            shown = Shown(track2=track, pin=lambda: "123456")
            assert terminal.with_card(verb_named("sale", atm=False), 500, shown).approved
        for _ in range(2):  # the cards are written back, so that their counters go on
            told = run_load(chips)
            assert (told["codes"], told["books_equal"]) == ({"00": 4}, True), told
        town.toml(tmp_path / "gone", terminal="80000061", port=1)
        with pytest.raises(NotFound, match="no line"):
            run_load(LoadOptions(config=tmp_path / "gone" / "pos.toml", rate=5, seconds=1, holders=holders))


def test_a_load_that_is_none() -> None:
    for wrong in ({"rate": 0}, {"rate": 99_999, "seconds": 3_000}, {"lines": 0}, {"images": Path("x")}):
        with pytest.raises(Usage):
            LoadOptions(**({"config": Path("x"), "rate": 1, "seconds": 1, "holders": Path("x")} | wrong))
