"""What an issuer's host was asked and has not decided yet, with the tries of PINs taken: one sealed row for each round.

So a request costs the large tables nothing before it is decided; what a crash left is read back from here. The one
process that writes keeps what is open in memory too, and reads it again after a transaction that was undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from jinka.crypto.number_vault import NumberVault
from jinka.issuer.books import Booking, Tries
from jinka.kit import Refused
from jinka.store.issuer_rows import COLUMNS, booking_of, stored_row
from jinka.store.issuer_tables import intents, transactions
from jinka.store.statements import TableStatements

_CONTEXT = "issuer intents"
_CARD, _FINGERPRINT = COLUMNS.index("card"), COLUMNS.index("fingerprint")
_BLOBS = [n for n, name in enumerate(COLUMNS) if isinstance(transactions.c[name].type, sa.LargeBinary)]
_ALL = "SELECT number, sealed FROM issuer_intents ORDER BY number"


@dataclass(slots=True)
class _Open:
    """``left`` are the ids of each round that have no decision, ``changed`` the rounds that are stored otherwise."""

    rows: dict[bytes, Booking] = field(default_factory=dict)
    rounds: dict[bytes, int] = field(default_factory=dict)  # of each id
    left: dict[int, dict[bytes, None]] = field(default_factory=dict)
    tries: dict[bytes, Tries] = field(default_factory=dict)  # of the rows that compare a PIN
    changed: set[int] = field(default_factory=set)
    newest: int = 0


class SqlIntents:
    """The caller is in a transaction, and says when it was undone (`forget`)."""

    def __init__(self, engine: sa.Engine, vault: NumberVault | None) -> None:
        self._vault = vault
        self._table = TableStatements(engine, intents, "number")
        self._known: _Open | None = None

    def forget(self) -> None:
        """What is remembered may not be what is stored."""
        self._known = None

    def rows(self, raw: Any) -> Mapping[bytes, Booking]:
        """What has no decision, in the order in which it came."""
        return self._open(raw).rows

    def tries(self, raw: Any) -> dict[str, int]:
        """Of each card whose PIN is being compared the tries that are left then."""
        found: dict[str, int] = {}
        for tries in self._open(raw).tries.values():
            found[tries.pan] = min(tries.left, found.get(tries.pan, tries.left))
        return found

    def add(self, raw: Any, bookings: Sequence[Booking], tries: Mapping[bytes, Tries]) -> None:
        """A round was received."""
        known = self._open(raw)
        _learn(known, known.newest + 1, {b.id: b for b in bookings}, tries)
        known.changed.add(known.newest)

    def decided(self, raw: Any, ids: Iterable[bytes]) -> None:
        """These have their decisions, which the caller writes with this."""
        known = self._open(raw)
        if known.rows:
            for id_ in ids:
                _leave(known, id_)

    def store(self, raw: Any) -> None:
        """Write down what changed, before the transaction ends."""
        known = self._known
        if known is None or not known.changed:
            return
        self._table.remove(raw, [number for number in known.changed if number not in known.left])
        changed = sorted(known.changed & known.left.keys())
        if changed:
            self._table.put(raw, [(number, self._sealed(known, number)) for number in changed])
        known.changed.clear()

    def _sealed(self, known: _Open, number: int) -> bytes:
        lines = []
        for id_ in known.left[number]:
            booking, tries = known.rows[id_], known.tries.get(id_, (None, None))
            lines.append((*stored_row(booking, number, booking.card, booking.fingerprint), *tries))
        plain = json.dumps(lines, default=bytes.hex, separators=(",", ":")).encode()
        return self._needed().seal(plain, _CONTEXT)

    def card_written(self, raw: Any, pans: Iterable[str]) -> None:
        """What is known of these cards is newer than the tries that are open."""
        known = self._open(raw)
        if known.tries:
            written = set(pans)
            for id_, tries in list(known.tries.items()):
                if tries.pan in written:
                    del known.tries[id_]
                    known.changed.add(known.rounds[id_])

    def _open(self, raw: Any) -> _Open:
        if self._known is None:
            known = _Open()
            for number, sealed in raw.execute(_ALL).fetchall():
                _learn(known, number, *_read(json.loads(self._needed().unseal(sealed, _CONTEXT))))
            self._known = known
        return self._known

    def _needed(self) -> NumberVault:
        if self._vault is None:
            raise Refused("no vault", where="issuer intents", fix="open the books with the key service")
        return self._vault


def _read(lines: list[list[Any]]) -> tuple[dict[bytes, Booking], dict[bytes, Tries]]:
    rows: dict[bytes, Booking] = {}
    tries: dict[bytes, Tries] = {}
    for *line, pan, left in lines:
        line += [""] * (len(COLUMNS) - len(line))  # of an earlier version
        for at in _BLOBS:
            line[at] = bytes.fromhex(line[at])
        booking = booking_of(tuple(line), line[_CARD], line[_FINGERPRINT])
        rows[booking.id] = booking
        if pan is not None:
            tries[booking.id] = Tries(pan, left)
    return rows, tries


def _learn(known: _Open, number: int, rows: Mapping[bytes, Booking], tries: Mapping[bytes, Tries]) -> None:
    for id_ in rows.keys() & known.rows.keys():  # asked again before it was decided
        _leave(known, id_)
    known.rows.update(rows)
    known.rounds.update(dict.fromkeys(rows, number))
    known.left[number] = dict.fromkeys(rows)
    known.tries.update(tries)
    known.newest = number


def _leave(known: _Open, id_: bytes) -> None:
    """A row is open no more; its round is changed."""
    number = known.rounds.pop(id_, None)
    if number is None:
        return
    del known.rows[id_]
    known.tries.pop(id_, None)
    del known.left[number][id_]
    if not known.left[number]:
        del known.left[number]
    known.changed.add(number)
