"""The issuer's books on SQL: one durable transaction for each write, SQLite or PostgreSQL.

Decides nothing: a row is what `jinka.issuer` made of it. One process writes. Card numbers lie sealed and are found by
their keyed hash; what is made of a number without a key (a card's id, a fingerprint) lies under the vault's cover.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jinka.crypto.number_vault import NumberVault
from jinka.issuer.accounts import AccountState, CardState, HolderAccount, IssuedCard
from jinka.issuer.authorisation import Kind
from jinka.issuer.books import Booking, Deed, State
from jinka.kit import Refused
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
_SINCE = f"AND t.at_micros >= %s AND t.kind <> '{Kind.REVERSAL.word}' ORDER BY t.at_micros DESC, t.seq DESC LIMIT %s"
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
        self._bookings = TableStatements(engine, transactions, "id", keep=("seq",))
        self._cards = TableStatements(engine, card_table, "lookup", keep=("sealed",))
        self._accounts = TableStatements(engine, account_table, "number")

    @contextmanager
    def together(self) -> Iterator[None]:
        if self._open_block() is not None:
            yield
            return
        with self._engine.begin() if self._ledger is None else self._ledger.together() as connection:
            self._block.connection = connection
            try:
                yield
            finally:
                self._block.connection = None

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
        with self._engine.begin() as connection:
            yield connection.connection.driver_connection

    def cards(self, pans: Iterable[str]) -> dict[str, IssuedCard]:
        vault = self._needed()
        wanted = {vault.digest(pan.encode()): pan for pan in pans}
        with self._reading() as raw:
            rows = self._cards.read(raw, sorted(wanted), _CARD_READ)
        return {wanted[row[0]]: _card(wanted[row[0]], row) for row in rows}

    def accounts(self, numbers: Iterable[str]) -> dict[str, HolderAccount]:
        with self._reading() as raw:
            rows = self._accounts.read(raw, sorted(set(numbers)), _ACCOUNT)
        return {
            number: HolderAccount(number=number, product=product, state=_ACCOUNT_STATES[state])
            for number, product, state in rows
        }

    def bookings(self, ids: Iterable[bytes]) -> dict[bytes, Booking]:
        with self._reading() as raw:
            rows = self._bookings.read(raw, sorted(set(ids)))
        return {row.id: row for row in self._uncovered(rows)}

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
            rows = self._bookings.read(raw, [State.RECEIVED.value[0]], by="state")
        return self._uncovered(sorted(rows, key=lambda row: row[_SEQ]))

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
        """What was received is written whole; of what is decided the outcome, if it was written before."""
        self._needed()
        received = [b for b in bookings if b.state is State.RECEIVED]
        decided = [b for b in bookings if b.state is not State.RECEIVED]
        if decided and not self._bookings.update(raw, OUTCOME, [outcome_row(b) for b in decided]):
            received += decided
        if not received:
            return
        last = raw.execute(_LAST).fetchone()[0] or 0
        covered = self._turned([id_ for b in received for id_ in (b.card, b.fingerprint)], back=False)
        rows = [
            stored_row(booking, last + 1 + n, covered[2 * n], covered[2 * n + 1])
            for n, booking in enumerate(received)
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
