"""What was found about parcels and centres, and which centres are suspended: append-only, beside the parcels.

Whoever may not be dealt with for now is suspended by one officer and resumed by another. Its parcels are still taken in
and receipted, so that nothing is lost, and wait until then.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from jinka.codec.parcel import Manifest
from jinka.identity.application import same_person
from jinka.kit import Finding, Refused, Severity, Usage, make_id
from jinka.store import parcel_tables as table
from jinka.store.database import add_once

CLOCK_TOLERANCE_MICROS = 10 * 60 * 1_000_000


# What becomes of a parcel that could not be applied: its sender is told of each (`jinka.app.centre_notices`).
PARKED, RELEASED, REFUSED = "PARCEL_PARKED", "PARCEL_RELEASED", "PARCEL_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A finding about a parcel, with its own id and place."""

    id: bytes
    sender: str
    kind: str
    number: int
    finding: Finding
    seen_micros: int


def note(
    connection: sa.Connection, manifest: Manifest, finding: Finding, at_micros: int, *, each: bool = False
) -> None:
    """Keep a finding about a number of a stream; the same one twice is one, however many parcels show it.

    With ``each`` it is an event, which may happen again at another time.
    """
    parts = (manifest.label, finding.code, finding.where, finding.what)
    name = make_id("parcel finding", *parts, *((at_micros,) if each else ()))
    add_once(
        connection,
        table.findings,
        {
            "id": name, "sender": manifest.sender, "kind": manifest.kind.value, "number": manifest.number,
            "code": finding.code, "severity": finding.severity.value, "where": finding.where,
            "what": finding.what, "fix": finding.fix, "seen_micros": at_micros,
        },
    )  # fmt: skip


def findings_in(engine: sa.Engine) -> list[Finding]:
    """All of them in the order in which they were seen."""
    return [noted.finding for noted in noted_in(engine)]


def noted_in(engine: sa.Engine, *codes: str) -> list[Noted]:
    """The same with their places; of some codes alone, where any are named."""
    columns = table.findings.c
    query = sa.select(table.findings).order_by(columns.seen_micros, columns.id)
    with table.look(engine) as connection:
        rows = connection.execute(query.where(columns.code.in_(codes)) if codes else query).mappings()
        return [
            Noted(
                id=row["id"], sender=row["sender"], kind=row["kind"], number=row["number"],
                seen_micros=row["seen_micros"],
                finding=Finding(
                    code=row["code"], severity=Severity(row["severity"]), where=row["where"],
                    what=row["what"], fix=row["fix"],
                ),
            )
            for row in rows
        ]  # fmt: skip


def clock_findings(manifest: Manifest, at_micros: int, before_micros: int) -> list[Finding]:
    """What a sender's clock shows. No parcel is refused for it: order is by number, and nothing is paid by this time.

    A time long past is none of these: a centre that was cut off sends late. ``before_micros`` is when the parcel before
    it in the stream was made.
    """
    found = []
    for wrong, code, what in (
        (manifest.made_micros > at_micros + CLOCK_TOLERANCE_MICROS, "CLOCK_AHEAD", "made in the future"),
        (manifest.made_micros < before_micros, "CLOCK_BACK", "made before the parcel before it"),
    ):
        if wrong:
            fix = f"have {manifest.sender} set its clock"
            found.append(
                Finding(code=code, severity=Severity.WARNING, where=manifest.label, what=what, fix=fix)
            )
    return found


def suspended_in(connection: sa.Connection) -> dict[str, str]:
    """The centres that are suspended now, each with the officer who did it."""
    state: dict[str, str] = {}
    for row in connection.execute(sa.select(table.suspensions).order_by(table.suspensions.c.seq)):
        if row.suspended:
            state[row.centre] = row.officer
        else:
            state.pop(row.centre, None)
    return state


def suspend(engine: sa.Engine, centre: str, officer: str, reason: str, at_micros: int) -> None:
    """Let a centre's parcels wait. Suspending twice is once."""
    _act(engine, centre, officer, reason, at_micros, suspended=True)


def resume(engine: sa.Engine, centre: str, officer: str, reason: str, at_micros: int) -> None:
    """Let them in again; raises `Refused` for the officer who suspended, or when nobody did."""
    _act(engine, centre, officer, reason, at_micros, suspended=False)


def _act(
    engine: sa.Engine, centre: str, officer: str, reason: str, at_micros: int, *, suspended: bool
) -> None:
    if not officer.strip() or not reason.strip():
        raise Usage("an officer and a reason are needed", where=f"centre {centre}")
    with table.act(engine) as connection:
        now = suspended_in(connection)
        if suspended and centre in now:
            return
        if not suspended:
            if centre not in now:
                raise Refused("not suspended", where=f"centre {centre}")
            if same_person(officer, now[centre]):
                raise Refused("another officer must resume than who suspended", where=f"centre {centre}")
        last = connection.scalar(sa.select(sa.func.max(table.suspensions.c.seq))) or 0
        connection.execute(
            table.suspensions.insert(),
            {
                "seq": last + 1, "centre": centre, "officer": officer, "reason": reason,
                "suspended": int(suspended), "at_micros": at_micros,
            },
        )  # fmt: skip
