"""The issuer's books on SQL: one durable transaction for each write, SQLite or PostgreSQL.

Decides nothing: a row is what `jinka.issuer` made of it. One process writes. Card numbers lie sealed and are found by
their keyed hash; what is made of a number without a key (a card's id, a fingerprint) lies under the vault's cover.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jinka.crypto.number_vault import NumberVault
from jinka.issuer.accounts import AccountState, CardState, HolderAccount, IssuedCard
from jinka.issuer.authorisation import Channel, Entry, Kind
from jinka.issuer.books import Booking, State
from jinka.issuer.reasons import BY_WORD
from jinka.kit import Refused
from jinka.store.issuer_tables import accounts as account_table
from jinka.store.issuer_tables import cards as card_table
from jinka.store.issuer_tables import transactions
from jinka.store.ledger import SqlLedger

_CHUNK = 500
_CONTEXT = "issuer card"
_KINDS = {kind.word: kind for kind in Kind}
_CHANNELS = {channel.value[0]: channel for channel in Channel}
_STATES = {state.value[0]: state for state in State}
_CARD_STATES = {state.value[0]: state for state in CardState}
_ACCOUNT_STATES = {state.value[0]: state for state in AccountState}
_SAME = (
    "id", "fingerprint", "card", "account", "acquirer", "merchant", "category", "amount_fen", "at_micros", "original",
    "rule", "authorisation", "available_fen", "chip", "source", "hold", "taken_fen",
)  # fmt: skip
_TRUTHS = ("forced", "terminal_chip", "card_chip")
_COVERED = ("card", "fingerprint")
_CARD = (
    "account",
    "expiry4",
    "sequence",
    "pin_reference",
    "tries_left",
    "counter",
    "first_use_micros",
)


def _recent() -> sa.Select[Any]:
    """The newest of each card, oldest first."""
    columns = transactions.c
    newest = sa.func.row_number().over(
        partition_by=columns.card, order_by=(columns.at_micros.desc(), columns.seq.desc())
    )
    ranked = (
        sa.select(transactions, newest.label("newest"))
        .where(columns.card.in_(sa.bindparam("chosen", expanding=True)))
        .where(columns.at_micros >= sa.bindparam("since"), columns.kind != Kind.REVERSAL.word)
        .subquery()
    )
    rows = [ranked.c[column.name] for column in transactions.columns]
    return (
        sa.select(*rows)
        .where(ranked.c.newest <= sa.bindparam("most"))
        .order_by(ranked.c.at_micros, ranked.c.seq)
    )


def _by_keys(column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(column.table).where(column.in_(sa.bindparam("keys", expanding=True)))


_RECENT = _recent()
# Made once: to put a statement together costs more than to run it.
_CARDS, _ACCOUNTS = _by_keys(card_table.c.lookup), _by_keys(account_table.c.number)
_BOOKINGS = _by_keys(transactions.c.id)
_LAST = sa.select(sa.func.max(transactions.c.seq))


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
        self._put_booking = upsert(engine, transactions, ("id",), keep=("seq",))
        self._put_card = upsert(engine, card_table, ("lookup",), keep=("sealed",))
        self._put_account = upsert(engine, account_table, ("number",))

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

    def _connect(self) -> AbstractContextManager[sa.Connection]:
        """To read; in a block, what the block wrote as well."""
        outer = self._open_block()
        return self._engine.connect() if outer is None else nullcontext(outer)

    def _begin(self) -> AbstractContextManager[sa.Connection]:
        """To write; durable at the end of it, or of the block."""
        outer = self._open_block()
        return self._engine.begin() if outer is None else nullcontext(outer)

    def cards(self, pans: Iterable[str]) -> dict[str, IssuedCard]:
        vault = self._needed()
        wanted = {vault.digest(pan.encode()): pan for pan in pans}
        rows = self._read(_CARDS, wanted)
        return {wanted[row.lookup]: _card(row, wanted[row.lookup]) for row in rows}

    def accounts(self, numbers: Iterable[str]) -> dict[str, HolderAccount]:
        rows = self._read(_ACCOUNTS, numbers)
        return {
            row.number: HolderAccount(
                number=row.number, product=row.product, state=_ACCOUNT_STATES[row.state]
            )
            for row in rows
        }

    def bookings(self, ids: Iterable[bytes]) -> dict[bytes, Booking]:
        return {row.id: row for row in self._bookings(self._read(_BOOKINGS, ids))}

    def recent(self, cards: Iterable[bytes], since_micros: int, most: int) -> dict[bytes, list[Booking]]:
        found: dict[bytes, list[Booking]] = {card: [] for card in cards}
        wanted, rows = self._needed().cover(list(found)), list[Any]()
        with self._connect() as connection:
            for start in range(0, len(wanted), _CHUNK):
                chosen = {"chosen": wanted[start : start + _CHUNK], "since": since_micros, "most": most}
                rows += connection.execute(_RECENT, chosen).all()
        for booking in self._bookings(rows):
            found[booking.card].append(booking)
        return found

    def unfinished(self) -> list[Booking]:
        query = sa.select(transactions).where(transactions.c.state == State.RECEIVED.value[0])
        with self._connect() as connection:
            rows = connection.execute(query.order_by(transactions.c.seq)).all()
        return self._bookings(rows)

    def all_bookings(self) -> Iterator[Booking]:
        with self._engine.connect() as connection:
            query = sa.select(transactions).order_by(transactions.c.seq)
            for rows in connection.execution_options(yield_per=1_000).execute(query).partitions():
                yield from self._bookings(rows)

    def write(
        self,
        bookings: Sequence[Booking] = (),
        cards: Sequence[IssuedCard] = (),
        accounts: Sequence[HolderAccount] = (),
    ) -> None:
        with self._begin() as connection:
            if accounts:
                connection.execute(self._put_account, [_account_row(account) for account in accounts])
            if cards:
                connection.execute(self._put_card, [self._card_row(card) for card in cards])
            if bookings:
                last = connection.scalar(_LAST) or 0
                rows = [_booking_row(booking) | {"seq": last + 1 + n} for n, booking in enumerate(bookings)]
                self._needed()
                covered = self._turned([row[name] for row in rows for name in _COVERED], back=False)
                for number, row in enumerate(rows):
                    row["card"], row["fingerprint"] = covered[2 * number : 2 * number + 2]
                connection.execute(self._put_booking, rows)

    def _read(self, query: sa.Select[Any], keys: Iterable[Any]) -> list[Any]:
        wanted = sorted(set(keys))
        rows: list[Any] = []
        if not wanted:
            return rows
        with self._connect() as connection:
            for start in range(0, len(wanted), _CHUNK):
                rows += connection.execute(query, {"keys": wanted[start : start + _CHUNK]}).all()
        return rows

    def _needed(self) -> NumberVault:
        if self._vault is None:
            raise Refused("no vault", where="issuer books", fix="open them with the key service")
        return self._vault

    def _turned(self, ids: list[bytes], *, back: bool) -> list[bytes]:
        if self._vault is None or not ids:
            return ids
        return self._vault.uncover(ids) if back else self._vault.cover(ids)

    def _bookings(self, rows: Sequence[Any]) -> list[Booking]:
        ids = self._turned([getattr(row, name) for row in rows for name in _COVERED], back=True)
        pairs = zip(ids[::2], ids[1::2], strict=True)
        return [
            _booking(row, card, fingerprint) for row, (card, fingerprint) in zip(rows, pairs, strict=True)
        ]

    def _card_row(self, card: IssuedCard) -> dict[str, object]:
        vault, pan = self._needed(), card.pan.encode()
        row: dict[str, object] = {name: getattr(card, name) for name in _CARD}
        row |= {"lookup": vault.digest(pan), "sealed": vault.seal(pan, _CONTEXT)}
        return row | {"chip": int(card.chip), "state": card.state.value[0]}


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


def _account_row(account: HolderAccount) -> dict[str, object]:
    return {"number": account.number, "product": account.product, "state": account.state.value[0]}


def _card(row: Any, pan: str) -> IssuedCard:
    words = {name: getattr(row, name) for name in _CARD}
    return IssuedCard(pan=pan, **words, chip=bool(row.chip), state=_CARD_STATES[row.state])


def _booking_row(booking: Booking) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(booking, name) for name in _SAME}
    row |= {name: int(getattr(booking, name)) for name in _TRUTHS}
    latitude, longitude = booking.place_e6 or (None, None)
    return row | {
        "kind": booking.kind.word,
        "channel": booking.channel.value[0],
        "entry": booking.entry.value,
        "state": booking.state.value[0],
        "reason": booking.reason.word,
        "latitude_e6": latitude,
        "longitude_e6": longitude,
    }


def _booking(row: Any, card: bytes, fingerprint: bytes) -> Booking:
    words = {name: getattr(row, name) for name in _SAME} | {"card": card, "fingerprint": fingerprint}
    words |= {name: bool(getattr(row, name)) for name in _TRUTHS}
    return Booking(
        **words,
        kind=_KINDS[row.kind],
        channel=_CHANNELS[row.channel],
        entry=Entry(row.entry),
        state=_STATES[row.state],
        reason=BY_WORD[row.reason],
        place_e6=None if row.latitude_e6 is None else (row.latitude_e6, row.longitude_e6),
    )
