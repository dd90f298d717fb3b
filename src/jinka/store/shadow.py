"""The float's books: the days that shadows were made of, the deeds upon cards, and the runs themselves as Parquet.

Deeds and days are append-only rows beside the ledger, a deed and its posting one transaction. Runs are files, since
there is a row for every card: one file a day and edition, and one of all days merged, which is made anew from the
others when it is missing, damaged or older than they are. Decides nothing (`jinka.settlement.float_rules`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from jinka.kit import Refused
from jinka.settlement.chart import AccountCode, AccountName
from jinka.settlement.float_acts import Deed, DeedKind, post_deeds
from jinka.store.durable import publish
from jinka.store.ledger import SqlLedger
from jinka.store.schema import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


float_days = sa.Table(
    "float_days",
    metadata,
    sa.Column("business_date", sa.Text, primary_key=True),
    sa.Column("edition", sa.BigInteger, primary_key=True, autoincrement=False),
    *_texts("outcomes", "flows"),  # hash of the outcomes; the flows that are posted by now
)
float_deeds = sa.Table(
    "float_deeds",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    sa.Column("card_no", sa.LargeBinary, nullable=False),
    *_texts("kind", "subject", "on_date", "debit_owner", "credit_owner", "reason", "actor", "detail"),
    *_ints("amount", "debit_code", "credit_code", "worth", "gaps", "deposit"),  # code 0: no account
)
_KINDS = {kind.word: kind for kind in DeedKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenDay:
    """A day as it was taken last: ``flows`` by (kind, payer, payee) are what has been posted of it."""

    date: dt.date
    edition: int
    outcomes: str
    flows: Mapping[tuple[str, str, str], int]

    @property
    def name(self) -> str:
        return f"{self.date}-{self.edition}"


class SqlFloat:
    """Days and deeds on a database opened by `open_database`, beside its ledger."""

    def __init__(self, engine: sa.Engine, ledger: SqlLedger, *, zone: str) -> None:
        self._engine, self._ledger, self._zone = engine, ledger, zone

    def days(self) -> list[TakenDay]:
        """The newest edition of each day, in the order of dates."""
        found: dict[str, TakenDay] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(
                sa.select(float_days).order_by(float_days.c.business_date, float_days.c.edition)
            ):
                flows = {(kind, payer, payee): amount for kind, payer, payee, amount in json.loads(row.flows)}
                found[row.business_date] = TakenDay(
                    date=dt.date.fromisoformat(row.business_date), edition=row.edition, outcomes=row.outcomes,
                    flows=flows,
                )  # fmt: skip
        return list(found.values())

    def take(self, day: TakenDay) -> None:
        """Note a day down. Raises `Refused` when somebody else took that edition."""
        flows = json.dumps([[*key, amount] for key, amount in sorted(day.flows.items())], ensure_ascii=False)
        row = {
            "business_date": day.date.isoformat(), "edition": day.edition, "outcomes": day.outcomes,
            "flows": flows,
        }  # fmt: skip
        try:
            with self._ledger.together() as connection:
                connection.execute(float_days.insert().values(row))
        except sa.exc.IntegrityError:
            raise Refused(
                "it was taken at the same time", where=f"day {day.name}", fix="look again"
            ) from None

    def deeds(self) -> list[Deed]:
        """All deeds, in the order in which they were done."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(float_deeds).order_by(float_deeds.c.number)).all()
        return [_deed(row) for row in rows]

    def do(self, deeds: Sequence[Deed]) -> int:
        """Write deeds down and post them, all or none; returns how many are new. Raises `Refused`."""
        new = 0
        with self._ledger.together() as connection:
            number = int(connection.execute(sa.select(sa.func.max(float_deeds.c.number))).scalar() or 0)
            for deed in deeds:
                known = connection.execute(
                    sa.select(float_deeds).where(float_deeds.c.id == deed.id)
                ).one_or_none()
                if known is None:
                    number, new = number + 1, new + 1
                    connection.execute(float_deeds.insert().values(_row(deed) | {"number": number}))
                elif (known.amount, known.on_date) != (deed.amount, deed.on.isoformat()):
                    raise Refused(
                        "it was done before, with another amount or on another day",
                        where=f"{deed.kind.word} {deed.subject}",
                        fix="see jinka float show",
                    )
            post_deeds(self._ledger, deeds, zone=self._zone)
        return new


class ShadowFiles:
    """The Parquet files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def day(self, day: TakenDay, part: str) -> Path:
        return self.folder / f"{day.name}-{part}.parquet"

    def write(self, path: Path, table: pa.Table) -> None:
        """Durable before it appears."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.half")
        pq.write_table(table, half, compression="zstd", store_schema=False)
        publish(half, path)

    def merged(self, days: Sequence[TakenDay], openings: str) -> tuple[Path, list[TakenDay]]:
        """The file of merged runs, and the days that are not in it yet; all of them when it cannot be used."""
        path, note = self.folder / "runs.parquet", self.folder / "runs.json"
        try:
            said = json.loads(note.read_bytes())
            known, made_of = set(said["days"]), said["openings"]
        except (OSError, ValueError, KeyError, TypeError):
            known, made_of = set(), ""
        if not path.exists() or made_of != openings or not known <= {day.name for day in days}:
            return path, list(days)
        return path, [day for day in days if day.name not in known]

    def note(self, days: Sequence[TakenDay], openings: str) -> None:
        """Say which days the merged runs hold."""
        half = self.folder / ".runs.json.half"
        half.write_text(json.dumps({"openings": openings, "days": [day.name for day in days]}))
        publish(half, self.folder / "runs.json")

    def forget(self) -> None:
        """Before the merged runs are replaced: half a pair must not be believed."""
        (self.folder / "runs.json").unlink(missing_ok=True)


def _row(deed: Deed) -> dict[str, object]:
    return {
        "id": deed.id, "card_no": deed.card, "kind": deed.kind.word, "subject": deed.subject,
        "on_date": deed.on.isoformat(), "debit_code": int(deed.debit.code) if deed.debit else 0,
        "debit_owner": deed.debit.owner if deed.debit else "",
        "credit_code": int(deed.credit.code) if deed.credit else 0,
        "credit_owner": deed.credit.owner if deed.credit else "", "amount": deed.amount, "worth": deed.worth,
        "gaps": deed.gaps, "deposit": deed.deposit, "reason": deed.reason, "actor": deed.actor,
        "detail": deed.detail,
    }  # fmt: skip


def _deed(row: sa.Row[tuple[object, ...]]) -> Deed:
    said = row._mapping

    def account(side: str) -> AccountName | None:
        code = said[f"{side}_code"]
        return AccountName(code=AccountCode(code), owner=said[f"{side}_owner"]) if code else None

    return Deed(
        kind=_KINDS[said["kind"]], subject=said["subject"], on=dt.date.fromisoformat(said["on_date"]),
        card=said["card_no"], amount=said["amount"], debit=account("debit"), credit=account("credit"),
        worth=said["worth"], gaps=said["gaps"], deposit=said["deposit"], reason=said["reason"],
        actor=said["actor"], detail=said["detail"],
    )  # fmt: skip
