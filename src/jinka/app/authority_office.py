"""`jinka certificate`: officers' acts on an authority, each in the audit log before it takes effect, each durable.

An act is checked and written inside one transaction; before that is committed, its entry is on the disk; what is
answered was committed before. So a kill loses nothing that anybody was told, and what it cut off is an entry whose act
the books do not have. Refused acts are entries as well. The authority's key is opened for three acts alone: issuing,
signing lists, giving out an escrowed key. Who may sit at this machine, and under which name, is the business of its
accounts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from jinka.app.authority_folder import OFFICERS_MIN, AuthorityFolder, OpenedKey, utc_now
from jinka.app.issue_gate import require_device
from jinka.crypto import choose_sm2
from jinka.crypto.x509_crl import Reason
from jinka.crypto.x509_fields import Constraints
from jinka.identity import (
    Act,
    Application,
    CertificateAuthority,
    EscrowedKey,
    Issued,
    LockedSigner,
    ProfileName,
    PublishedList,
    SealedEscrow,
)
from jinka.identity.application import check_person, same_person
from jinka.keys import AuditEvent, Outcome
from jinka.keys.audit import withhold
from jinka.kit import Clock, JinkaError, NotFound, Refused, Usage
from jinka.node import AuditLog, write_durable
from jinka.node.system import SystemClock, SystemRandomness
from jinka.registry import Item
from jinka.store import AuthorityTables, SqlBooks, SqlOfficers, authority_in, open_database

_NAME_DIGITS = 12  # of an application's id, in the log
_NOTE_MAX = 200
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An authority within one transaction."""

    authority: CertificateAuthority
    books: SqlBooks
    officers: SqlOfficers
    at: dt.datetime

    def named(self, prefix: str) -> bytes:
        """The id that begins so, and is the only one; raises `NotFound` and `Usage`."""
        try:
            raw = bytes.fromhex(prefix[: len(prefix) // 2 * 2])
        except ValueError:
            raise Usage(f"not an application's id: {prefix!r}", where="application", fix="see list") from None
        found = [one.id for one in self.books.listed(raw) if one.id.hex().startswith(prefix.lower())]
        if not found or not prefix:
            raise NotFound("no such application", where=f"application {prefix}", fix="see list")
        if len(found) > 1:
            raise Usage("several begin so", where=f"application {prefix}", fix="give more digits")
        return found[0]


class Office:
    """An authority's books and log in its folder. One at a time: a log has one writer."""

    def __init__(self, folder: Path, *, clock: Clock | None = None, log: str = "audit") -> None:
        self.folder, self._clock = AuthorityFolder(folder), clock or SystemClock()
        self._certificate = self.folder.certificate()
        self._log = AuditLog(self.folder.audit(log), origin=self.folder.origin(log), clock=self._clock)
        try:
            self._engine = open_database(self.folder.database)
        except BaseException:
            self._log.close()
            raise

    def apply(
        self,
        profile: ProfileName,
        request: bytes,
        *,
        officer: str,
        constraints: Constraints | None = None,
        renews: str = "",
    ) -> Application:
        """Take in a request (DER) on somebody's behalf; the officer who does may not approve it."""
        with self.acting(officer, "apply", f"profile:{profile.value}") as desk:
            self._require(desk, officer)
            old = desk.named(renews) if renews else None
            return desk.authority.submit(
                profile, request, officer, desk.at, constraints=constraints, renews=old
            )

    def renew(self, name: str, request: bytes, *, officer: str) -> Application:
        """Take in a request with a new key for a certificate that is to be replaced."""
        with self.acting(officer, "renew", f"application:{name}") as desk:
            self._require(desk, officer)
            old = desk.authority.application(desk.named(name))
            return desk.authority.submit(old.profile, request, officer, desk.at, renews=old.id)

    def act(
        self, name: str, act: Act, *, officer: str, reason: Reason | None = None, note: str = ""
    ) -> Application:
        """Approve, reject, suspend, resume or revoke."""
        kept = withhold(note, _NOTE_MAX)
        with self.acting(officer, act.value, f"application:{name}") as desk:
            return desk.authority.act(desk.named(name), act, officer, desk.at, reason=reason, note=kept)

    def issue(self, name: str, *, officer: str, key: OpenedKey) -> tuple[Application, Issued]:
        """Make the certificates of what was approved; of a terminal where a register grants it, if one is demanded."""
        with self.acting(officer, "issue", f"application:{name}", key) as desk:
            found = desk.named(name)
            asked = desk.authority.application(found)
            if asked.profile is ProfileName.TERMINAL:
                require_device(self.folder.folder, Item.TERMINAL, asked.subject.common_name)
            issued = desk.authority.issue(found, officer, desk.at)
            return desk.authority.application(found), issued

    def recover(self, name: str, recipient: str, *, officers: tuple[str, str], key: OpenedKey) -> EscrowedKey:
        """Give an escrowed encryption key out again, for another certified key of the same owner."""
        subject = f"application:{name} to application:{recipient}"
        with self.acting(", ".join(officers), "recover", subject, key) as desk:
            found = desk.authority.recover(desk.named(name), desk.named(recipient), officers, desk.at)
            digest = hashlib.sha256(found.envelope).digest()
            self._note(", ".join(officers), "recover", subject, digest)
            return found

    def publish(self, *, officer: str, days: int, delta: bool, key: OpenedKey) -> PublishedList:
        """Sign the next revocation list, after what has ended was moved out of the way."""
        with self.acting(officer, "crl", "delta" if delta else "complete", key) as desk:
            self._require(desk, officer)
            desk.authority.expire(desk.at)
            make = desk.authority.delta_list if delta else desk.authority.complete_list
            make(desk.at, desk.at + dt.timedelta(days=days))
            return desk.books.published[-1]

    def change_officer(self, name: str, *, by: tuple[str, str], admitted: bool) -> frozenset[str]:
        """Two officers admit a third one, or dismiss one; as many stay as it takes to act."""
        word = "admit" if admitted else "dismiss"
        with self.acting(", ".join(by), f"officer.{word}", f"officer:{name}") as desk:
            check_person(name)
            for officer in by:
                self._require(desk, officer)
            if same_person(*by) or any(same_person(name, officer) for officer in by):
                raise Refused("two officers decide about a third", where="officer")
            known = desk.officers.names()
            if any(same_person(name, one) for one in self.machines()):
                raise Refused("a machine has this name", where=f"officer {name}")
            if admitted == any(same_person(name, one) for one in known) or (
                not admitted and name not in known
            ):
                raise Refused("is one already" if admitted else "is none", where=f"officer {name}")
            if not admitted and len(known) <= OFFICERS_MIN:
                raise Refused(f"{OFFICERS_MIN} have to stay", where="officer", fix="admit another first")
            desk.officers.put(name, by, desk.at, admitted=admitted)
            digest = hashlib.sha256(json.dumps([name, *by]).encode()).digest()
            self._note(", ".join(by), f"officer.{word}", f"officer:{name}", digest)
            return desk.officers.names()

    def admit_machine(self, name: str, *, officer: str) -> str:
        """Draw the secret with which a machine may enrol under a name; the folder keeps its digest."""
        with self.acting(officer, "machine", f"machine:{name}") as desk:
            self._require(desk, officer)
            check_person(name)
            if ":" in name or any(same_person(name, one) for one in desk.officers.names()):
                raise Usage("a machine has a name of its own, without colons", where=f"machine {name}")
            secret = secrets.token_urlsafe(_SECRET_BYTES)
            known = self.machines() | {name: hashlib.sha256(secret.encode()).hexdigest()}
            self._note(officer, "machine", f"machine:{name}", bytes.fromhex(known[name]))
            write_durable(self.folder.machines, json.dumps(known, indent=2).encode() + b"\n", private=True)
            return secret

    def machines(self) -> dict[str, str]:
        """The machines that may enrol, with the SHA-256 of their secrets (drawn, so a plain digest holds)."""
        path = self.folder.machines
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    @contextmanager
    def looking(self) -> Iterator[Desk]:
        """The books, to be read."""
        with authority_in(self._engine) as tables:
            yield self._desk(tables, None)

    @contextmanager
    def acting(self, actor: str, act: str, subject: str, key: OpenedKey | None = None) -> Iterator[Desk]:
        """One act: what it wrote is in the log before it is committed; a refusal is in the log as well."""
        try:
            with authority_in(self._engine) as tables:
                desk = self._desk(tables, key)
                yield desk
                for found in desk.books.written:
                    self._note_application(actor, act, found)
                for published in desk.books.published:
                    digest = hashlib.sha256(published.der).digest()
                    self._note(actor, act, f"list:{published.number} {subject}", digest)
        except JinkaError as problem:
            outcome = Outcome.REFUSED if isinstance(problem, Refused) else Outcome.FAILED
            self._log.record(
                AuditEvent(actor=actor, act=f"certificate.{act}", subject=subject, outcome=outcome)
            )
            raise

    def close(self) -> None:
        """Let another program in."""
        self._engine.dispose()
        self._log.close()

    def __enter__(self) -> Office:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _desk(self, tables: AuthorityTables, key: OpenedKey | None) -> Desk:
        randomness, escrow = SystemRandomness(), None
        if key is not None:
            escrow = SealedEscrow(key.seal, choose_sm2(randomness), randomness, tables.archive)
        authority = CertificateAuthority(
            self._certificate,
            key.signer if key else LockedSigner(self._certificate.public_der),
            randomness,
            tables.officers.names(),
            self.folder.profiles(),
            addresses=self.folder.addresses(),
            escrow=escrow,
            books=tables.books,
        )
        return Desk(
            authority=authority, books=tables.books, officers=tables.officers, at=utc_now(self._clock)
        )

    def _note_application(self, actor: str, act: str, found: Application) -> None:
        subject = f"application:{found.id.hex()[:_NAME_DIGITS]} {found.profile.value} {found.state.value[0]}"
        last = found.steps[-1] if found.steps else None
        facts = [
            found.id.hex(),
            found.requester,
            found.public_der.hex(),
            [f"{one:x}" for one in found.serials],
        ]
        facts += [last.officer, last.note, last.reason.value if last.reason else ""] if last else []
        self._note(actor, act, subject, hashlib.sha256(json.dumps(facts).encode()).digest())

    def _note(self, actor: str, act: str, subject: str, digest: bytes) -> None:
        self._log.record(AuditEvent(actor=actor, act=f"certificate.{act}", subject=subject, detail=digest))

    @staticmethod
    def _require(desk: Desk, officer: str) -> None:
        if officer not in desk.officers.names():
            raise Refused("not an officer of this authority", where=f"officer {officer}")


def listed(folder: Path, prefix: str = "") -> list[tuple[Application, Issued | None]]:
    """Applications and what was issued for them; nothing is written, and the log may be in use."""
    office = AuthorityFolder(folder)
    office.read()
    engine = open_database(office.database)
    try:
        with authority_in(engine) as tables:
            books = tables.books
            found = books.listed()
            found = [one for one in found if one.id.hex().startswith(prefix.lower())]
            return [(one, books.issued(one.id)) for one in found]
    finally:
        engine.dispose()
