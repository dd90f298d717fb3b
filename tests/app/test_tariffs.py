"""Centres are told what they price by; a file that says nothing means the tariff of before."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from jinka.app import tariffs
from jinka.app.day_facts import FACTS, DayFacts, read_facts, write_facts
from jinka.app.options import TARIFF_DEFAULT
from jinka.app.sector_catalogue import all_sectors
from jinka.app.tariffs import application_named, prices_named
from jinka.app.workspace import Workspace
from jinka.kit import NotFound, Usage
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.sectors.transit_shenzhen import PROFILE, PURSE_LIMIT_FEN
from tests.app.centre_rig import CITIES, city_config


def test_a_tariff_of_any_sector_is_found_by_its_name() -> None:
    assert prices_named(TARIFF_DEFAULT).tariff is SHENZHEN_2018
    assert prices_named(TARIFF_DEFAULT).purse_limit == PURSE_LIMIT_FEN
    assert application_named("cn.shenzhen.transit") is PROFILE
    with pytest.raises(NotFound, match="no tariff"):
        prices_named("nowhere.2030")
    with pytest.raises(NotFound, match="no application"):
        application_named("nowhere")


def test_a_city_prices_by_what_its_file_names() -> None:
    terms = city_config(CITIES[0], "44").city
    other = city_config(CITIES[0], "44", tariff="beijing.2014").city
    assert terms is not None
    assert other is not None
    assert (terms.prices.tariff, other.prices.tariff.name) == (SHENZHEN_2018, "beijing.2014")
    with pytest.raises(NotFound, match="no tariff"):
        city_config(CITIES[0], "44", tariff="nowhere.2030")


def test_two_tariffs_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sectors = all_sectors()
    changed = dataclasses.replace(SHENZHEN_2018, gross_max_fen=1)
    campus = dataclasses.replace(sectors["campus"], tariffs={"cn.campus.purse": changed})
    monkeypatch.setattr(tariffs, "all_sectors", lambda: {**sectors, "campus": campus})
    prices_named.cache_clear()
    with pytest.raises(Usage, match="two tariffs"):
        prices_named(TARIFF_DEFAULT)
    prices_named.cache_clear()


def test_facts_of_before_mean_the_tariff_of_before(tmp_path: Path) -> None:
    facts = DayFacts(
        source="x", generated=True, region="440300", zone="Asia/Shanghai", first_date="2018-09-03",
        last_date="2018-09-03", seed=1, rows_read=0, duplicates_dropped=0, cards=0, inferred={}, findings=[],
        finding_samples=[], hours=[], counts={}, tariff="beijing.2014",
    )  # fmt: skip
    workspace = Workspace(tmp_path)
    write_facts(workspace, facts)
    assert read_facts(workspace) == facts
    path = workspace.field / FACTS
    told = json.loads(path.read_text())
    del told["tariff"]
    path.write_text(json.dumps(told))
    assert read_facts(workspace) == dataclasses.replace(facts, tariff=TARIFF_DEFAULT)
