"""The folder of a key store and its custodians: the sealed store, the signed records, the audit log, who holds what.

::

    keys/store.sealed           the store
    keys/store.sealed.before    the version before, until the new one has been opened and recorded
    keys/records/0001.note      the signed record of each act
    keys/audit.jsonl            one entry for each act
    custodians/NAME/            unless a custodian names a place of their own:
        share-CHECK.json        the share, for the wrapping key with this check value
        signing-key.pem         what they sign records with (Ed25519)
        form-*.txt, *.html      to be printed and put into an envelope

An act counts from the moment its record lies in the folder. What a kill leaves before that is taken back when the
folder is used again, what it leaves after that is finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinka.app.workspace import Workspace
from jinka.crypto.note import NOTE_MAX, Ed25519Signer
from jinka.keys import AuditEvent, Share
from jinka.keys.minutes import Minutes, check_minutes, require_store, signing_key_pem
from jinka.keys.store import StoreHeader
from jinka.kit import JinkaError, NotFound, Randomness, Refused, Usage
from jinka.node import AuditLog, FolderLock, file_errors, write_durable
from jinka.node.files import flush_folder
from jinka.node.system import SystemClock

Ask = Callable[[str], str]  # asks a person for something secret; it is not echoed
_RECORDS_MAX = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A custodian and where this person keeps what is theirs alone."""

    custodian: str
    path: Path

    def share_file(self, check: str) -> Path:
        """Where the share of one wrapping key lies."""
        return self.path / f"share-{check}.json"

    @property
    def signing_file(self) -> Path:
        """Where the private signing key lies."""
        return self.path / "signing-key.pem"

    def signer(self, randomness: Randomness | None = None) -> Ed25519Signer:
        """The signing key that this person brings; made now when ``randomness`` is given and there is none."""
        if randomness is not None and not self.signing_file.exists():
            with file_errors(self.signing_file):
                write_durable(self.signing_file, signing_key_pem(randomness.token_bytes(32)), private=True)
        with file_errors(self.signing_file):
            return Ed25519Signer.from_pem(self.custodian, self.signing_file.read_bytes())

    def share(self, header: StoreHeader, ask: Ask | None = None) -> Share:
        """The share that this person brings as a file, or types from the form. Raises `NotFound` and `Refused`."""
        path = self.share_file(header.check)
        if not path.exists():
            path = self.path / "share.json"
        if not path.exists():
            if ask is None:
                raise NotFound(f"no share of {self.custodian}", where=str(self.path), fix="bring the file")
            return Share.from_typed(
                ask(f"{self.custodian}, type the line of your form: "),
                issuer=header.issuer,
                custodian=self.custodian,
                check=header.check,
                simulated=header.simulated,
                sharing=header.sharing,
            )
        with file_errors(path):
            raw = path.read_bytes()
        try:
            share = Share.from_dict(json.loads(raw))
        except (ValueError, AttributeError, RecursionError):
            raise Refused("not a share", where=str(path), fix="bring the custodian's file") from None
        if share.custodian != self.custodian:
            raise Refused(f"the share of {share.custodian}, not of {self.custodian}", where=str(path))
        return share

    def keep(self, share: Share) -> None:
        """Write a new share to its place; never over another."""
        path = self.share_file(share.check)
        if path.exists():
            raise Refused("a share lies there already", where=str(path), fix="name another place")
        with file_errors(path):
            write_durable(path, json.dumps(share.as_dict(), indent=2).encode() + b"\n", private=True)

    def forget(self, check: str) -> None:
        """Take away a share whose wrapping key opens nothing any more."""
        self.share_file(check).unlink(missing_ok=True)


class KeyFolder:
    """Paths, records and the two-step replacement of the store."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        self.store = self.workspace.keystore
        self.before = self.store.with_name(self.store.name + ".before")
        self.first = self.store.with_name(self.store.name + ".first")
        self.records = self.store.parent / "records"
        self.audit = self.store.parent / "audit.jsonl"

    def place(self, text: str) -> Place:
        """Read ``NAME`` or ``NAME=PATH``."""
        name, _, path = text.partition("=")
        if not name or "/" in name or name.startswith("."):
            raise Usage(f"{text!r} names no custodian", where="--custodian", fix="NAME, or NAME=PATH")
        return Place(custodian=name, path=Path(path) if path else self.workspace.custodians / name)

    def places_of(self, share_files: Sequence[Path] = ()) -> list[Place]:
        """The places in which shares lie: those of the files, or of all custodians in this folder."""
        check = self.minutes()[-1].wrapping
        files = share_files or sorted(self.workspace.custodians.glob(f"*/share-{check}.json"))
        found = []
        for path in files:
            with file_errors(path):
                raw = path.read_bytes()
            try:
                found.append(Place(custodian=Share.from_dict(json.loads(raw)).custodian, path=path.parent))
            except (ValueError, AttributeError):
                raise Refused("not a share", where=str(path), fix="bring the custodian's file") from None
        return found

    def notes(self) -> list[str]:
        """The signed records, oldest first."""
        found = []
        for path in sorted(self.records.glob("*.note")):
            with file_errors(path), path.open("rb") as source:
                found.append(source.read(NOTE_MAX + 1).decode("utf-8", "replace"))
        return found

    def minutes(self, first_digest: str = "") -> list[Minutes]:
        """All records, checked; raises `Refused` and `NotFound`."""
        notes = self.notes()
        if not notes:
            raise NotFound("no signed records", where=str(self.records), fix="run jinka keys ceremony")
        return check_minutes(notes, first_digest=first_digest)

    def sealed(self, minutes: list[Minutes]) -> bytes:
        """The sealed store, if it is the one that the last record left; raises `Refused` and `NotFound`."""
        with file_errors(self.store):
            sealed = self.store.read_bytes()
        require_store(minutes[-1], sealed)
        return sealed

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One ceremony at a time; what a kill left of the last one is finished or taken back first."""
        with FolderLock(self.workspace.folder):
            self._recover()
            yield

    def mend(self) -> None:
        """Finish or take back what a kill left of an act."""
        with self.alone():
            pass

    def begin(self, sealed: bytes, note: str, minutes: Minutes, check: Callable[[bytes], None]) -> None:
        """Put down the first store with its record; the name of the store comes last."""
        write_durable(self.first, sealed, private=True)
        check(self.first.read_bytes())
        self._record(note, minutes)
        self.first.rename(self.store)
        flush_folder(self.store.parent)

    def replace(self, sealed: bytes, note: str, minutes: Minutes, check: Callable[[bytes], None]) -> None:
        """Put a new version in the place of the store; the old one stays beside until ``check`` has opened the new one
        and the record is down. Whatever fails before that puts the old one back.
        """
        old = self.store.read_bytes()
        write_durable(self.before, old, private=True)
        try:
            write_durable(self.store, sealed, private=True)
            check(self.store.read_bytes())
            self._record(note, minutes)
        except (JinkaError, OSError):
            self._recover()
            raise
        self._drop(self.before)

    def restore(self, sealed: bytes, note: str, minutes: Minutes) -> None:
        """Put a copy back that is the recorded store."""
        require_store(minutes, sealed)
        write_durable(self.store, sealed, private=True)
        self._record(note, minutes)

    def _record(self, note: str, minutes: Minutes) -> None:
        if minutes.number > _RECORDS_MAX:
            raise Refused(f"{_RECORDS_MAX} records", where=str(self.records), fix="begin a new store")
        names = ", ".join(key.name for key in minutes.present)
        self._note(minutes, names, f"keys.{minutes.act.value}")
        write_durable(self.records / f"{minutes.number:04d}.note", note.encode())

    def _note(self, minutes: Minutes, actor: str, act: str) -> None:
        subject = " ".join(f"key:{name}" for name in minutes.touched[:4])
        event = AuditEvent(actor=actor, act=act, subject=subject, detail=bytes.fromhex(minutes.digest))
        with AuditLog(self.audit, origin=f"ceremony/{minutes.issuer}", clock=SystemClock()) as log:
            log.record(event)

    def _recover(self) -> None:
        if not (self.before.exists() or self.first.exists()):
            return
        notes = self.notes()
        last = Minutes.opened(notes[-1], f"record {len(notes)}") if notes else None
        if self.first.exists():
            if last is not None and not self.store.exists():
                require_store(last, self.first.read_bytes())
                self.first.rename(self.store)
                flush_folder(self.store.parent)
            else:
                self._drop(self.first)  # no record: nobody was told of it
        if self.before.exists():
            if last is None:
                raise Refused("the records are gone", where=str(self.records), fix="restore them")
            if not _is_recorded(last, self.store):
                require_store(last, self.before.read_bytes())
                self.before.replace(self.store)
                flush_folder(self.store.parent)
                self._note(last, "jinka", "keys.taken_back")  # what came after this record was not finished
            else:
                self._drop(self.before)

    def _drop(self, path: Path) -> None:
        path.unlink()
        flush_folder(path.parent)


def _is_recorded(minutes: Minutes, path: Path) -> bool:
    try:
        require_store(minutes, path.read_bytes())
    except (Refused, OSError):
        return False
    return True
