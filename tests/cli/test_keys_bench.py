"""`jinka bench keys` runs, does what it claims to measure, and gives JSON and a table. No timing is asserted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from jinka.app import bench_keys
from jinka.cli.main import app
from jinka.kit import JinkaError, Usage
from tests.keys import hsm

SMALL = ["bench", "keys", "--seconds", "0.5", "--rows", "1000"]


def test_every_verb_has_a_rate_on_every_road() -> None:
    module = hsm.module()
    result = CliRunner().invoke(app, [*SMALL, "--module", str(module), "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    rates = found["rates_per_second"]
    assert list(rates) == ["soft", "soft over the socket", "SoftHSM2 over the socket"]
    assert {len(verbs) for verbs in rates.values()} == {11}
    assert all(rate > 0 for verbs in rates.values() for rate in verbs.values())
    assert list(found["ratio_to_soft_in_process"]) == list(rates)[1:]


def test_the_table_without_a_token() -> None:
    result = CliRunner().invoke(app, [*SMALL, "--no-token"])
    assert result.exit_code == 0, result.stderr
    assert "translate_pins (PINs)" in result.stdout
    assert "SoftHSM2" not in result.stdout


def test_services_that_do_not_agree_are_no_measurement() -> None:
    bench_keys._compare("verb", {"soft": (1, np.array([2])), "other": (1, np.array([2]))})
    with pytest.raises(JinkaError, match="other answers verb otherwise"):
        bench_keys._compare("verb", {"soft": (1, np.array([2])), "other": (1, np.array([3]))})


@pytest.mark.parametrize(("seconds", "rows"), [(0.1, 1000), (1.0, 1), (1e6, 1000)])
def test_bounds(seconds: float, rows: int) -> None:
    with pytest.raises(Usage):
        bench_keys.bench_keys(seconds, rows)
