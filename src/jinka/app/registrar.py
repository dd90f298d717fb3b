"""`jinka registry`: officers' acts on registrations, each in the audit log before it takes effect.

An act is checked and written inside one transaction; before that is committed, its entry is on the disk. So an act
without an entry does not exist; an entry whose act was cut off by a crash may, and shows as an act that the register
does not have. Refused acts are entries as well. The officer is named by the caller: who may sit at this machine, and
under which name, is the business of its accounts.

A simulated bureau or day has its own range granted at the start by the same acts, by two of its custodians.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jinka.app.keyring import CUSTODIANS
from jinka.keys import AuditEvent, Outcome
from jinka.keys.audit import withhold
from jinka.kit import FIRST_DATE, LAST_DATE, Clock, JinkaError, NotFound, Refused
from jinka.node import AuditLog, file_errors
from jinka.node.system import SystemClock
from jinka.registry import Act, Deed, Kind, Registration, Terms, checked_value
from jinka.registry.registration import REASON_MAX
from jinka.sim.parties import ISSUER
from jinka.sim.plan import card_number
from jinka.store import open_database, register_in

DATABASE = "registry.sqlite"
CENTRE = "centre.db"
AUDIT = "audit.jsonl"
ORIGIN = "registry"
YEARS = 10
DAY_RANGE = (card_number("").hex()[1:], card_number("9" * 12).hex()[1:])  # what a simulated city issues from


class FixedClock:
    """Implements `jinka.kit.Clock` for what is simulated: it stands at the beginning of a day."""

    def __init__(self, date: dt.date) -> None:
        self._now = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp()) * 1_000_000

    def now_micros(self) -> int:
        """Always the same."""
        return self._now


class Registrar:
    """A register with its audit log, both in one folder. One at a time: the log has one writer."""

    def __init__(self, folder: Path, *, clock: Clock | None = None, database: str = "") -> None:
        self.folder, self._clock = folder, clock or SystemClock()
        with file_errors(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = AuditLog(folder / AUDIT, origin=ORIGIN, clock=self._clock)
        try:
            self._engine = open_database(folder / (database or _database_in(folder)))
        except BaseException:
            self._log.close()
            raise

    @property
    def today(self) -> dt.date:
        """The date in UTC, by which validity is judged."""
        return utc_today(self._clock)

    def apply(
        self,
        kind: Kind,
        text: str,
        *,
        holder: str,
        officer: str,
        under: str = "",
        valid_from: dt.date | None = None,
        valid_to: dt.date | None = None,
        reason: str = "",
        terms: Terms | None = None,
        documents: Sequence[str] = (),
    ) -> Registration:
        """Apply for a number; raises `Refused` when it is wrong or not free."""
        today = self.today
        with self._audited(Act.APPLY, officer, kind.value) as noted:
            start = valid_from or today
            draft = Registration(
                number=0,
                kind=kind,
                value=checked_value(kind, text, today=today),
                holder=holder,
                under=under,
                valid_from=start,
                valid_to=valid_to or _years_on(start),
                terms=terms,
                deeds=(self._deed(Act.APPLY, officer, reason, documents),),
            )
            with register_in(self._engine) as register:
                found = register.apply(draft, today)
                noted(found)
        return found

    def act(
        self, number: int, act: Act, *, officer: str, reason: str = "", documents: Sequence[str] = ()
    ) -> Registration:
        """Do an act on a registration; raises `NotFound` and `Refused`."""
        with (
            self._audited(act, officer, f"registration:{number}") as noted,
            register_in(self._engine) as register,
        ):
            found = register.act(number, self._deed(act, officer, reason, documents), self.today)
            noted(found)
        return found

    def require_card_numbers(self, first: str, last: str, *, holder: str) -> Registration:
        """The holder's range in force that has all these numbers; raises `Refused`, and that is an entry too."""
        try:
            with register_in(self._engine) as register:
                return register.require_card_numbers(first, last, self.today, holder=holder)
        except Refused:
            subject = f"{len(first)} digits {first[:6]}"
            self._log.record(
                AuditEvent(actor="jinka", act="registry.use", subject=subject, outcome=Outcome.REFUSED)
            )
            raise

    def grant_simulated(self, first: str, last: str, *, holder: str) -> Registration:
        """Have a simulated range and its issuer number granted, by two custodians, unless they were before.

        What an officer refused, suspended or withdrew meanwhile stays so.
        """
        issuer_number = first[:8] if first[:8] == last[:8] else first[:6]
        wanted = ((Kind.ISSUER_NUMBER, issuer_number), (Kind.CARD_RANGE, f"{first}-{last}"))
        with register_in(self._engine) as register:
            there = {(found.kind, found.value): found for found in register.listed()}
        for kind, value in wanted:
            found = there.get((kind, value)) or self.apply(
                kind,
                value,
                holder=holder,
                officer=CUSTODIANS[0],
                valid_from=FIRST_DATE,
                valid_to=LAST_DATE,
                reason="simulated",
            )
            for act, done in (
                (Act.REVIEW, 1),
                (Act.GRANT, 2),
            ):  # a run that was killed goes on where it stopped
                if len(found.deeds) == done and all(deed.reason == "simulated" for deed in found.deeds):
                    found = self.act(found.number, act, officer=CUSTODIANS[1], reason="simulated")
        return found

    def close(self) -> None:
        """Let another program in."""
        self._engine.dispose()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _deed(self, act: Act, officer: str, reason: str, documents: Sequence[str]) -> Deed:
        kept = withhold(reason, REASON_MAX)  # a reason is free text: card numbers in it are masked
        now = self._clock.now_micros()
        return Deed(act=act, officer=officer, at_micros=now, reason=kept, documents=tuple(documents))

    @contextmanager
    def _audited(self, act: Act, officer: str, subject: str) -> Iterator[_Note]:
        note = _Note(self._log)
        try:
            yield note
        except JinkaError as problem:
            outcome = Outcome.REFUSED if isinstance(problem, Refused) else Outcome.FAILED
            self._log.record(
                AuditEvent(actor=officer, act=f"registry.{act.value}", subject=subject, outcome=outcome)
            )
            raise


class _Note:
    """Writes the entry of an act that the register accepted, before it is committed."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def __call__(self, found: Registration) -> None:
        self._log.record(audit_event(found))


def audit_event(found: Registration) -> AuditEvent:
    """The entry of the last act of a registration. A grant's vouches for everything that it says."""
    deed = found.deeds[-1]
    dates = (str(found.valid_from), str(found.valid_to))
    facts: list[Any] = [found.number, found.holder, found.under, *dates, deed.reason]
    if found.terms is not None:
        facts += [found.kind.value, found.value, found.terms.to_text(), len(found.deeds)]
        facts += [deed.act.value, deed.officer, deed.at_micros, list(deed.documents)]
    return AuditEvent(
        actor=deed.officer,
        act=f"registry.{deed.act.value}",
        subject=f"registration:{found.number} {found.kind.value} {found.logged} {found.state.value}",
        detail=hashlib.sha256(json.dumps(facts).encode()).digest(),
    )


def admit_day(folder: Path, date: dt.date, cards: Sequence[bytes]) -> None:
    """Have the numbers of a simulated day granted, and refuse cards outside of them (`Refused`)."""
    with Registrar(folder, clock=FixedClock(date), database=CENTRE) as registrar:
        registrar.grant_simulated(*DAY_RANGE, holder=ISSUER)
        numbers = sorted(card.hex()[-len(DAY_RANGE[0]) :] for card in cards)
        if numbers:
            registrar.require_card_numbers(numbers[0], numbers[-1], holder=ISSUER)


def utc_today(clock: Clock) -> dt.date:
    """The date in UTC, by which validity is judged."""
    return dt.datetime.fromtimestamp(clock.now_micros() // 1_000_000, dt.UTC).date()


def read_register(folder: Path, kind: Kind | None = None) -> list[Registration]:
    """All registrations of a folder; nothing is written, and a log is not needed."""
    path = register_database(folder)
    if not path.exists():
        raise NotFound("no register is here", where=str(folder), fix="jinka registry apply begins one")
    engine = open_database(path)
    try:
        with register_in(engine) as register:
            return register.listed(kind)
    finally:
        engine.dispose()


def register_database(folder: Path) -> Path:
    """Where the register of a folder lies, or would lie."""
    return folder / _database_in(folder)


def _database_in(folder: Path) -> str:
    """A centre keeps its register in its store, beside its journal; elsewhere it has a file of its own."""
    return CENTRE if (folder / CENTRE).exists() and not (folder / DATABASE).exists() else DATABASE


def _years_on(start: dt.date) -> dt.date:
    try:
        return start.replace(year=start.year + YEARS)
    except ValueError:  # 29 February
        return start.replace(year=start.year + YEARS, day=28)
