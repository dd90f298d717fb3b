"""The issuer's books on SQL: one durable transaction for each write, SQLite or PostgreSQL.

Decides nothing: a row is what `jinka.issuer` made of it. One process writes. Card numbers lie sealed and are found by
their keyed hash; what is made of a number without a key (a card's id, a fingerprint) lies under the vault's cover.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jinka.crypto.number_vault import NumberVault
from jinka.issuer.accounts import AccountState, CardState, HolderAccount, IssuedCard
from jinka.issuer.authorisation import Kind
from jinka.issuer.books import NOT_THE_HOLDERS, Booking, Deed, State, Tries
from jinka.kit import Refused
from jinka.store.issuer_days import SqlDays
from jinka.store.issuer_intents import SqlIntents
from jinka.store.issuer_rows import DEED_COLUMNS, OUTCOME, booking_of, deed_of, outcome_row, stored_row
from jinka.store.issuer_tables import accounts as account_table
from jinka.store.issuer_tables import cards as card_table
from jinka.store.issuer_tables import transactions
from jinka.store.ledger import SqlLedger
from jinka.store.statements import Row, TableStatements

_CONTEXT = "issuer card"
_CARD_STATES = {state.value[0]: state for state in CardState}
_ACCOUNT_STATES = {state.value[0]: state for state in AccountState}
_CARD_CHANGES = (
    "account", "expiry4", "sequence", "pin_reference", "tries_left", "counter", "first_use_micros",
    "chip", "state",
)  # fmt: skip
_CARD_READ = ("lookup", *_CARD_CHANGES)
_ACCOUNT = ("number", "product", "state")
_SEQ = [column.name for column in transactions.columns].index("seq")
_LAST = "SELECT max(seq) FROM issuer_transactions"
_NEWEST = "SELECT max(at_micros) FROM (SELECT at_micros FROM issuer_transactions ORDER BY seq DESC LIMIT 10000) AS t"
_DEEDS = f"SELECT {', '.join(DEED_COLUMNS)} FROM issuer_transactions t"  # noqa: S608
_OTHERS = "".join([f" AND t.reason <> '{reason.word}'" for reason in NOT_THE_HOLDERS])
_COUNTED = f"AND t.at_micros >= %s AND t.kind <> '{Kind.REVERSAL.word}'{_OTHERS}"
_SINCE = f"{_COUNTED} ORDER BY t.at_micros DESC, t.seq DESC LIMIT %s"
# The newest of one card; of many at once where the engine can.
_RECENT = f"{_DEEDS} WHERE t.card = %s {_SINCE}".replace("%s", "?")
_RECENT_OF_ALL = (
    "SELECT d.* FROM unnest(%s::bytea[]) AS c(card) "  # noqa: S608
    f"CROSS JOIN LATERAL ({_DEEDS} WHERE t.card = c.card {_SINCE}) AS d"
)


class SqlIssuerBooks:
    """Implements `jinka.issuer.IssuerBooks` on a database opened by `open_database`.

    Without a vault transactions may be read, with their cards' ids covered: enough for reports. With the ledger of the
    same database, `together` is one transaction of both.
    """

    def __init__(
        self, engine: sa.Engine, vault: NumberVault | None = None, ledger: SqlLedger | None = None
    ) -> None:
        self._engine, self._vault, self._ledger = engine, vault, ledger
        self._block = threading.local()
        self._sqlite = engine.dialect.name == "sqlite"
        self._intents = SqlIntents(engine, vault)
        self._bookings = TableStatements(engine, transactions, "id", keep=("seq",))
        self._cards = TableStatements(engine, card_table, "lookup", keep=("sealed",))
        self._accounts = TableStatements(engine, account_table, "number")

    @contextmanager
    def together(self) -> Iterator[None]:
        if self._open_block() is not None:
            yield
            return
        try:
            with self._engine.begin() if self._ledger is None else self._ledger.together() as connection:
                self._block.connection = connection
                try:
                    yield
                    self._intents.store(connection.connection.driver_connection)
                finally:
                    self._block.connection = None
        except BaseException:
            self._intents.forget()
            raise

    @property
    def days(self) -> SqlDays:
        """The sums of business dates, and their comparisons."""
        return SqlDays(self._engine)

    def _open_block(self) -> sa.Connection | None:
        found: sa.Connection | None = getattr(self._block, "connection", None)
        return found

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """The driver's connection to read; in a block, what the block wrote as well."""
        outer = self._open_block()
        if outer is not None:
            yield outer.connection.driver_connection
            return
        with self._engine.connect() as connection:
            yield connection.connection.driver_connection

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """The driver's connection to write; durable at the end of it, or of the block."""
        outer = self._open_block()
        if outer is not None:
            yield outer.connection.driver_connection
            return
        try:
            with self._engine.begin() as connection:
                yield connection.connection.driver_connection
                self._intents.store(connection.connection.driver_connection)
        except BaseException:
            self._intents.forget()
            raise

    def cards(self, pans: Iterable[str]) -> dict[str, IssuedCard]:
        vault = self._needed()
        wanted = {vault.digest(pan.encode()): pan for pan in pans}
        with self._reading() as raw:
            rows = self._cards.read(raw, sorted(wanted), _CARD_READ)
            tries = self._intents.tries(raw)
        found = {wanted[row[0]]: _card(wanted[row[0]], row) for row in rows}
        for pan in tries.keys() & found.keys():
            found[pan] = replace(found[pan], tries_left=min(found[pan].tries_left, tries[pan]))
        return found

    def accounts(self, numbers: Iterable[str]) -> dict[str, HolderAccount]:
        with self._reading() as raw:
            rows = self._accounts.read(raw, sorted(set(numbers)), _ACCOUNT)
        return {
            number: HolderAccount(number=number, product=product, state=_ACCOUNT_STATES[state])
            for number, product, state in rows
        }

    def bookings(self, ids: Iterable[bytes]) -> dict[bytes, Booking]:
        with self._reading() as raw:
            wanted = set(ids)
            rows, received = self._bookings.read(raw, sorted(wanted)), self._intents.rows(raw)
            found = {row.id: row for row in self._uncovered(rows)}
            return found | {id_: received[id_] for id_ in received.keys() & wanted}

    def recent(self, cards: Iterable[bytes], since_micros: int, most: int) -> dict[bytes, list[Deed]]:
        found: dict[bytes, list[Deed]] = {card: [] for card in cards}
        covered = self._turned(list(found), back=False)
        with self._reading() as raw:
            if self._sqlite:
                rows = [row for card in covered for row in raw.execute(_RECENT, (card, since_micros, most))]
            else:
                with raw.cursor(binary=True) as cursor:
                    rows = cursor.execute(_RECENT_OF_ALL, (covered, since_micros, most)).fetchall()
        names = dict(zip(covered, found, strict=True))
        for row in reversed(rows):  # of each card the newest came first
            found[names[row[0]]].append(deed_of(row))
        return found

    def newest_micros(self) -> int:
        with self._reading() as raw:
            return raw.execute(_NEWEST).fetchone()[0] or 0

    def unfinished(self) -> list[Booking]:
        with self._reading() as raw:
            rows = self._bookings.read(raw, [State.RECEIVED.value[0]], by="state")  # of an earlier version
            received = list(self._intents.rows(raw).values())
        return self._uncovered(sorted(rows, key=lambda row: row[_SEQ])) + received

    def receive(self, bookings: Sequence[Booking], tries: Mapping[bytes, Tries]) -> None:
        with self._writing() as raw:
            self._intents.add(raw, bookings, tries)

    def tried(self) -> list[IssuedCard]:
        with self._reading() as raw:
            pans = list(self._intents.tries(raw))
        return list(self.cards(pans).values()) if pans else []

    def held(self, before_micros: int) -> list[Booking]:
        with self._reading() as raw:
            rows = self._bookings.read(raw, [State.HELD.value[0]], by="state")
        at = self._bookings.columns.index("at_micros")
        return self._uncovered([row for row in rows if row[at] < before_micros])

    def all_bookings(self) -> Iterator[Booking]:
        with self._engine.connect() as connection:
            query = sa.select(transactions).order_by(transactions.c.seq)
            for rows in connection.execution_options(yield_per=1_000).execute(query).partitions():
                yield from self._uncovered([tuple(row) for row in rows])

    def write(
        self,
        bookings: Sequence[Booking] = (),
        cards: Sequence[IssuedCard] = (),
        accounts: Sequence[HolderAccount] = (),
    ) -> None:
        with self._writing() as raw:
            if accounts:
                self._accounts.put(raw, [(a.number, a.product, a.state.value[0]) for a in accounts])
            if cards:
                self._write_cards(raw, cards)
            if bookings:
                self._write_bookings(raw, bookings)

    def _write_cards(self, raw: Any, cards: Sequence[IssuedCard]) -> None:
        vault = self._needed()
        self._intents.card_written(raw, [card.pan for card in cards])
        changes = [(*_card_row(card), vault.digest(card.pan.encode())) for card in cards]
        if self._cards.update(raw, _CARD_CHANGES, changes):
            return
        names = self._cards.columns
        sealed = [vault.seal(card.pan.encode(), _CONTEXT) for card in cards]
        rows = [
            dict(zip((*_CARD_CHANGES, "lookup", "sealed"), (*change, blob), strict=True))
            for change, blob in zip(changes, sealed, strict=True)
        ]
        self._cards.put(raw, [tuple([row[name] for name in names]) for row in rows])

    def _write_bookings(self, raw: Any, bookings: Sequence[Booking]) -> None:
        """New rows whole; of those that are there already, and were not received anew, the outcome."""
        received = self._intents.rows(raw)
        old = [b for b in bookings if b.id not in received]
        fresh = [b for b in bookings if b.id in received]
        if old and not self._bookings.update(raw, OUTCOME, [outcome_row(b) for b in old]):
            fresh += old
        self._intents.decided(raw, [b.id for b in bookings])
        if not fresh:
            return
        self._needed()
        last = raw.execute(_LAST).fetchone()[0] or 0
        covered = self._turned([id_ for b in fresh for id_ in (b.card, b.fingerprint)], back=False)
        rows = [
            stored_row(booking, last + 1 + n, covered[2 * n], covered[2 * n + 1])
            for n, booking in enumerate(fresh)
        ]
        self._bookings.put(raw, rows)

    def _needed(self) -> NumberVault:
        if self._vault is None:
            raise Refused("no vault", where="issuer books", fix="open them with the key service")
        return self._vault

    def _turned(self, ids: list[bytes], *, back: bool) -> list[bytes]:
        if self._vault is None or not ids:
            return ids
        return self._vault.uncover(ids) if back else self._vault.cover(ids)

    def _uncovered(self, rows: Sequence[Row]) -> list[Booking]:
        """Rows of all columns as bookings."""
        if not rows:
            return []
        at = self._bookings.columns.index
        card, fingerprint = at("card"), at("fingerprint")
        ids = self._turned([row[n] for row in rows for n in (card, fingerprint)], back=True)
        return [booking_of(row, ids[2 * n], ids[2 * n + 1]) for n, row in enumerate(rows)]


def upsert(
    engine: sa.Engine, table: sa.Table, key: tuple[str, ...], keep: tuple[str, ...] = ()
) -> sa.sql.dml.Insert:
    """INSERT that replaces a row of the same key, but for the columns to ``keep``."""
    made: Any = (postgresql if engine.dialect.name == "postgresql" else sqlite).insert(table)
    names = [column.name for column in table.columns if column.name not in (*key, *keep)]
    replaced: sa.sql.dml.Insert = made.on_conflict_do_update(
        index_elements=list(key), set_={name: made.excluded[name] for name in names}
    )
    return replaced


def _card_row(card: IssuedCard) -> Row:
    """In the order of `_CARD_CHANGES`."""
    return (
        card.account, card.expiry4, card.sequence, card.pin_reference, card.tries_left, card.counter,
        card.first_use_micros, int(card.chip), card.state.value[0],
    )  # fmt: skip


def _card(pan: str, row: Row) -> IssuedCard:
    _, account, expiry4, sequence, pin_reference, tries_left, counter, first_use_micros, chip, state = row
    return IssuedCard(
        pan=pan, account=account, expiry4=expiry4, chip=bool(chip), sequence=sequence, pin_reference=pin_reference,
        state=_CARD_STATES[state], tries_left=tries_left, counter=counter, first_use_micros=first_use_micros,
    )  # fmt: skip
