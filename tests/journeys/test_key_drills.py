"""Two drills with real cards, modules and terminals, by APDUs: a purchase key is switched by date; a PSAM is stolen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jinka.app.key_acts import catalogue, perform
from jinka.app.key_report import stolen_psam, withdrawn
from jinka.card import Card, CardTemplate, Personal
from jinka.clearing.reasons import Reason
from jinka.codec.clearing import record_table
from jinka.crypto import diversify
from jinka.keys import KeyName, Purpose, TacStatus, city_factor
from jinka.keys.acts import Act, move
from jinka.kit import Refused, Usage
from jinka.profile import KeyUse
from jinka.registry import Registry
from jinka.reports import Language
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.terminal import TapStatus
from jinka.terminal.key_choice import KeyPeriod
from tests.app.custody import drawn, held, places
from tests.clearing.world import World
from tests.journeys.federation import BALANCE, CITIES, TDES, Federation, balance, issuer_number, only

SWITCH = dt.date(2019, 7, 1)
BEFORE, LAST, AFTER = (
    dt.datetime(2019, 6, 1, 8),
    dt.datetime(2019, 6, 30, 23, 59, 59),
    dt.datetime(2019, 7, 1),
)
SHENZHEN = city_factor(CITIES["shenzhen"])
# Of Shenzhen's cards the new version is asked for first, and the old one until the day before the switch.
PERIODS = (
    KeyPeriod(index=2, region8=SHENZHEN),
    KeyPeriod(index=1, region8=SHENZHEN, valid_to=SWITCH - dt.timedelta(days=1)),
    KeyPeriod(index=1),
)


def federation(folder: Path) -> Federation:
    held(folder)
    drawn(folder, "transport/TDES/1")
    return Federation(folder, today="2019-06-01")


def wallets(world: Federation) -> dict[tuple[str, tuple[int, ...]], list]:
    """Cards of every city that carry all versions, and Shenzhen's that carry the old or the new one alone."""
    made = {(city, (1, 2, 3)): world.cards(city, 2) for city in CITIES}
    for versions in ((1,), (2,)):
        made["shenzhen", versions] = world.cards("shenzhen", 2, versions=versions)
    return made


def play(
    world: Federation, moments: tuple[dt.datetime, ...]
) -> dict[tuple[str, tuple[int, ...], dt.datetime], set]:
    """Every card at every terminal at each moment: what came of it, by kind of card."""
    cards, found = wallets(world), {}
    for at in moments:
        for kind, some in cards.items():
            outcomes = [world.tap(t, card, at) for t in world.terminals.values() for card in some]
            found[(*kind, at)] = {(o.status, o.sw) for o in outcomes}
    for some in cards.values():
        for card in some:
            paid = sum(r.amount for r in world.records if r.card_no in bytes(card.nvm.memory))
            assert balance(card) == BALANCE - paid
    return found


DONE = {(TapStatus.DONE, 0)}
NO_KEY = {(TapStatus.REFUSED, 0x9403)}


def test_a_citys_purchase_key_is_switched_by_date(tmp_path: Path) -> None:
    world = federation(tmp_path)
    for city in CITIES:
        for number in (1, 2):
            world.terminal(city, number, periods=PERIODS)
    found = play(world, (BEFORE, LAST, AFTER))
    for (_, versions, at), outcomes in found.items():
        old_alone_and_late = versions == (1,) and at >= AFTER
        assert outcomes == (NO_KEY if old_alone_and_late else DONE), (versions, at)
    assert set(tac_statuses(world)) == {TacStatus.OK}  # load and TAC keys were not touched


def test_the_books_are_the_same_with_and_without_the_switch(tmp_path: Path) -> None:
    """A record does not say which purchase key was used: the same taps give the same records, TACs included."""
    worlds = []
    for name, periods in (("with", PERIODS), ("without", ())):
        world = federation(tmp_path / name)
        if worlds:  # the same keys: the store of the first, opened again
            world.folder = worlds[0].folder
            world.open()
        for city in CITIES:
            world.terminal(city, 1, periods=periods)
        for city in CITIES:
            for card in world.cards(city, 2):
                for at in (BEFORE, LAST, AFTER):
                    for terminal in world.terminals.values():
                        assert world.tap(terminal, card, at).status is TapStatus.DONE
        worlds.append(world)
    assert len(worlds[0].records) == 54
    assert worlds[0].records == worlds[1].records


def test_a_terminal_that_was_forgotten_is_refused_by_its_own_module(tmp_path: Path) -> None:
    world = federation(tmp_path)
    late = world.terminal("foshan", 1, periods=PERIODS, versions=(1,))  # nobody brought the new parent
    card, old = world.cards("shenzhen")[0], world.cards("shenzhen", versions=(1,))[0]
    assert world.tap(late, old, BEFORE).status is TapStatus.DONE
    outcome = world.tap(late, card, AFTER)
    assert (outcome.status, outcome.sw, balance(card)) == (TapStatus.REFUSED, 0x9403, BALANCE)
    psam_id = next(iter(world.modules))
    world.give(world.modules[psam_id], (2,))
    late = type(late)(late._data, world.modules[psam_id], late.pricer, SWITCH)
    assert world.tap(late, card, AFTER).status is TapStatus.DONE
    assert world.tap(late, old, AFTER).sw == 0x9403


def test_after_the_switch_nothing_is_made_under_the_old_version(tmp_path: Path) -> None:
    world = federation(tmp_path)
    key = KeyName.parse("purchase/TDES/1")
    perform(
        world.folder, Act.RETIRE, places(tmp_path, "Zhao", "Sun"), lambda store, _: move(store, key, Act.RETIRE),
        date=SWITCH.isoformat(),
    )  # fmt: skip
    world.open()
    service = world.services["shenzhen"]
    with pytest.raises(Refused, match="retired"):
        service.write_sam_key(
            psam_id=bytes(10), purpose=Purpose.PURCHASE, algorithm=TDES, version=1, rand4=bytes(4)
        )
    with pytest.raises(Refused, match="retired"):
        world.cards("shenzhen")
    assert len(world.cards("shenzhen", versions=(2, 3))) == 1
    assert catalogue(world.folder, key)[0]["state"] == "retired"


def counterfeit(world: Federation, parent: bytes) -> Card:
    """What a thief makes of a parent key: a card of Guangzhou that knows its purchase key and nothing else."""
    number = bytes.fromhex(f"0000{CITIES['guangzhou']}9999999999")
    city = diversify(TDES, parent, city_factor(CITIES["guangzhou"]))
    made_up = world.randomness.token_bytes(16)
    profile = only(1)
    keys = [diversify(TDES, city, number[2:]) if k.use is KeyUse.PURCHASE else made_up for k in profile.keys]
    personal = Personal(card_no=number, keys=tuple(keys), issuer=issuer_number("guangzhou"), balance=BALANCE)
    return Card.from_image(CardTemplate(profile).clone(personal), world.randomness)


def test_a_stolen_psam_is_listed_its_versions_withdrawn_and_what_stays_at_risk_reported(
    tmp_path: Path,
) -> None:
    world = federation(tmp_path)
    stolen = world.terminal("foshan", 1, versions=(1,)).psam_id
    switched = tuple(dataclasses.replace(period, region8=b"") for period in PERIODS[:2])
    for city in ("shenzhen", "guangzhou"):
        world.terminal(city, 2, periods=switched)
    shenzhen = world.terminals["shenzhen", 2]

    # The chip is opened: the national parent is there, and with it the purchase key of every card of every city.
    parent = world.services["shenzhen"].sam_key(Purpose.PURCHASE, algorithm=TDES, version=1)
    assert parent in bytes(world.modules[stolen].nvm.memory)
    fake, real = counterfeit(world, parent), world.cards("guangzhou")[0]
    false = world.tap(shenzhen, fake, BEFORE)
    assert false.status is TapStatus.DONE  # a terminal without a network cannot know
    assert world.tap(shenzhen, real, BEFORE).status is TapStatus.DONE
    assert tac_statuses(world) == [TacStatus.WRONG, TacStatus.OK]  # but the centre does

    # The report before anything is done, then the acts, then the report again.
    before = stolen_psam(world.folder, stolen.hex(), stolen_on="2019-06-01")
    assert [(key.name, key.state, key.next_version) for key in before.exposed] == [
        ("purchase/TDES/1", "active", "purchase/TDES/2")
    ]
    assert not before.settled
    assert not before.assumed
    key = KeyName.parse("purchase/TDES/1")
    perform(
        world.folder, Act.COMPROMISE, places(tmp_path, "Qian", "Sun"),
        lambda store, _: move(store, key, Act.COMPROMISE), date="2019-06-02",
    )  # fmt: skip
    world.open()
    for city in CITIES:
        with pytest.raises(Refused, match="compromised"):
            world.services[city].chip_keys(
                Purpose.PURCHASE, algorithm=TDES, version=1, factors8=np.zeros((1, 8), np.uint8)
            )
    registry = registry_of(world, stolen)
    after = stolen_psam(
        world.folder, stolen.hex(), registry=withdrawn(registry, stolen), stolen_on="2019-06-01",
        closed_on=SWITCH.isoformat(), last_expiry="2040-12-31",
    )  # fmt: skip
    assert after.settled
    assert (after.operator, after.listed, after.exposed[0].cards) == ("op.foshan", True, 1)
    assert (stolen_psam(world.folder, stolen.hex(), registry=registry).listed) is False

    # Until the switch the counterfeit is at risk, as the report says; from then on it is refused, real cards are not.
    for terminal in (world.terminals["shenzhen", 2], world.terminals["guangzhou", 2]):
        assert world.tap(terminal, fake, LAST).status is TapStatus.DONE
        outcome = world.tap(terminal, fake, AFTER)
        assert (outcome.status, outcome.sw) == (TapStatus.REFUSED, 0x9403)
        assert world.tap(terminal, real, AFTER).status is TapStatus.DONE

    data = json.loads(after.as_json())
    assert data["at_risk"][0]["until"]["en"].startswith("2019-07-01")
    assert data["at_risk"][1]["until"]["zh"].startswith("2040-12-31")
    for text in (after.as_text(), after.as_text(Language.ZH), after.as_html(), after.as_json()):
        assert stolen.hex() in text
        assert parent.hex() not in text.lower()
    assert "伪造卡" in after.as_text(Language.ZH)
    assert "Counterfeit" in after.as_html()


def test_a_module_of_which_nobody_noted_what_it_was_given_counts_as_having_had_all(tmp_path: Path) -> None:
    world = federation(tmp_path)
    report = stolen_psam(world.folder, "02" * 10)
    assert report.assumed
    assert {key.name.split("/")[0] for key in report.exposed} == {"purchase", "grey_lock"}
    assert not any(key.next_version for key in report.exposed)
    for bad in ("", "02", "zz" * 10, "02" * 11):
        with pytest.raises(Usage):
            stolen_psam(world.folder, bad)


def test_the_centre_rejects_what_a_withdrawn_module_claims_and_pays_the_others(tmp_path: Path) -> None:
    day = World.in_order()
    psam = next(row["psam_id"] for row in day.rows if not row["counter_kind"])
    day.registry = withdrawn(day.registry, psam)
    _, outcomes = day.clear(tmp_path)
    theirs = {row["record_id"] for row in day.rows if row["psam_id"] == psam and not row["counter_kind"]}
    assert 0 < len(theirs) < len(day.rows)
    rejected = {number for number, row in outcomes.items() if row["reason"] == Reason.UNKNOWN_PSAM.name}
    assert rejected == theirs


def tac_statuses(world: Federation) -> list[int]:
    batch = record_table(world.records, [bytes(16)] * len(world.records), range(len(world.records)))
    at = batch.schema.get_field_index("issuer")
    service = world.services["shenzhen"]
    own = batch.set_column(at, batch.schema.field("issuer"), [[service.issuer] * len(world.records)])
    (chunk,) = own.combine_chunks().to_batches()
    return service.verify_tacs(chunk).to_pylist()


def registry_of(world: Federation, psam_id: bytes) -> Registry:
    rows = {name: [] for name in Registry.SCHEMAS}
    terminal = psam_id[4:]
    rows["terminals"] = [
        {"terminal_id": terminal, "device": "1", "operator": "op.foshan", "acquirer": "acq", "line": None,
         "stop": None, "status": 1}
    ]  # fmt: skip
    rows["psams"] = [{"psam_id": psam_id, "terminal_id": terminal, "status": 1}]
    rows["cards"] = [
        {"card_no": bytes(10), "issuer": "i", "profile": PROFILE.name, "profile_version": 1, "holder": 1,
         "algorithm": int(TDES), "key_version": 1, "opening_counter": 0, "opening_online": 0,
         "opening_balance": 0, "status": 1}
    ]  # fmt: skip
    return Registry(
        **{name: pa.Table.from_pylist(rows[name], schema=Registry.SCHEMAS[name]) for name in rows}
    )
