"""The log of base records, and what is kept of them. Goal: nothing is changed unseen, nothing is written in clear,
two writers lose nothing. Method: rows changed behind the register's back, files read as bytes, threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.crypto.number_vault import KEY_BYTES, NumberVault
from jinka.identity.base_records import LookRefused, Ref, Sought
from jinka.kit import Refused
from jinka.node.system import SystemRandomness
from jinka.store import open_database
from jinka.store.base_records import BaseRecords, Said
from jinka.store.base_records_book import Book
from jinka.store.base_records_cases import file_objection
from jinka.store.base_records_copies import fetch
from jinka.store.base_records_examine import examine_records
from tests.store.base_records_rig import (
    CHILD,
    DAY_US,
    LI,
    SECRETS,
    Register,
    at,
    family,
    look,
    overdue,
    register,
)


@pytest.fixture
def small(fresh_sqlite: object) -> Iterator[Register]:
    """The same on SQLite alone, for what the engine has no part in."""
    found = family(register(fresh_sqlite()))  # type: ignore[operator]
    yield found
    found.engine.dispose()


def _findings(world: Register) -> set[str]:
    with world.books.book() as book:
        return {finding.code for finding in examine_records(book).findings}


TAMPERING = {
    "UPDATE base_statements SET why = 'else' WHERE record = 1 AND seq = 2": {"STATEMENT_CHANGED"},
    "UPDATE base_statements SET valid_from = '1999-01-01' WHERE record = 1 AND seq = 2": {"STATEMENT_CHANGED"},
    "UPDATE base_statements SET digest = x'00' WHERE record = 1 AND seq = 1": {"VALUE_CHANGED"},
    "UPDATE base_statements SET sealed = (SELECT s.sealed FROM base_statements s WHERE s.record = 2 AND s.seq = 2) "
    "WHERE record = 1 AND seq = 2": {"VALUE_CHANGED"},
    "DELETE FROM base_statements WHERE record = 1 AND seq = 2": {"STATEMENT_MISSING"},
    "UPDATE base_records SET kind = 'card' WHERE number = 1": {"VALUE_CHANGED"},
    "UPDATE base_consents SET until_us = until_us + 1": {"CONSENT_CHANGED"},
    "UPDATE base_consents SET holder = 2": {"CONSENT_CHANGED"},
    "DELETE FROM base_consent_ends": {"CONSENT_CHANGED"},
    "UPDATE base_log SET body = replace(body, 'bank', 'tax') WHERE act = 'look'": {"BODY_CHANGED"},
    "UPDATE base_log SET body = 'garbage'": {"BODY_CHANGED", "NOT_NOTED", "CONSENT_CHANGED", "CASE_CHANGED"},
    "UPDATE base_log SET line = x'7b7d' WHERE seq = 3": {"UNREADABLE", "NOT_NOTED"},
    "UPDATE base_consents SET fields = '7'": {"CONSENT_CHANGED"},
    "UPDATE base_consents SET fields = 'x'": {"CONSENT_CHANGED"},
    "UPDATE base_cases SET machine = 'else'": {"CASE_CHANGED"},
    "UPDATE base_case_acts SET note = x'00'": {"CASE_CHANGED"},
    "UPDATE base_statements SET valid_to = 'never' WHERE record = 1 AND seq = 2": {"VALUE_CHANGED"},
    "UPDATE base_log_end SET edge = x'00'": set(),  # it is no evidence; nothing is written any more
    "UPDATE base_log SET holder = 2 WHERE act = 'look'": {"COLUMNS_CHANGED"},
    "DELETE FROM base_log WHERE seq = 3": {"MISSING", "NOT_NOTED"},
    "DELETE FROM base_log WHERE seq = (SELECT max(seq) FROM base_log)": {"END_CHANGED", "CASE_CHANGED"},
    "UPDATE base_log_end SET size = size - 1": {"END_CHANGED"},
    "UPDATE base_case_acts SET actor = 'health'": {"CASE_CHANGED"},
    "DELETE FROM base_case_acts": {"CASE_CHANGED"},
}  # fmt: skip


def test_every_change_behind_the_registers_back_is_found(fresh_sqlite: object) -> None:
    """Triggers and foreign keys are the first fence; who owns the file takes them away."""
    original = fresh_sqlite()  # type: ignore[operator]
    world = family(register(original))
    li = world.people["li"]
    given = world.consent(li, "bank", "loan-review", ["name"])
    world.books.look(look("bank", "loan-review", "name"), at(li))
    world.books.withdraw(li, given.number, officer="clerk")
    with world.books.book() as book:
        file_objection(book, li, li, 2, officer="clerk", text="wrong")
    assert _findings(world) == set()
    for table in ("base_statements", "base_log", "base_consents", "base_consent_ends", "base_case_acts"):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), world.engine.begin() as connection:
            connection.execute(sa.text(f"DELETE FROM {table}"))
    with world.engine.begin() as connection:
        triggers = connection.execute(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars()
        for name in triggers.all():
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
    for statement, codes in TAMPERING.items():
        with world.engine.connect() as connection:
            connection.execute(sa.text(statement))
            found = _findings_in(world, connection)
            connection.rollback()
        assert codes <= found, statement
    assert _findings(world) == set()
    world.engine.dispose()


def _findings_in(world: Register, connection: sa.Connection) -> set[str]:
    vault = NumberVault(b"k" * KEY_BYTES, SystemRandomness())
    book = Book(connection, world.books.catalogue, vault, world.clock)
    return {finding.code for finding in examine_records(book).findings}


def test_the_database_alone_holds_no_value(small: Register) -> None:
    li = small.people["li"]
    small.books.look(
        look("bank", "account-opening", "name", case=f"for {LI}", reason="call 13800138000"), at(li)
    )
    overdue(small, text="overdue, see 李雷")
    path = Path(str(small.engine.url.database))
    small.engine.dispose()
    raw = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    for secret in (*SECRETS, "see 李雷"):
        assert secret.encode() not in raw, secret
    assert CHILD.encode() not in raw


def test_another_secret_opens_nothing(fresh_sqlite: object) -> None:
    path = fresh_sqlite()  # type: ignore[operator]
    world = family(register(path))
    world.engine.dispose()
    other = register(path, key=b"x" * KEY_BYTES)
    with pytest.raises(Refused):
        other.books.record(Ref(kind="person", number=1))
    assert "VALUE_CHANGED" in _findings(other)
    other.engine.dispose()


def test_reprs_and_errors_hide_persons(small: Register) -> None:
    li = small.people["li"]
    seen = small.books.look(look("bank", "account-opening", "name", "identity_number", case="8"), at(li))
    record = small.books.record(li)
    sought = Sought(field="identity_number", value=LI)
    said = Said(field="name", value="李雷")
    for shown in (repr(seen), repr(record), repr(record.statements), repr(sought), repr(said)):
        assert not any(secret in shown for secret in SECRETS), shown
    small.consent(li, "bank", "loan-review", ["name"])
    small.books.open_copy(look("bank", "loan-review", "name"), at(li))
    with small.books.book() as book:
        messages = fetch(book, "bank", "zhao-liu")
    assert not any(secret in repr(messages) for secret in SECRETS)


def test_two_writers_at_once_lose_nothing(where: Path | str) -> None:
    """Each has an engine of its own; looks, refusals and writes interleave, and the log is one chain."""
    world = family(register(where))
    li, each = world.people["li"], 8
    before = len(world.books.log_rows())
    failures: list[BaseException] = []

    def work(name: str) -> None:
        engine = open_database(where)
        vault = NumberVault(b"k" * KEY_BYTES, SystemRandomness())
        books = BaseRecords(engine, world.books.catalogue, vault, world.clock)
        try:
            for turn in range(each):
                books.look(look("bank", "account-opening", "name", case=f"{name} {turn}"), at(li))
                with pytest.raises(LookRefused):
                    books.look(look("tax", "tax-assessment", "name"), at(li))
                said = [Said(field="sex", value="male")]
                books.write(li, said, department="public-security", officer="wang-wu", why=f"{name} {turn}")
        except BaseException as failure:
            failures.append(failure)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(world.books.log_rows()) == before + 3 * 3 * each
    assert _findings(world) == set()
    numbers = [said.seq for said in world.books.record(li).statements]
    assert numbers == list(range(1, len(numbers) + 1))
    world.engine.dispose()


def test_a_clock_that_goes_back_does_not_take_the_log_along(small: Register) -> None:
    small.clock.now -= DAY_US
    small.books.look(look("bank", "account-opening", "name", case="8"), at(small.people["li"]))
    assert _findings(small) == set()
