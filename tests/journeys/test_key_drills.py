"""Two drills with real cards, modules and terminals, by APDUs: a purchase key is switched by date; a PSAM is stolen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from jinka.app.key_acts import catalogue, perform
from jinka.codec.clearing import record_table
from jinka.keys import KeyName, Purpose, TacStatus, city_factor
from jinka.keys.acts import Act, move
from jinka.kit import Refused
from jinka.terminal import TapStatus
from jinka.terminal.key_choice import KeyPeriod
from tests.app.custody import drawn, held, places
from tests.journeys.federation import BALANCE, CITIES, TDES, Federation, balance

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
    for service in world.services.values():  # Load and TAC keys were not touched: every TAC is right
        batch = record_table(world.records, [bytes(16)] * len(world.records), range(len(world.records)))
        own = batch.set_column(
            batch.schema.get_field_index("issuer"), batch.schema.field("issuer"),
            [[service.issuer] * len(world.records)],
        )  # fmt: skip
        (chunk,) = own.combine_chunks().to_batches()
        assert set(service.verify_tacs(chunk).to_pylist()) == {TacStatus.OK}


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
    world.give(world.modules[psam_id], psam_id, (2,))
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
