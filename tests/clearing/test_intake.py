"""Intake: whole batches, one reason, durable before acknowledged, and never twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from jinka.clearing import BatchReason, BatchStatus, IntakeResult, take_in
from jinka.codec import BATCH_SCHEMA, RECORD_SCHEMA
from jinka.codec.canonical import EMPTY_DIGEST, batch_digests, batch_header
from jinka.kit import Usage
from jinka.store import SqlJournal, open_database
from tests.clearing.soft_tacs import OpenKeys
from tests.clearing.world import World

Row = dict[str, Any]
KEYS = OpenKeys()
TERMINAL, NEIGHBOUR = b"\x10\0\0\0\0\x01", b"\x10\0\0\0\0\x02"
ACTIVE = frozenset((TERMINAL, NEIGHBOUR))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(tmp_path / "centre.db")
    yield engine
    engine.dispose()


@pytest.fixture
def journal(database: sa.Engine, tmp_path: Path) -> SqlJournal:
    return SqlJournal(database, tmp_path / "intake")


def seal(header: Row, rows: list[Row]) -> Row:
    """The header with the seal of its terminal over header and rows."""
    table = pa.Table.from_pylist(rows, schema=RECORD_SCHEMA)
    digest = dict(batch_digests(table)).get(header["batch"], EMPTY_DIGEST)
    names = ("terminal_id", "batch_no", "record_count", "total", "batch")
    raw = batch_header(**{name: header[name] for name in names})
    return header | {"seal": KEYS.seal_batch(terminal_id=header["terminal_id"], header=raw, digest32=digest)}


def batch(number: int, rows: list[Row], **false: Any) -> tuple[list[Row], Row]:
    """A batch of rows, and its header; ``false`` facts are sealed as they are."""
    name = number.to_bytes(16, "big")
    own = [
        row | {"batch": name, "batch_seq": place, "terminal_id": TERMINAL} for place, row in enumerate(rows)
    ]
    header: Row = {
        "batch": name,
        "terminal_id": TERMINAL,
        "batch_no": number,
        "record_count": len(rows),
        "total": sum(row["amount"] for row in rows),
    }
    return own, seal(header | false, own)


def deliver(
    journal: SqlJournal, *batches: tuple[list[Row], Row], name: str = "d", extra: list[Row] | None = None
) -> IntakeResult:
    rows = [row for own, _ in batches for row in own] + (extra or [])
    plain = [{name: row[name] for name in RECORD_SCHEMA.names} for row in rows]
    return take_in(
        name=name,
        records=pa.Table.from_pylist(plain, schema=RECORD_SCHEMA),
        batches=pa.Table.from_pylist([header for _, header in batches], schema=BATCH_SCHEMA),
        journal=journal,
        keys=KEYS,
        terminals=ACTIVE,
    )


def reasons(result: IntakeResult) -> list[BatchReason]:
    return [ack.reason for ack in result.acks]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return World.in_order(records=60, cards=10).rows


def test_good_batches_are_taken_in_with_record_ids_in_intake_order(
    journal: SqlJournal, rows: list[Row]
) -> None:
    result = deliver(journal, batch(1, rows[:20]), batch(2, rows[20:50]))
    assert reasons(result) == [BatchReason.ACCEPTED] * 2
    [file] = journal.accepted_files()
    table = pq.read_table(file)
    assert table.num_rows == 50
    ids = table["record_id"].to_pylist()
    assert len(set(ids)) == 50
    assert ids == sorted(ids)
    assert journal.parked_files() == []


def test_each_false_fact_parks_the_whole_batch_with_its_reason(journal: SqlJournal, rows: list[Row]) -> None:
    own, header = batch(2, rows[5:10])
    broken = header | {"seal": bytes(32)}
    result = deliver(
        journal,
        batch(1, rows[:5]),
        (own, broken),
        batch(3, rows[10:15], record_count=6),
        batch(4, rows[15:20], total=1),
        batch(5, rows[20:25], record_count=6, total=1),
    )
    assert reasons(result) == [
        BatchReason.ACCEPTED, BatchReason.PARKED_SEAL, BatchReason.PARKED_COUNT, BatchReason.PARKED_TOTAL,
        BatchReason.PARKED_COUNT,
    ]  # fmt: skip
    assert pq.read_table(journal.accepted_files()[0]).num_rows == 5
    assert pq.read_table(journal.parked_files()[0]).num_rows == 20


def test_a_record_changed_after_sealing_parks_the_batch(journal: SqlJournal, rows: list[Row]) -> None:
    for number, name in enumerate(set(RECORD_SCHEMA.names) - {"batch", "batch_seq"}, 1):
        own, header = batch(number, rows[:3])
        value = own[1][name]
        if value is None:
            own[1][name] = "x"
        elif isinstance(value, bytes):
            own[1][name] = bytes([value[0] ^ 1]) + value[1:]
        elif isinstance(value, str):
            own[1][name] = value + "x"
        else:
            own[1][name] = value.replace(year=2017) if name == "business_date" else value + 1
        result = deliver(journal, (own, header), name=name)
        assert reasons(result) == [BatchReason.PARKED_SEAL], name


def test_rows_may_come_in_any_order(journal: SqlJournal, rows: list[Row]) -> None:
    (first, h1), (second, h2) = batch(1, rows[:7]), batch(2, rows[7:12])
    mixed = [*first[::-1], *second]
    mixed = mixed[::2] + mixed[1::2]
    assert reasons(deliver(journal, (mixed, h1), ([], h2))) == [BatchReason.ACCEPTED] * 2


def test_a_replay_is_acknowledged_and_not_taken_in_again(journal: SqlJournal, rows: list[Row]) -> None:
    deliver(journal, batch(1, rows[:5]))
    again = deliver(journal, batch(1, rows[:5]), batch(2, rows[5:9]), name="other")
    assert [ack.status for ack in again.acks] == [BatchStatus.REPLAYED, BatchStatus.ACCEPTED]
    assert sum(pq.read_table(file).num_rows for file in journal.accepted_files()) == 9


def test_an_id_used_again_for_other_records_is_parked(journal: SqlJournal, rows: list[Row]) -> None:
    deliver(journal, batch(1, rows[:5]))
    assert reasons(deliver(journal, batch(1, rows[5:9]), name="other")) == [BatchReason.PARKED_REUSED]


def test_a_parked_batch_does_not_stand_in_the_way_of_the_true_one(
    journal: SqlJournal, rows: list[Row]
) -> None:
    own, header = batch(1, rows[:5])
    assert reasons(deliver(journal, (own, header | {"seal": bytes(32)}))) == [BatchReason.PARKED_SEAL]
    assert reasons(deliver(journal, (own, header), name="true")) == [BatchReason.ACCEPTED]


def test_the_same_delivery_again_gives_the_acknowledgements_of_the_journal(
    journal: SqlJournal, rows: list[Row]
) -> None:
    first = deliver(journal, batch(1, rows[:5]), batch(2, rows[5:9], total=0))
    again = deliver(journal, batch(1, rows[:5]), batch(2, rows[5:9], total=0))
    assert (first.again, again.again) == (False, True)
    assert again.acks == first.acks
    assert len(journal.all_acks()) == 2


def test_the_header_of_a_batch_twice_in_one_delivery_takes_its_records_in_once(
    journal: SqlJournal, rows: list[Row]
) -> None:
    own, header = batch(1, rows[:5])
    assert reasons(deliver(journal, (own, header), ([], header))) == [
        BatchReason.ACCEPTED,
        BatchReason.REPLAYED,
    ]
    assert pq.read_table(journal.accepted_files()[0]).num_rows == 5


def test_headers_of_one_batch_that_differ_park_it_whatever_their_seals(
    journal: SqlJournal, rows: list[Row]
) -> None:
    own, header = batch(1, rows[:5])
    false = [([], header | {"seal": bytes(31) + bytes([n])}) for n in range(2)]
    assert reasons(deliver(journal, (own, false[0][1]), false[1])) == [BatchReason.PARKED_HEADER] * 2
    assert reasons(deliver(journal, (own, header), false[0], name="b")) == [BatchReason.PARKED_HEADER] * 2
    assert reasons(deliver(journal, (own, header), name="true")) == [BatchReason.ACCEPTED]


def test_a_terminal_answers_for_its_own_records_alone(journal: SqlJournal, rows: list[Row]) -> None:
    unknown = b"\x99" * 6
    own, header = batch(1, rows[:5])
    own[3]["terminal_id"] = NEIGHBOUR
    stranger, its_header = batch(2, rows[5:8])
    stranger = [row | {"terminal_id": unknown} for row in stranger]
    result = deliver(
        journal,
        (own, seal(header, own)),
        (stranger, seal(its_header | {"terminal_id": unknown}, stranger)),
        batch(3, rows[8:10], terminal_id=unknown),
        batch(4, rows[8:10], terminal_id=NEIGHBOUR),
        batch(5, [], terminal_id=unknown),
    )
    assert reasons(result) == [BatchReason.PARKED_TERMINAL] * 5
    assert journal.accepted_files() == []


def test_records_twice_under_one_header_park_the_batch(journal: SqlJournal, rows: list[Row]) -> None:
    own, header = batch(1, rows[:5])
    assert deliver(journal, ([*own, *own], header)).acks[0].status is BatchStatus.PARKED
    places = [row | {"batch_seq": 0} for row in own]
    assert reasons(deliver(journal, (places, seal(header, places)), name="b")) == [BatchReason.PARKED_COUNT]


def test_records_without_a_header_are_parked(journal: SqlJournal, rows: list[Row]) -> None:
    orphans, _ = batch(7, rows[:2])
    result = deliver(journal, batch(1, rows[2:5]), extra=orphans)
    assert reasons(result) == [BatchReason.ACCEPTED, BatchReason.PARKED_HEADER]
    assert pq.read_table(journal.parked_files()[0]).num_rows == 2


def test_an_empty_batch_is_accepted(journal: SqlJournal) -> None:
    assert reasons(deliver(journal, batch(1, []))) == [BatchReason.ACCEPTED]
    assert journal.accepted_files() == []


def test_amounts_that_would_wrap_a_sum_do_not(journal: SqlJournal, rows: list[Row]) -> None:
    huge = [row | {"amount": 2**63 - 1} for row in rows[:4]]
    assert reasons(deliver(journal, batch(1, huge, total=-4))) == [BatchReason.PARKED_TOTAL]
    negative = [row | {"amount": -(2**62)} for row in rows[:1]]
    assert reasons(deliver(journal, batch(2, negative), name="n")) == [BatchReason.ACCEPTED]


def test_unknown_missing_and_empty_columns_are_refused_and_nothing_is_stored(
    journal: SqlJournal, rows: list[Row]
) -> None:
    own, header = batch(1, rows[:3])
    keep = set(RECORD_SCHEMA.names)
    table = pa.Table.from_pylist(
        [{k: v for k, v in row.items() if k in keep} for row in own], schema=RECORD_SCHEMA
    )
    headers = pa.Table.from_pylist([header], schema=BATCH_SCHEMA)
    nulled = table.set_column(8, RECORD_SCHEMA.field("amount"), pa.nulls(3, pa.int64()))
    bad = [
        (table.append_column("note", pa.array(["x"] * 3)), headers),
        (table.drop_columns(["psam_id"]), headers),
        (table.cast(table.schema.set(8, pa.field("amount", pa.int32()))), headers),
        (table.replace_schema_metadata(None), headers),
        (nulled, headers),
        (table, headers.drop_columns(["seal"])),
    ]
    for records, batches in bad:
        with pytest.raises(Usage):
            take_in(
                name="bad", records=records, batches=batches, journal=journal, keys=KEYS, terminals=ACTIVE
            )
    assert journal.all_acks() == []


def test_the_journal_is_append_only(journal: SqlJournal, rows: list[Row], tmp_path: Path) -> None:
    deliver(journal, batch(1, rows[:3]))
    with sqlite3.connect(tmp_path / "centre.db") as raw:
        for table in ("deliveries", "batches"):
            for verb in (f"DELETE FROM {table}", f"UPDATE {table} SET delivery = x'00'"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    raw.execute(verb)
    raw.close()


def test_a_crash_before_the_commit_leaves_a_file_that_the_next_try_replaces(
    journal: SqlJournal, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerFailure(Exception):
        pass

    def fail(*_: object) -> None:
        raise PowerFailure

    with monkeypatch.context() as patch:
        patch.setattr(journal._engine, "begin", fail)
        with pytest.raises(PowerFailure):
            deliver(journal, batch(1, rows[:5]))
    assert journal.accepted_files() == []
    result = deliver(journal, batch(1, rows[:5]))
    assert (result.again, reasons(result)) == (False, [BatchReason.ACCEPTED])
    assert [file.exists() for file in journal.accepted_files()] == [True]
