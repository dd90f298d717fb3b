"""A register of base records for tests: a clock that is set by hand, a vault, a family, its cars and its employer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa

from jinka.crypto.number_vault import KEY_BYTES, NumberVault
from jinka.identity.base_records import Catalogue, Consent, Entry, Look, Part, Ref, Sign, Sought
from jinka.node.system import SystemRandomness
from jinka.sectors.state_records import PART
from jinka.store import open_database
from jinka.store.base_records import BaseRecords, Said
from jinka.store.base_records_credit import report_entry

NOON = int(dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000
LI = "440301199003072719"
CHILD = "440301201809150026"
EMPLOYER = "91440300708461136T"
VIN = "1M8GDM9AXKP042788"
PLATE = "粤B12345"
SECRETS = (LI, CHILD, "李雷", "李小雷", "13800138000", VIN, PLATE, "深南大道1号")


@dataclass(slots=True)
class Clock:
    """Stands until it is moved."""

    now: int = NOON

    def now_micros(self) -> int:
        return self.now

    def days(self, count: int) -> None:
        self.now += count * DAY_US


@dataclass(slots=True)
class Register:
    """The register of one test."""

    engine: sa.Engine
    clock: Clock
    books: BaseRecords
    people: dict[str, Ref] = field(default_factory=dict)

    def write(self, target: Ref | str, department: str, why: str = "certificate 7", **values: str) -> Ref:
        said = [Said(field=name, value=value) for name, value in values.items()]
        return self.books.write(target, said, department=department, officer="wang-wu", why=why).ref

    def consent(
        self, holder: Ref, department: str, purpose: str, fields: Sequence[str], *, kind: str = "person",
        separate: bool = False, days: int = 30, guardian: Ref | None = None,
    ) -> Consent:  # fmt: skip
        draft = Consent(
            number=0, holder=0, department=department, purpose=purpose, kind=kind, fields=frozenset(fields),
            separate=separate, guardian=0, given_us=0, until_us=0,
        )  # fmt: skip
        until = dt.datetime.fromtimestamp(self.clock.now // 1_000_000, dt.UTC).date() + dt.timedelta(
            days=days
        )
        return self.books.consent(holder, draft, until=until, officer="clerk", guardian=guardian)


def register(where: Path | str, *parts: Part, key: bytes = b"k" * KEY_BYTES) -> Register:
    """A register with nothing in it."""
    engine, clock = open_database(where), Clock()
    books = BaseRecords(engine, Catalogue((PART, *parts)), NumberVault(key, SystemRandomness()), clock)
    return Register(engine, clock, books)


def family(found: Register) -> Register:
    """A father with a flat, a car, a job and a card, and his child."""
    write, people = found.write, found.people
    people["li"] = write(
        "person", "public-security", identity_number=LI, name="李雷", sex="male", ethnic_group="汉",
        birth_date="1990-03-07",
    )  # fmt: skip
    people["child"] = write(
        "person", "public-security", identity_number=CHILD, name="李小雷", birth_date="2018-09-15"
    )
    people["employer"] = write("organisation", "market-regulation", credit_code=EMPLOYER, name="鹏城公司")
    people["flat"] = write(
        "residence", "public-security", kind="registered", division="440305", address="深南大道1号"
    )
    people["car"] = write("vehicle", "traffic-police", plate=PLATE, vin=VIN, model="BYD 秦", use="private")
    people["job"] = write(
        "employment",
        "human-resources",
        employer=str(people["employer"]),
        base_fen="1200000",
        status="employed",
    )
    people["card"] = write("card", "card-centre", number="6214830000000017", issuer="鹏城通", status="active")
    people["purse"] = write(
        "application", "card-centre", aid="A000000632010105", provider="鹏城通", status="active"
    )
    write(people["card"], "card-centre", applications=str(people["purse"]))
    write(people["li"], "card-centre", cards=str(people["card"]), mobile="13800138000")
    write(people["li"], "public-security", residences=str(people["flat"]))
    write(people["li"], "traffic-police", vehicles=str(people["car"]))
    write(people["li"], "human-resources", employments=str(people["job"]))
    return found


def look(
    department: str, purpose: str, *fields: str, kind: str = "person", case: str = "", **more: object
) -> Look:
    """What an officer asks."""
    return Look(
        department=department, officer="zhao-liu", purpose=purpose, kind=kind, fields=fields, case=case, **more
    )  # type: ignore[arg-type]  # fmt: skip


def at(ref: Ref) -> Sought:
    """The record of a number."""
    return Sought(ref=ref)


def overdue(world: Register, text: str = "overdue", **changes: object) -> int:
    """Report an instalment of the father that was overdue; the entry's number."""
    draft = Entry(
        number=0, subject=0, institution="bank", sign=Sign.BAD, text=text, amount_fen=350_000,
        since=dt.date(2020, 1, 5), ended=dt.date(2021, 6, 5), at_micros=0,
    )  # fmt: skip
    with world.books.book() as book:
        return report_entry(book, replace(draft, **changes), world.people["li"], officer="li-si").number  # type: ignore[arg-type]
