"""`jinka audit`: examine an audit log, show it, and sign a checkpoint of it for another centre to hold."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.crypto.note import NOTE_MAX, Ed25519Signer, NoteKey
from jinka.keys import AuditEntry, AuditReport, Checkpoint, check_log
from jinka.keys.audit import OPENED
from jinka.kit import Refused, Usage
from jinka.node import file_errors, read_audit_lines, write_durable


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What an examination came to."""

    log: Path
    report: AuditReport
    checkpoints: tuple[Checkpoint, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "log": str(self.log),
            "entries": self.report.entries,
            "sound": self.report.sound,
            "head": self.report.head.hex(),
            "root": self.report.root.hex(),
            "checkpoints": [{"origin": held.origin, "size": held.size} for held in self.checkpoints],
            "findings": [finding.as_dict() for finding in self.report.findings],
        }


def examine(log: Path, checkpoints: Sequence[Path] = (), key: Path | None = None) -> Examined:
    """Hold a log against itself and against checkpoints, whose signatures are checked first (`Refused`)."""
    if checkpoints and key is None:
        raise Usage(
            "a checkpoint is worth what its signature is worth",
            where="--checkpoint",
            fix="name the file with the signer's public key with --key",
        )
    held = tuple(Checkpoint.opened(_text(path), read_key(key)) for path in checkpoints if key is not None)
    return Examined(log=log, report=check_log(read_audit_lines(log), held), checkpoints=held)


def read_key(path: Path) -> NoteKey:
    """The public key in a file, as ``name+hash+key``."""
    return NoteKey.parse(_text(path))


def read_signer(path: Path, name: str) -> Ed25519Signer:
    """The private key in a PEM file, under the name that its signatures show."""
    return Ed25519Signer.from_pem(name, _text(path).encode())


def sign_checkpoint(log: Path, signer: Ed25519Signer, out: Path | None = None) -> str:
    """Sign the log as it stands; raises `Refused` when it is not sound. ``out`` gets the note as well."""
    report = check_log(read_audit_lines(log))
    if not report.sound:
        raise Refused("the log is not sound", where=str(log), fix="run jinka audit verify")
    opened = next((_entry(line) for line in read_audit_lines(log)), None)
    if opened is None or opened.act != OPENED:
        raise Refused("the log does not say its name", where=str(log))
    state = Checkpoint(origin=opened.subject.removeprefix("log:"), size=report.entries, root=report.root)
    note = state.signed(signer)
    if out is not None:
        write_durable(out, note.encode())
    return note


def show(log: Path, *, last: int = 0, actor: str = "", act: str = "") -> list[dict[str, Any]]:
    """The entries, oldest first: the ``last`` ones (0 for all) of an actor and of acts that begin so.

    A line that is no entry is shown as such; what is wrong with a log is `examine`'s business.
    """
    if last < 0:
        raise Usage(f"{last} entries", where="--last", fix="0 for all")
    return list(deque(_rows(log, actor, act), maxlen=last or None))


def _rows(log: Path, actor: str, act: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(read_audit_lines(log), 1):
        entry = _entry(line)
        if entry is None:
            yield {"line": number, "problem": "not an entry"}
        elif actor in ("", entry.actor) and entry.act.startswith(act):
            when = dt.datetime.fromtimestamp(entry.at_micros // 1_000_000, dt.UTC).replace(tzinfo=None)
            yield entry.as_dict() | {"utc": f"{when.isoformat()}.{entry.at_micros % 1_000_000:06d}Z"}


def _entry(line: bytes) -> AuditEntry | None:
    try:
        return AuditEntry.from_line(line)
    except Refused:
        return None


def _text(path: Path) -> str:
    with file_errors(path), path.open("rb") as source:
        raw = source.read(NOTE_MAX + 1)
    try:
        return raw.decode() if len(raw) <= NOTE_MAX else ""
    except UnicodeDecodeError:
        raise Usage("not UTF-8", where=str(path)) from None
