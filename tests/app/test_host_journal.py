"""What the issuer's hosts concluded, kept and paid. Goal: an unload that its host confirmed is paid by a centre's real
run and no other is, and no restart lets a host conclude a counter twice. Method: a simulated day, to which a counter
with a real card, a real host and its journal adds one delivery; journals that were cut or altered.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.centre import ClearedDay, clear_uploads
from jinka.app.day import run_day
from jinka.app.day_facts import DayFacts, read_facts
from jinka.app.host_journal import HostJournal, HostJournals
from jinka.app.keyring import open_keys
from jinka.app.options import DayOptions
from jinka.app.progress import Silent
from jinka.app.road import Upload, outbox
from jinka.app.workspace import Workspace
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.issuer import LimitHost, ReleaseHost, UnloadHost
from jinka.kit import Refused
from jinka.registry import CARDS, Registry
from jinka.sectors.fuel import PROFILE
from jinka.sim.field import LOAD_DEVICE
from jinka.sim.parties import ACQUIRER, ISSUER, LOAD_AGENT
from jinka.sim.plan import terminal_id
from jinka.store import database_at, load_registry, save_registry
from jinka.terminal import PassbookDevice, PassbookTerminal
from jinka.terminal.batching import batch_id, close_batches
from tests.terminal.fuel_rig import AT as FUEL_AT
from tests.terminal.fuel_rig import CARD_NO, FAR_PUMP, Oil
from tests.terminal.fuel_rig import ISSUER as ISSUER_NUMBER
from tests.terminal.passbook_rig import AT, PIN, Bank

DESK = terminal_id(LOAD_DEVICE, 0)
BATCH_NO = 9_000
ZONE, DAY = "Asia/Shanghai", AT.date()


def counter(zone: str = ZONE, date: dt.date = DAY) -> PassbookTerminal:
    """A counter of the simulated city's load agent, for the oil company's cards."""
    return PassbookTerminal(
        PassbookDevice(
            terminal_id=DESK, aid=PROFILE.aid, profile=PROFILE.name, profile_version=1, zone=zone,
            operator=LOAD_AGENT, acquirer=ACQUIRER, issuers={ISSUER_NUMBER: ISSUER},
            unload_key_index=1, limit_key_index=1,
        ),
        date,
    )  # fmt: skip


def bank_with(journals: HostJournals) -> Bank:
    bank = Bank()
    bank.till.load(bank.card, 30_000, AT, bank.loads, pin=PIN)
    bank.unloads = UnloadHost(bank.keys, journals.unload)
    bank.limits = LimitHost(bank.keys, most={CARD_NO: 50_000}, concluded=journals.limit)
    return bank


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DayFacts, Registry]:
    """A day whose field has been played, and its registry with one more card; the centre is empty again."""
    folder = tmp_path_factory.mktemp("hosts") / "day"
    run_day(DayOptions(directory=folder, riders=40, seed=3))
    workspace = Workspace(folder)
    facts = read_facts(workspace)
    assert facts is not None
    with database_at(workspace.centre / "centre.db") as database:
        registry = load_registry(database)
    shutil.rmtree(workspace.centre)
    card = registry.cards.slice(0, 1).to_pylist()[0] | {
        "card_no": CARD_NO, "profile": PROFILE.name, "profile_version": 1, "algorithm": 0, "opening_balance": 0,
    }  # fmt: skip
    tables = {name: getattr(registry, name) for name in Registry.SCHEMAS}
    tables["cards"] = pa.concat_tables([registry.cards, pa.Table.from_pylist([card], schema=CARDS)])
    return folder, facts, Registry(**tables)


def cleared(folder: Path, facts: DayFacts, registry: Registry, record: ClearingRecord) -> ClearedDay:
    workspace = Workspace(folder)
    with database_at(workspace.centre / "centre.db") as database:
        save_registry(database, registry)
    keys = open_keys(workspace, facts.region)
    batch = batch_id(DESK, BATCH_NO)
    records = record_table([record], [batch], [0])
    extra = Upload(name="counter", records=folder / "c.records", batches=folder / "c.batches")
    pq.write_table(records, extra.records)
    pq.write_table(close_batches(records, {batch: (DESK, BATCH_NO)}, keys), extra.batches)
    return clear_uploads(workspace, facts, [*outbox(workspace), extra], keys=keys, progress=Silent())


@pytest.mark.parametrize(
    ("what", "reason"),
    [("concluded", "ACCEPTED"), ("nothing", "NOT_CONCLUDED"), ("another amount", "NOT_CONCLUDED")],
)
def test_an_unload_is_paid_by_a_run_when_its_host_concluded_it(
    what: str, reason: str, played: tuple[Path, DayFacts, Registry], tmp_path: Path
) -> None:
    folder, facts, registry = tmp_path / "day", played[1], played[2]
    shutil.copytree(played[0], folder)
    kept = Workspace(folder).centre if what != "nothing" else tmp_path / "elsewhere"
    bank = bank_with(HostJournals.at(kept))
    day = dt.date.fromisoformat(facts.first_date)
    at = dt.datetime.combine(day, dt.time(12, 0))
    record = counter(facts.zone, day).unload(bank.card, 12_000, at, bank.unloads, pin=PIN)
    if what == "another amount":
        journal = kept / "concluded/unload.jsonl"
        journal.write_text(journal.read_text().replace('"amount": 12000', '"amount": 12001'))
    found = cleared(folder, facts, registry, record)
    [row] = [row for row in found.outcomes.to_pylist() if row["card_no"] == CARD_NO]
    assert (row["reason"], row["amount"]) == (reason, 12_000)
    assert found.trial.balances
    assert sum(found.result.positions.values()) == 0
    others = {row.reason.name for row in found.result.by_reason if row.reason.name != reason}
    assert others <= {"ACCEPTED"}


def test_a_host_that_was_started_again_knows_what_it_concluded(tmp_path: Path) -> None:
    bank = bank_with(HostJournals.at(tmp_path))
    unload = counter().unload(bank.card, 4_000, AT, bank.unloads, pin=PIN)
    limit = counter().change_limit(bank.card, 3_000, AT, bank.limits, pin=PIN)
    again = HostJournals.at(tmp_path)
    assert list(again.unload.values()) == [unload]
    assert list(again.limit.values()) == [limit]
    assert again.attested().num_rows == 1, "a limit moves no money"
    host = UnloadHost(bank.keys, again.unload)
    host.conclude(unload)  # the counter's line broke before it had the answer
    assert len((tmp_path / "concluded/unload.jsonl").read_text().splitlines()) == 1
    with pytest.raises(Refused, match="another answer"):
        host.conclude(unload.confirmed(bytes(4)))


def test_a_release_is_kept_and_its_claim_stays_settled(tmp_path: Path) -> None:
    oil = Oil()
    pump, office = oil.pump(), oil.pump(FAR_PUMP, "office")
    oil.host = ReleaseHost(oil.keys, FUEL_AT.date(), HostJournals.at(tmp_path).release)
    pump.lock(oil.card, FUEL_AT)
    claim = pump.settle(oil.card_no, 900)
    oil.host.take(claim)
    assert office.release_online(oil.card, FUEL_AT, oil.host) == 900
    journals = HostJournals.at(tmp_path)
    assert [record.amount for record in journals.release.values()] == [900]
    assert journals.attested().num_rows == 1
    again = ReleaseHost(oil.keys, FUEL_AT.date(), journals.release)
    again.take(claim)
    assert not again.claims, "it was released already"


def test_a_journal_is_append_only_and_read_with_care(tmp_path: Path) -> None:
    bank = bank_with(HostJournals.at(tmp_path))
    record = counter().unload(bank.card, 4_000, AT, bank.unloads, pin=PIN)
    place, path = (CARD_NO, record.counter), tmp_path / "concluded/unload.jsonl"
    journal = HostJournal(path)
    with pytest.raises(Refused, match="stays"):
        del journal[place]
    with pytest.raises(Refused, match="concluded twice"):
        journal[place] = record.confirmed(bytes(4))
    with pytest.raises(Refused, match="another card's"):
        journal[place[0], 5] = record
    whole = path.read_text()
    path.write_text(whole + whole.rstrip()[:-9])  # a line that was cut while it was written
    assert list(HostJournal(path).values()) == [record]
    path.write_text(whole + whole)
    with pytest.raises(Refused, match="concluded twice"):
        HostJournal(path)
    row = json.loads(whole)
    for wrong in ("{}", "[]", "5", "x", json.dumps(row | {"more": 1}), json.dumps(row | {"card_no": "zz"}),
                  json.dumps(row | {"state": 77})):  # fmt: skip
        path.write_text(wrong + "\n")
        with pytest.raises(Refused, match="not a record"):
            HostJournal(path)
