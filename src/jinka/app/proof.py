"""`jinka proof`: a centre's days as Merkle trees in a signed log, and the documents that prove what became of a record.

::

    signing.key      the centre's key where no other signer is given (DER; its owner alone reads it)
    centre.key       its public half, as notes name it
    log.jsonl        the statements of days, one a line
    checkpoint.note  the signed state of the log, also by its witness once that came; older ones in checkpoints/
    days/DATE.secret        what the salts follow from (its owner alone reads it)
    days/DATE.N.leaves      the leaves that edition N added, 32 bytes each
    days/DATE.N.ids         the record ids of those, 8 bytes each
    days/DATE.N.tops        roots of each 1,024 leaves of the day as it stood then

What is published is never written again: a day that is cleared once more gets an edition with what changed. Everything
is made again from the leaves and the secret, so a run that was killed is simply run again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from jinka.clearing.day_log import (
    ORIGIN,
    RECORDS_MAX,
    DayInLog,
    DayStatement,
    consistency_document,
    editions_document,
    opened_checkpoint,
    proof_document,
)
from jinka.clearing.leaf import COLUMNS, SECRET_BYTES, WORDS, bodies, fields_of, leaves, salts
from jinka.crypto.merkle import HASH_BYTES, inclusion_proof, root_of
from jinka.crypto.merkle import consistency_proof as log_consistency
from jinka.crypto.merkle_rows import RowTree, tops_of
from jinka.crypto.note import KeyNoteSigner, NoteKey, open_note
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_keys import KeyKind, Signer
from jinka.crypto.x509_private import new_signer, private_der, read_private
from jinka.keys.checkpoint import Checkpoint
from jinka.kit import Finding, NotFound, Randomness, Refused, Severity, Usage
from jinka.node import append_line, file_errors, read_lines, write_durable

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint8]
_BATCH = 1 << 18
FOLDER, OUTCOMES = "proof", "outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A day in the log. ``added`` leaves are new in this edition; none when nothing had changed."""

    statement: DayStatement
    added: int
    checkpoint: Checkpoint
    findings: tuple[Finding, ...] = ()


class ProofFolder:
    """The log of one centre's days."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_file = folder / "log.jsonl"
        self.checkpoint_file = folder / "checkpoint.note"
        self.key_file = folder / "centre.key"
        self._own_key = folder / "signing.key"

    def own_signer(self, randomness: Randomness) -> Signer:
        """The key in the folder, P-256; made when there is none."""
        if not self._own_key.exists():
            write_durable(self._own_key, private_der(new_signer(KeyKind.ECDSA, randomness)), private=True)
        return read_private(self._own_key.read_bytes(), choose_sm2(randomness))

    def statements(self) -> list[DayStatement]:
        """The log, in its order."""
        found = []
        for line in read_lines(self.log_file):
            try:
                found.append(DayStatement.parse(json.loads(line)))
            except (ValueError, TypeError, AttributeError):
                raise Refused("a line is no statement", where=str(self.log_file), fix="restore it") from None
        return found

    def checkpoint(self) -> str:
        """The newest checkpoint as it is signed; `NotFound` before the first day."""
        if not self.checkpoint_file.exists():
            raise NotFound("no day was published", where=str(self.folder), fix="run jinka day or jinka clear")
        return self.checkpoint_file.read_text(encoding="utf-8")

    def own_checkpoint(self, size: int) -> str:
        """The checkpoint over so many statements as this centre alone signed it."""
        path = self.folder / "checkpoints" / f"{size:06}.note"
        if not path.exists():
            raise NotFound("no such state of the log", where=str(path))
        return path.read_text(encoding="utf-8")

    def take_witnessed(self, note: str) -> None:
        """Keep what somebody else signed too, shown while it is the newest; `Refused` for what was not signed here."""
        state = opened_checkpoint(note, self.key())
        if open_note(note, self.key()) != open_note(self.own_checkpoint(state.size), self.key()):
            raise Refused("not a state of this log", where=state.origin)
        write_durable(self.folder / "checkpoints" / f"{state.size:06}.witnessed.note", note.encode())
        if opened_checkpoint(self.checkpoint(), self.key()) == state:
            write_durable(self.checkpoint_file, note.encode())

    def key(self) -> NoteKey:
        """The centre's public key."""
        self.checkpoint()
        return NoteKey.parse(self.key_file.read_text(encoding="utf-8"))

    def publish(
        self, centre: str, date: dt.date, outcomes: Path,
        *, signer: Signer, randomness: Randomness, threads: int = 1,
    ) -> Published:  # fmt: skip
        """Put a day's outcomes (a folder of Parquet) into the log, or what changed in them since its last edition."""
        note_signer = KeyNoteSigner(f"{ORIGIN}{centre}", signer)
        self._keep_key(note_signer.public)
        log = self.statements()
        editions = [one for one in log if one.date == date]
        day = _Day(self.folder / "days", date, len(editions))
        added, gone = day.add(outcomes, randomness, threads)
        if added or not editions:
            statement = DayStatement(
                centre=centre, date=date, edition=len(editions) + 1, size=day.tree.size, root=day.tree.root()
            )
            append_line(self.log_file, json.dumps(statement.text()))
            log.append(statement)
        else:
            statement = editions[-1]
        checkpoint = self._sign(centre, log, note_signer)
        return Published(statement=statement, added=added, checkpoint=checkpoint, findings=_gone(date, gone))

    def document(
        self, outcomes: Path, wanted: Mapping[str, Any], date: dt.date | None = None
    ) -> dict[str, Any]:
        """The proof of the records whose columns equal ``wanted`` (record_id, card_no, batch), newest outcome each.

        ``outcomes`` are those of ``date``, the log's last day by default. Raises `NotFound` when there are no such
        records, `Refused` when an outcome was changed after it was published.
        """
        note, log = self.checkpoint(), self.statements()
        newest = _newest(log, date or log[-1].date, self.log_file)
        rows = _rows(outcomes, wanted)
        if not rows:
            raise NotFound("no such records", where=str(outcomes), fix="ask by card, batch or record id")
        day = _Day(self.folder / "days", newest.date, newest.edition)
        places = day.places(np.array([row["record_id"] for row in rows], dtype=np.int64))
        found = bodies(pa.Table.from_pylist(rows, schema=_shape(outcomes)))
        if not (leaves(found, places, day.secret()) == day.tree.leaves[places]).all():
            raise Refused(
                "an outcome is not what was published",
                where=str(outcomes),
                fix="run jinka clear, which publishes what changed",
            )
        salt = salts(places, day.secret())
        records = [
            {
                "place": place,
                "salt": salt[at].tobytes().hex(),
                "fields": fields_of(rows[at]),
                "path": [one.hex() for one in day.tree.inclusion(place)],
            }
            for at, place in enumerate(places.tolist())
        ]
        return proof_document(note, _in_log(log, newest), records)

    def consistency(self, old: str) -> dict[str, Any]:
        """The way from a checkpoint that somebody holds to the newest one; raises `Refused` for another log's."""
        new, log = self.checkpoint(), self.statements()
        held = opened_checkpoint(old, self.key())
        hashes = [one.leaf for one in log]
        if held.size > len(hashes) or root_of(hashes[: held.size]) != held.root:
            raise Refused("it is not a state of this log", where=held.origin, fix="keep both as evidence")
        return consistency_document(old, new, log_consistency(hashes, held.size))

    def editions(self, date: dt.date) -> dict[str, Any]:
        """The way from a day's first edition to its newest."""
        log = self.statements()
        found = [one for one in log if one.date == date]
        if len(found) < 2:
            raise NotFound(f"{len(found)} editions of {date}", where=str(self.log_file))
        path = self.edition_path(date, len(found), found[0].size)
        return editions_document(self.checkpoint(), _in_log(log, found[0]), _in_log(log, found[-1]), path)

    def edition_path(self, date: dt.date, edition: int, old_size: int) -> list[bytes]:
        """The way from the first ``old_size`` leaves of a day to its tree as it stood with an edition."""
        return _Day(self.folder / "days", date, edition).tree.consistency(old_size)

    def _keep_key(self, key: NoteKey) -> None:
        if not self.key_file.exists():
            write_durable(self.key_file, f"{key}\n".encode())
        elif NoteKey.parse(self.key_file.read_text(encoding="utf-8")) != key:
            raise Refused("the log was signed with another key", where=str(self.key_file), fix="use that key")

    def _sign(self, centre: str, log: Sequence[DayStatement], signer: KeyNoteSigner) -> Checkpoint:
        wanted = Checkpoint(
            origin=f"{ORIGIN}{centre}", size=len(log), root=root_of([one.leaf for one in log])
        )
        if self.checkpoint_file.exists() and opened_checkpoint(self.checkpoint(), signer.public) == wanted:
            return wanted
        note = wanted.signed(signer).encode()
        write_durable(self.folder / "checkpoints" / f"{len(log):06}.note", note)
        write_durable(self.checkpoint_file, note)
        return wanted


class _Day:
    """The leaves of a day up to an edition; ``add`` makes the next one."""

    def __init__(self, folder: Path, date: dt.date, edition: int) -> None:
        self._folder, self._date, self._edition = folder, date, edition

    @cached_property
    def tree(self) -> RowTree:
        """The day's tree."""
        joined, path = self._leaves(), self._path(f"{self._edition}.tops")
        tops = np.fromfile(path, dtype=np.uint8).reshape(-1, HASH_BYTES) if path.exists() else None
        return RowTree(joined, tops)

    def _leaves(self) -> Hashes:
        found = [self._map(edition, "leaves", np.uint8).reshape(-1, HASH_BYTES) for edition in self._all()]
        empty = np.empty((0, HASH_BYTES), dtype=np.uint8)
        return found[0] if len(found) == 1 else np.concatenate([*found, empty])

    def secret(self) -> bytes:
        """What the day's salts follow from."""
        raw = self._path("secret").read_bytes()
        if len(raw) != SECRET_BYTES:
            raise Refused("not a day's secret", where=str(self._path("secret")), fix="restore it")
        return raw

    def places(self, ids: Ids) -> Ids:
        """Where the newest leaves of records stand; raises `NotFound`."""
        found = self._newest(ids)
        if (found < 0).any():
            raise NotFound(
                f"{int((found < 0).sum())} of the records are not published", where=str(self._date)
            )
        return found

    def add(self, outcomes: Path, randomness: Randomness, threads: int) -> tuple[int, int]:
        """Write the leaves of new and changed records; how many, and how many published records are gone."""
        if not self._path("secret").exists():
            write_durable(self._path("secret"), randomness.token_bytes(SECRET_BYTES), private=True)
        secret, size = self.secret(), self.tree.size if self._edition else 0
        ids: list[Ids] = []
        made: list[Hashes] = []
        seen = added = 0
        for table in outcome_tables(outcomes):
            found, rows = table["record_id"].to_numpy(), bodies(table)
            before = self._newest(found)
            known = np.flatnonzero(before >= 0)
            new = before < 0
            if len(known):
                there = self.tree.leaves[before[known]]
                new[known] = (leaves(rows[known], before[known], secret) != there).any(axis=1)
            places = np.arange(size + added, size + added + int(new.sum()), dtype=np.int64)
            made.append(leaves(rows[new], places, secret, threads=threads))
            ids.append(found[new])
            seen, added = seen + len(known), added + len(places)
        distinct = len(np.unique(self._index[0]))
        if added or not self._edition:
            self._write(ids, made, threads)
        return added, distinct - seen

    def _write(self, ids: list[Ids], made: list[Hashes], threads: int) -> None:
        self._edition += 1
        empty = np.empty((0, HASH_BYTES), dtype=np.uint8)
        write_durable(
            self._path(f"{self._edition}.ids"), np.concatenate([*ids, np.empty(0, np.int64)]).tobytes()
        )
        write_durable(self._path(f"{self._edition}.leaves"), np.concatenate([*made, empty]).tobytes())
        self._path(f"{self._edition}.tops").unlink(missing_ok=True)  # of a run that was killed here
        for name in ("tree", "_index"):
            self.__dict__.pop(name, None)
        tops = tops_of(self._leaves(), threads=threads)
        write_durable(self._path(f"{self._edition}.tops"), tops.tobytes())

    def _newest(self, ids: Ids) -> Ids:
        """The last place of each id; -1 where there is none."""
        known, order = self._index
        if not len(known):
            return np.full(len(ids), -1, dtype=np.int64)
        at = np.searchsorted(known, ids, side="right") - 1
        hit = (at >= 0) & (known[at] == ids)
        return np.where(hit, order[at], -1)

    @cached_property
    def _index(self) -> tuple[Ids, Ids]:
        """The ids in rising order, those of one record in the order of their leaves, and the place of each."""
        found = [self._map(edition, "ids", np.int64) for edition in self._all()]
        ids = np.concatenate([*found, np.empty(0, dtype=np.int64)])
        order = np.argsort(ids, kind="stable")
        return ids[order], order

    def _all(self) -> Iterator[int]:
        return iter(range(1, self._edition + 1))

    def _map(self, edition: int, kind: str, dtype: Any) -> Any:
        path = self._path(f"{edition}.{kind}")
        return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.empty(0, dtype=dtype)

    def _path(self, kind: str) -> Path:
        return self._folder / f"{self._date}.{kind}"


def _newest(log: Sequence[DayStatement], date: dt.date, where: Path) -> DayStatement:
    found = [one for one in log if one.date == date]
    if not found:
        raise NotFound(f"{date} was not published", where=str(where))
    return found[-1]


def _in_log(log: Sequence[DayStatement], statement: DayStatement) -> DayInLog:
    place = log.index(statement)
    path = inclusion_proof([one.leaf for one in log], place)
    return DayInLog(statement=statement, place=place, path=tuple(path))


def outcome_tables(outcomes: Path) -> Iterator[pa.Table]:
    """The outcomes of a folder in slices; texts stay codes as they lie in the files."""
    for path in _files(outcomes):
        with pq.ParquetFile(path, read_dictionary=list(WORDS)) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(COLUMNS)):
                yield pa.Table.from_batches([batch])


def _files(outcomes: Path) -> list[str]:
    files = sorted(outcomes.glob("*.parquet"))
    if not files:
        raise NotFound("no outcomes", where=str(outcomes), fix="run jinka day or jinka clear")
    return [str(path) for path in files]


def _shape(outcomes: Path) -> pa.Schema:
    found = ds.dataset(_files(outcomes)).schema
    return pa.schema([found.field(name) for name in COLUMNS])


def _rows(outcomes: Path, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = ds.dataset(_files(outcomes))
    test: Any = None
    for name, value in wanted.items():
        one = pc.field(name) == pa.scalar(value, data.schema.field(name).type)
        test = one if test is None else test & one
    found = data.to_table(columns=list(COLUMNS), filter=test)
    if len(found) > RECORDS_MAX:
        raise Usage(f"{len(found)} records", where="proof", fix=f"ask for at most {RECORDS_MAX} at once")
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _gone(date: dt.date, count: int) -> tuple[Finding, ...]:
    what, fix = "records were published and are not among the outcomes", "find out who removed them"
    found = Finding(
        code="PUBLISHED_RECORD_GONE", severity=Severity.ERROR, where=str(date), what=f"{count} {what}",
        fix=f"{fix}: their proofs stay valid",
    )  # fmt: skip
    return (found,) if count else ()


def proof_folder(directory: Path) -> ProofFolder:
    """The log of the day or the centre in a folder; `NotFound` when nothing was published there."""
    for folder in (directory / "centre" / FOLDER, directory / FOLDER):
        if (folder / "log.jsonl").exists():
            return ProofFolder(folder)
    fix = "run jinka day or jinka clear; of a federation's centres, cities publish their settled rounds"
    raise NotFound("no day was published", where=str(directory), fix=fix)


def outcomes_of(directory: Path, date: dt.date | None = None) -> Path:
    """Where the outcomes lie beside that log: the newest day's, or in a folder for each day (by default the last)."""
    log = proof_folder(directory)
    place = log.folder.parent / OUTCOMES
    of_day = place / str(date or log.statements()[-1].date)
    return of_day if of_day.is_dir() else place


def write_document(document: Mapping[str, Any], out: Path) -> None:
    """Write a document as one line of JSON."""
    with file_errors(out):
        write_durable(out, json.dumps(document, ensure_ascii=False).encode() + b"\n")
