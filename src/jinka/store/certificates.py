"""An authority's books, archive of escrowed keys and officers in SQL: append-only rows, one act in one transaction.

Implements `jinka.identity.Books` and `Archive` on the connection of a transaction. Nothing is decided here: where an
application stands is what its acts make of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from jinka.crypto.x509_crl import Reason, Revocation
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.identity import (
    TRANSITIONS,
    Act,
    Application,
    Issued,
    ProfileName,
    PublishedList,
    Recovery,
    State,
    Step,
)
from jinka.kit import Refused
from jinka.store.certificate_tables import (
    acts,
    applications,
    certificates,
    escrowed,
    lists,
    officers,
    recoveries,
)

_CHUNK = 500
_SERIAL_BYTES = 20
_DECIDED = (Act.ISSUE.value, Act.REJECT.value)
_ENDED = (Act.REVOKE.value, Act.EXPIRE.value)
_ON_LISTS = (Act.SUSPEND.value, Act.RESUME.value, Act.REVOKE.value)


class SqlBooks:
    """Implements `jinka.identity.Books` as one transaction sees them; it remembers what the transaction wrote."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.written: list[Application] = []
        self.published: list[PublishedList] = []

    def application(self, name: bytes) -> Application | None:
        found = self._load(applications.c.id == name)
        return found[0] if found else None

    def application_for(self, public_der: bytes) -> Application | None:
        found = self._load(applications.c.public_der == public_der)
        return next((one for one in found if one.state is not State.REJECTED), None)

    def application_of(self, serial: int) -> Application | None:
        wanted = sa.select(certificates.c.application).where(certificates.c.serial == _serial(serial))
        name = self._connection.execute(wanted).scalar()
        return None if name is None else self.application(name)

    def undecided(self) -> Sequence[Application]:
        return self._load(~_has_act(_DECIDED))

    def ended(self, at: dt.datetime) -> Sequence[Application]:
        certified = sa.select(certificates.c.application).group_by(certificates.c.application)
        over = certified.having(sa.func.max(certificates.c.not_after) < _seconds(at))
        return self._load(applications.c.id.in_(over) & ~_has_act(_ENDED))

    def listed(self, prefix: bytes = b"") -> list[Application]:
        """All applications whose id begins so, oldest first."""
        return self._load(
            sa.func.substr(applications.c.id, 1, len(prefix)) == prefix if prefix else sa.true()
        )

    def put(self, application: Application) -> None:
        self.written.append(application)
        known = self._connection.execute(
            sa.select(sa.func.count()).where(acts.c.application == application.id)
        ).scalar_one()
        if not known:
            self._put_new(application)
        for seq, step in enumerate(application.steps[known:], known):
            self._connection.execute(
                acts.insert().values(
                    application=application.id,
                    seq=seq,
                    act=step.act.value,
                    officer=step.officer,
                    at=_seconds(step.at),
                    reason=step.reason.value if step.reason else "",
                    note=step.note,
                )
            )

    def issued(self, name: bytes) -> Issued | None:
        wanted = sa.select(certificates).where(certificates.c.application == name)
        rows = self._connection.execute(wanted.order_by(certificates.c.place)).mappings().all()
        if not rows:
            return None
        second = rows[1]["der"] if len(rows) > 1 else b""
        return Issued(certificate=rows[0]["der"], encryption=second, envelope=rows[0]["envelope"])

    def put_issued(self, name: bytes, issued: Issued) -> None:
        for place, certificate in enumerate(issued.certificates()):
            try:
                self._connection.execute(
                    certificates.insert().values(
                        serial=_serial(certificate.serial),
                        application=name,
                        place=place,
                        not_after=_seconds(certificate.not_after),
                        der=certificate.der,
                        envelope=b"" if place else issued.envelope,
                    )
                )
            except sa.exc.IntegrityError:
                raise Refused("this serial number was given before", where="serial number") from None

    def standing(self, since: dt.datetime) -> Mapping[int, Revocation]:
        later = acts.alias("later")
        newest = sa.select(sa.func.max(later.c.seq)).where(
            (later.c.application == acts.c.application) & later.c.act.in_(_ON_LISTS)
        )
        wanted = (
            sa.select(certificates.c.serial, acts.c.act, acts.c.at, acts.c.reason)
            .join(acts, acts.c.application == certificates.c.application)
            .where(acts.c.seq == newest.scalar_subquery())
            .where(acts.c.act.in_((Act.SUSPEND.value, Act.REVOKE.value)))
            .where(certificates.c.not_after >= _seconds(since))
        )
        return {
            int.from_bytes(serial, "big"): Revocation(
                since=_moment(at), reason=Reason.ON_HOLD if act == Act.SUSPEND.value else Reason(reason)
            )
            for serial, act, at, reason in self._connection.execute(wanted)
        }

    def last_list(self, *, complete: bool) -> PublishedList | None:
        wanted = sa.select(lists).where(lists.c.base_number == 0 if complete else sa.true())
        row = self._connection.execute(wanted.order_by(lists.c.number.desc()).limit(1)).mappings().first()
        if row is None:
            return None
        return PublishedList(number=row["number"], base_number=row["base_number"] or None, der=row["der"])

    def put_list(self, published: PublishedList) -> None:
        self.published.append(published)
        self._connection.execute(
            lists.insert().values(
                number=published.number, base_number=published.base_number or 0, der=published.der
            )
        )

    def _put_new(self, application: Application) -> None:
        known = sa.select(applications.c.id).where(applications.c.id == application.id)
        if self._connection.execute(known).first() is not None:
            return
        rule = application.constraints
        self._connection.execute(
            applications.insert().values(
                id=application.id,
                profile=application.profile.value,
                subject=json.dumps(asdict(application.subject), ensure_ascii=False),
                public_der=application.public_der,
                dns_names=json.dumps(application.dns_names),
                constraints=json.dumps(_written(rule)) if rule else "",
                requester=application.requester,
                asked_at=_seconds(application.asked_at),
                renews=application.renews or b"",
            )
        )

    def _load(self, where: sa.ColumnElement[bool]) -> list[Application]:
        wanted = sa.select(applications).where(where)
        order = (applications.c.asked_at, applications.c.id)
        rows = self._connection.execute(wanted.order_by(*order)).mappings().all()
        steps: dict[bytes, list[Step]] = {row["id"]: [] for row in rows}
        serials: dict[bytes, list[int]] = {row["id"]: [] for row in rows}
        names = list(steps)
        for start in range(0, len(names), _CHUNK):
            some = names[start : start + _CHUNK]
            taken = sa.select(acts).where(acts.c.application.in_(some)).order_by(acts.c.seq)
            for row in self._connection.execute(taken).mappings():
                steps[row["application"]].append(_step(row))
            given = sa.select(certificates.c.application, certificates.c.serial)
            given = given.where(certificates.c.application.in_(some)).order_by(certificates.c.place)
            for name, serial in self._connection.execute(given):
                serials[name].append(int.from_bytes(serial, "big"))
        return [_application(row, steps[row["id"]], serials[row["id"]]) for row in rows]


class SqlArchive:
    """Implements `jinka.identity.Archive` as one transaction sees it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, public_der: bytes, owner: str, sealed: bytes) -> None:
        self._connection.execute(escrowed.insert().values(public_der=public_der, owner=owner, sealed=sealed))

    def kept(self, public_der: bytes) -> tuple[str, bytes] | None:
        wanted = sa.select(escrowed.c.owner, escrowed.c.sealed).where(escrowed.c.public_der == public_der)
        row = self._connection.execute(wanted).first()
        return (row[0], row[1]) if row else None

    def note(self, recovery: Recovery) -> None:
        count = self._connection.execute(sa.select(sa.func.count()).select_from(recoveries)).scalar_one()
        self._connection.execute(
            recoveries.insert().values(
                number=count + 1,
                public_der=recovery.public_der,
                first=recovery.officers[0],
                second=recovery.officers[1],
                at=_seconds(recovery.at),
                recipient_der=recovery.recipient_der,
            )
        )


class SqlOfficers:
    """Who acts for an authority, as one transaction sees it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def names(self) -> frozenset[str]:
        """All who are admitted now."""
        rows = self._connection.execute(
            sa.select(officers.c.officer, officers.c.admitted).order_by(officers.c.seq)
        )
        admitted = {officer: bool(flag) for officer, flag in rows}
        return frozenset(officer for officer, flag in admitted.items() if flag)

    def put(self, officer: str, by: tuple[str, str], at: dt.datetime, *, admitted: bool) -> None:
        """Write down that two people admitted or dismissed an officer."""
        count = self._connection.execute(sa.select(sa.func.count()).select_from(officers)).scalar_one()
        self._connection.execute(
            officers.insert().values(
                seq=count + 1,
                officer=officer,
                admitted=int(admitted),
                first=by[0],
                second=by[1],
                at=_seconds(at),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTables:
    """All that an authority keeps, as one transaction sees it."""

    books: SqlBooks
    archive: SqlArchive
    officers: SqlOfficers


@contextmanager
def authority_in(engine: sa.Engine) -> Iterator[AuthorityTables]:
    """An authority's tables in one transaction: committed at the end of the block, taken back when it raises."""
    with engine.begin() as connection:
        yield AuthorityTables(
            books=SqlBooks(connection), archive=SqlArchive(connection), officers=SqlOfficers(connection)
        )


def _has_act(kinds: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.exists().where((acts.c.application == applications.c.id) & acts.c.act.in_(kinds))


def _application(row: Any, steps: list[Step], serials: list[int]) -> Application:
    state = State.REQUESTED
    for step in steps:
        state = TRANSITIONS[state, step.act]
    return Application(
        id=row["id"],
        profile=ProfileName(row["profile"]),
        subject=Subject(**json.loads(row["subject"])),
        public_der=row["public_der"],
        dns_names=tuple(json.loads(row["dns_names"])),
        constraints=_read(json.loads(row["constraints"])) if row["constraints"] else None,
        requester=row["requester"],
        asked_at=_moment(row["asked_at"]),
        renews=row["renews"] or None,
        state=state,
        steps=tuple(steps),
        serials=tuple(serials),
    )


def _step(row: Any) -> Step:
    reason = Reason(row["reason"]) if row["reason"] else None
    return Step(
        act=Act(row["act"]), officer=row["officer"], at=_moment(row["at"]), reason=reason, note=row["note"]
    )


def _written(rule: Constraints) -> dict[str, list[str]]:
    trees = [tree.hex() for tree in rule.permitted_trees]
    return {
        "permitted_dns": list(rule.permitted_dns), "excluded_dns": list(rule.excluded_dns), "permitted_trees": trees,
    }  # fmt: skip


def _read(raw: dict[str, list[str]]) -> Constraints:
    return Constraints(
        permitted_dns=tuple(raw["permitted_dns"]),
        excluded_dns=tuple(raw["excluded_dns"]),
        permitted_trees=tuple(map(bytes.fromhex, raw["permitted_trees"])),
    )


def _serial(number: int) -> bytes:
    return number.to_bytes(_SERIAL_BYTES, "big")


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
