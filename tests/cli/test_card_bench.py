"""`jinka bench card` runs, does what it claims to measure, and gives JSON. No timing is asserted."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from jinka.app import bench_card
from jinka.cli.main import app
from jinka.kit import JinkaError


def test_the_bench_gives_rates_and_sizes() -> None:
    result = CliRunner().invoke(app, ["bench", "card", "--seconds", "0.5"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    rates = [name for name in found if name.endswith("per_second")]
    assert len(rates) == 8
    assert all(found[name] > 0 for name in rates)
    assert found["image_bytes_fresh"] < found["image_bytes_used"] < 2048, "a million used cards in under 2 GB"
    four = [found[f"four_applications_image_bytes_{age}"] for age in ("fresh", "used")]
    assert found["image_bytes_used"] < four[0] < four[1] < 2048


def test_a_purchase_without_data_authentication_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bench_card.make_bank_cards
    monkeypatch.setattr(
        bench_card, "make_bank_cards", lambda holders, **given: whole(holders, **given | {"authority": None})
    )
    with pytest.raises(JinkaError, match="bench card"):
        bench_card._bank_rates(0.1)
