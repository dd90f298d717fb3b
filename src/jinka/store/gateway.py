"""The gateway's books in SQL: one transaction for each act, an outbox of callbacks beside the orders that they tell of.

Implements `jinka.acquirer.Books`. On PostgreSQL an order is locked when it is read, so that two processes do not begin
two operations on it; SQLite has one writer anyway. An idempotency key that another transaction took first is `Busy`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import sqlalchemy as sa

from jinka.acquirer import (
    Bill,
    Busy,
    Callback,
    KeyedAnswer,
    Kind,
    Merchant,
    Operation,
    OperationState,
    Order,
    OrderState,
    TokenRecord,
)
from jinka.store import gateway_tables as table

_ORDER_STATES = {state.word: state for state in OrderState}
_Row = Mapping[str, Any]
_T = TypeVar("_T")


class GatewayBooks:
    """Implements `jinka.acquirer.Books`, and keeps the outbox for who sends it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def desk(self) -> Iterator[GatewayDesk]:
        """One transaction."""
        with self._engine.begin() as connection:
            yield GatewayDesk(connection)


class GatewayDesk:
    """Implements `jinka.acquirer.Desk` inside one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def merchant(self, id_: str) -> Merchant | None:
        return _one(Merchant, self._row(table.merchants, table.merchants.c.id == id_))

    def merchant_by_key(self, key_hash: bytes) -> Merchant | None:
        return _one(Merchant, self._row(table.merchants, table.merchants.c.key_hash == key_hash))

    def merchants(self) -> list[Merchant]:
        """All merchants, by id."""
        found = sa.select(table.merchants).order_by(table.merchants.c.id)
        return [Merchant(**row) for row in self._rows(found)]

    def put_merchant(self, merchant: Merchant) -> None:
        """Add or change a merchant."""
        self._put(table.merchants, _values(merchant), table.merchants.c.id == merchant.id)

    def order(self, id_: bytes) -> Order | None:
        return _order(self._row(table.orders, table.orders.c.id == id_, lock=True))

    def order_by_page(self, page_key: bytes) -> Order | None:
        return _order(self._row(table.orders, table.orders.c.page_key == page_key, lock=True))

    def orders(self, merchant: str, before: bytes, most: int) -> Sequence[Order]:
        columns = table.orders.c
        found = sa.select(table.orders).where(columns.merchant == merchant)
        if (last := self._row(table.orders, columns.id == before)) is not None:
            place = sa.tuple_(columns.created_micros, columns.id)
            found = found.where(place < sa.tuple_(sa.literal(last["created_micros"]), sa.literal(before)))
        found = found.order_by(columns.created_micros.desc(), columns.id.desc()).limit(most)
        return [order for row in self._rows(found) if (order := _order(row)) is not None]

    def add_order(self, order: Order) -> None:
        self._connection.execute(table.orders.insert(), _order_values(order))

    def save_order(self, order: Order) -> None:
        self._save(table.orders, _order_values(order), table.orders.c.id == order.id)

    def operation(self, id_: bytes) -> Operation | None:
        row = self._row(table.operations, table.operations.c.id == id_)
        return None if row is None else _operation(row)

    def operations(self, order: bytes) -> Sequence[Operation]:
        columns = table.operations.c
        found = sa.select(table.operations).where(columns["order"] == order).order_by(columns.number)
        return [_operation(row) for row in self._rows(found)]

    def next_serial(self) -> int:
        last = self._connection.scalar(sa.select(sa.func.max(table.operations.c.serial)))
        return int(last or 0) + 1

    def add_operation(self, operation: Operation) -> None:
        try:
            self._connection.execute(table.operations.insert(), _operation_values(operation))
        except sa.exc.IntegrityError:  # another process took the serial or the place in the order
            raise Busy("another operation came first", where="order", fix="ask again") from None

    def save_operation(self, operation: Operation) -> None:
        self._save(table.operations, _operation_values(operation), table.operations.c.id == operation.id)

    def unresolved(self, before_micros: int, most: int) -> Sequence[Operation]:
        columns = table.operations.c
        unknown = columns.state == OperationState.UNKNOWN.value
        lost = sa.and_(columns.state == OperationState.OPEN.value, columns.at_micros < before_micros)
        found = sa.select(table.operations).where(sa.or_(unknown, lost))
        # By chance: some that cannot be settled keep no others waiting.
        return [_operation(row) for row in self._rows(found.order_by(sa.func.random()).limit(most))]

    def expiring(self, now_micros: int, most: int) -> Sequence[Order]:
        columns = table.orders.c
        found = sa.select(table.orders).where(
            columns.state == OrderState.CREATED.word, columns.expires_micros <= now_micros
        )
        rows = self._rows(found.order_by(columns.expires_micros).limit(most).with_for_update())
        return [order for row in rows if (order := _order(row)) is not None]

    def keyed(self, merchant: str, key: str) -> KeyedAnswer | None:
        columns = table.keys.c
        row = self._row(table.keys, sa.and_(columns.merchant == merchant, columns.key == key))
        if row is None:
            return None
        return KeyedAnswer(**{**row, "body": json.loads(row["body"]) if row["body"] else None})

    def add_keyed(self, keyed: KeyedAnswer) -> None:
        values = _values(keyed) | {"body": "" if keyed.body is None else json.dumps(keyed.body)}
        try:
            self._connection.execute(table.keys.insert(), values)
        except sa.exc.IntegrityError:
            raise Busy("the first request is under way", where="Idempotency-Key") from None

    def answer_keyed(self, operation: bytes, body: Mapping[str, Any]) -> None:
        columns = table.keys.c
        self._connection.execute(
            table.keys.update()
            .where(columns.operation == operation, columns.body == "")
            .values(body=json.dumps(body))
        )

    def forget_keys(self, before_micros: int) -> None:
        """Drop answered keys that are older than that."""
        columns = table.keys.c
        self._connection.execute(
            table.keys.delete().where(columns.at_micros < before_micros, columns.body != "")
        )

    def add_callback(self, callback: Callback) -> None:
        self._connection.execute(table.callbacks.insert(), _values(callback))

    def save_callback(self, callback: Callback) -> None:
        """Write what a try came to."""
        self._save(table.callbacks, _values(callback), table.callbacks.c.id == callback.id)

    def due_callbacks(self, now_micros: int, most: int) -> list[Callback]:
        """Those whose time has come, the earliest first."""
        columns = table.callbacks.c
        found = sa.select(table.callbacks).where(columns.next_micros > 0, columns.next_micros <= now_micros)
        rows = self._rows(found.order_by(columns.next_micros, columns.created_micros).limit(most))
        return [Callback(**row) for row in rows]

    def revive_callbacks(self, now_micros: int) -> int:
        """Let what was given up be tried again from the beginning; the number."""
        columns = table.callbacks.c
        given_up = sa.and_(columns.next_micros == 0, columns.delivered.is_(False))
        changed = table.callbacks.update().where(given_up).values(next_micros=now_micros, attempts=0)
        return int(self._connection.execute(changed).rowcount)

    def token(self, id_: bytes) -> TokenRecord | None:
        return _one(TokenRecord, self._row(table.tokens, table.tokens.c.id == id_))

    def token_by_lookup(self, merchant: str, lookup: bytes) -> TokenRecord | None:
        columns = table.tokens.c
        return _one(
            TokenRecord,
            self._row(table.tokens, sa.and_(columns.merchant == merchant, columns.lookup == lookup)),
        )

    def add_token(self, token: TokenRecord) -> None:
        self._connection.execute(table.tokens.insert(), _values(token))

    def save_token(self, token: TokenRecord) -> None:
        self._save(table.tokens, _values(token), table.tokens.c.id == token.id)

    def bill(self, merchant: str, number: str) -> Bill | None:
        columns = table.bills.c
        where = sa.and_(columns.merchant == merchant, columns.number == number)
        return _one(Bill, self._row(table.bills, where, lock=True))

    def put_bill(self, bill: Bill) -> None:
        columns = table.bills.c
        where = sa.and_(columns.merchant == bill.merchant, columns.number == bill.number)
        self._put(table.bills, _values(bill), where)

    def _row(
        self, source: sa.Table, where: sa.ColumnElement[bool], *, lock: bool = False
    ) -> dict[str, Any] | None:
        found = sa.select(source).where(where)
        rows = self._rows(found.with_for_update() if lock else found)
        return rows[0] if rows else None

    def _rows(self, found: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(found).mappings()]

    def _save(self, source: sa.Table, values: _Row, where: sa.ColumnElement[bool]) -> None:
        self._connection.execute(source.update().where(where).values(values))

    def _put(self, source: sa.Table, values: _Row, where: sa.ColumnElement[bool]) -> None:
        if not self._connection.execute(source.update().where(where).values(values)).rowcount:
            self._connection.execute(source.insert(), values)


def _one(kind: type[_T], row: dict[str, Any] | None) -> _T | None:
    return None if row is None else kind(**row)


def _values(value: Any) -> dict[str, Any]:
    return asdict(value)


def _order(row: dict[str, Any] | None) -> Order | None:
    return None if row is None else Order(**{**row, "state": _ORDER_STATES[row["state"]]})


def _order_values(order: Order) -> dict[str, Any]:
    return asdict(order) | {"state": order.state.word}


def _operation(row: dict[str, Any]) -> Operation:
    del row["id"]
    return Operation(**row | {"kind": Kind(row["kind"]), "state": OperationState(row["state"])})


def _operation_values(operation: Operation) -> dict[str, Any]:
    return asdict(operation) | {
        "id": operation.id,
        "kind": operation.kind.value,
        "state": operation.state.value,
    }
