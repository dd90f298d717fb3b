"""A shop's terminal with a real chip, the switch and the issuer's host: money moves once, or not at all.

Method: the street of `tests.app.pos_rig` is started once; each test has a terminal of its own folder and looks at the
issuer's books.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jinka.app.pos_config import opened_till, read_pos_file
from jinka.app.pos_counter import Counter, Tender
from jinka.card import Card
from jinka.node.system import SystemRandomness
from jinka.terminal import VERBS
from tests.app.pos_rig import Street, street
from tests.card.emv_rig import issued
from tests.terminal.emv_rig import Tap


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("street")) as there:
        yield there


@pytest.fixture(scope="module")
def card() -> Card:
    """The one card: its counter goes on from test to test, as the issuer's knowledge of it does."""
    return issued()


@contextmanager
def counter(file: Path, *, atm: bool = False) -> Iterator[Counter]:
    read = read_pos_file(file, atm=atm)
    with opened_till(read) as till:
        yield Counter(till, read.device, SystemRandomness())


def test_a_chip_sale_with_pin_is_one_of_all(town: Street, card: Card, tmp_path: Path) -> None:
    before = town.held
    with counter(town.toml(tmp_path)) as shop:
        slip = shop.serve(VERBS["sale"], 12_345, Tender(link=Tap(card), pin=lambda: "123456"))
        assert (slip.status, slip.code, slip.entry_mode) == ("done", "00", "05"), slip
        assert town.held == before - 12_345
