"""Recall notices on their way: who has a receiver, what is to be told, and what was taken, before anything is sent.

A notice is written down as the bytes that are sent, and repeated as these until its receiver has them; of one holder in
their order. A recall's acts are looked at once for each receiver (``trace_notice_marks``), in the transaction that
writes what follows from them, so a kill between the two changes nothing. What says the same as the last notice of a
recall to a holder is not written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from jinka.kit import make_id
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.trace_recalls import acts
from jinka.trace.subscriptions import wait_micros

receivers = sa.Table(
    "trace_receivers",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("dest", sa.Text, nullable=False),
    sa.Column("sealed_token", sa.LargeBinary, nullable=False),
    sa.Column("created_micros", sa.BigInteger, nullable=False),
)
notices = sa.Table(
    "trace_notices",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recall", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Column("created_micros", sa.BigInteger, nullable=False),
    sa.Column("next_micros", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("taken_micros", sa.BigInteger, nullable=False),  # 0: not yet
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Index("trace_notices_by_holder", "owner", "recall", "holder", "number"),
    sa.Index("trace_notices_waiting", "taken_micros", "owner", "number"),
)
marks = sa.Table(
    "trace_notice_marks",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("recall", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("acts", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_N, _R = notices.c, receivers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReceiver:
    """Where a participant wants its notices."""

    owner: str
    dest: str
    sealed_token: bytes = field(default=b"", repr=False)
    created_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A notice that is to be sent."""

    number: int
    message: bytes
    attempts: int
    receiver: NoticeReceiver

    @property
    def id(self) -> str:
        """Of its number and its bytes."""
        told = make_id("jinka.trace.notice", self.receiver.owner, self.number, self.message)
        return "msg_" + told.hex()


class NoticeBooks:
    """Each act is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._read = engine, reading(engine)

    def put(self, made: NoticeReceiver) -> None:
        """Send to there from now on; what waits goes there as well."""
        values = {name: getattr(made, name) for name in ("owner", "dest", "sealed_token", "created_micros")}
        with self._engine.begin() as connection:
            changed = receivers.update().where(_R.owner == made.owner).values(values)
            if not connection.execute(changed).rowcount:
                connection.execute(receivers.insert(), values)
            now = {"next_micros": made.created_micros}
            connection.execute(
                notices.update().where(_N.owner == made.owner, _N.taken_micros == 0).values(now)
            )

    def remove(self, owner: str) -> None:
        """Send no more. What waits is not sent, and is told anew to who comes back, if it still holds."""
        with self._engine.begin() as connection:
            connection.execute(receivers.delete().where(_R.owner == owner))
            connection.execute(marks.delete().where(marks.c.owner == owner))
            connection.execute(notices.delete().where(_N.owner == owner, _N.taken_micros == 0))

    def receiver(self, owner: str) -> NoticeReceiver | None:
        """Where one's notices go."""
        with self._read.begin() as connection:
            row = connection.execute(sa.select(receivers).where(_R.owner == owner)).mappings().first()
            return None if row is None else NoticeReceiver(**row)

    def standing(self, owner: str) -> tuple[int, int, str]:
        """(how many were taken, how many wait, what became of the last try of those)."""
        with self._read.begin() as connection:
            own = sa.select(sa.func.count()).where(_N.owner == owner)
            taken = int(connection.scalar(own.where(_N.taken_micros > 0)) or 0)
            waiting = int(connection.scalar(own.where(_N.taken_micros == 0)) or 0)
            told = sa.select(_N.outcome).where(_N.owner == owner, _N.taken_micros == 0).order_by(_N.number)
            return taken, waiting, str(connection.scalar(told.limit(1)) or "")

    def unread(self) -> list[tuple[str, int, int]]:
        """Whom which recall may have something to tell: (owner, recall, how many acts it has by now)."""
        count = sa.select(acts.c.recall, sa.func.count().label("acts")).group_by(acts.c.recall).subquery()
        seen = sa.and_(marks.c.owner == _R.owner, marks.c.recall == count.c.recall)
        found = (
            sa.select(_R.owner, count.c.recall, count.c.acts)
            .select_from(receivers.join(count, sa.true()).outerjoin(marks, seen))
            .where(count.c.acts > sa.func.coalesce(marks.c.acts, 0))
            .order_by(count.c.recall, _R.owner)
        )
        with self._read.begin() as connection:
            return [(str(owner), int(recall), int(many)) for owner, recall, many in connection.execute(found)]

    def tell(
        self, owner: str, recall: int, acts_seen: int, messages: Mapping[str, bytes], now_micros: int
    ) -> int:
        """Write down what an owner is to be told of a recall, by holder, and that these acts were looked at."""
        with self._engine.begin() as connection:
            number = int(connection.scalar(sa.select(sa.func.max(_N.number)).where(_N.owner == owner)) or 0)
            fresh: list[dict[str, Any]] = []
            for holder, message in sorted(messages.items()):
                last = sa.select(_N.message).where(
                    _N.owner == owner, _N.recall == recall, _N.holder == holder
                )
                if connection.scalar(last.order_by(_N.number.desc()).limit(1)) == message:
                    continue
                number += 1
                fresh.append({
                    "owner": owner, "number": number, "recall": recall, "holder": holder, "message": message,
                    "created_micros": now_micros, "next_micros": now_micros, "attempts": 0, "taken_micros": 0,
                    "outcome": "",
                })  # fmt: skip
            if fresh:
                connection.execute(notices.insert(), fresh)
            its = sa.and_(marks.c.owner == owner, marks.c.recall == recall)
            if not connection.execute(marks.update().where(its).values(acts=acts_seen)).rowcount:
                connection.execute(marks.insert(), {"owner": owner, "recall": recall, "acts": acts_seen})
            return len(fresh)

    def due(self, now_micros: int) -> list[Waiting]:
        """The first that waits of each receiver, if its time has come."""
        firsts = (
            sa.select(_N.owner, sa.func.min(_N.number).label("number"))
            .where(_N.taken_micros == 0).group_by(_N.owner).subquery()
        )  # fmt: skip
        found = sa.select(notices, receivers.c.dest, receivers.c.sealed_token).where(
            _N.owner == firsts.c.owner, _N.number == firsts.c.number, _N.next_micros <= now_micros,
            _R.owner == _N.owner,
        )  # fmt: skip
        with self._read.begin() as connection:
            return [_waiting(row) for row in connection.execute(found.order_by(_N.owner)).mappings()]

    def next(self, owner: str, now_micros: int) -> Waiting | None:
        """The first that waits of one receiver, if its time has come."""
        return next((one for one in self.due(now_micros) if one.receiver.owner == owner), None)

    def taken(self, one: Waiting, now_micros: int) -> None:
        """Its receiver has it."""
        self._after(one, {"taken_micros": now_micros, "outcome": ""})

    def failed(self, one: Waiting, now_micros: int, outcome: str) -> None:
        """The same again, later and later."""
        later = now_micros + wait_micros(one.attempts)
        self._after(one, {"attempts": one.attempts + 1, "next_micros": later, "outcome": outcome[:200]})

    def _after(self, one: Waiting, values: Mapping[str, Any]) -> None:
        its = sa.and_(_N.owner == one.receiver.owner, _N.number == one.number)
        with self._engine.begin() as connection:
            connection.execute(notices.update().where(its).values(**values))


def _waiting(row: sa.RowMapping) -> Waiting:
    receiver = NoticeReceiver(
        owner=row["owner"],
        dest=row["dest"],
        sealed_token=row["sealed_token"],
        created_micros=row["created_micros"],
    )
    return Waiting(number=row["number"], message=row["message"], attempts=row["attempts"], receiver=receiver)
