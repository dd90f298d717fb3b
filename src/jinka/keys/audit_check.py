"""What is wrong with an audit log: every place where it does not follow, and where it differs from its checkpoints.

Findings, not refusals: whoever reads a damaged log wants to know all that is wrong with it, entry by entry. A log that
was written anew as a whole is sound in itself; only a checkpoint that somebody else holds shows it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jinka.crypto.merkle import HASH_BYTES, Frontier, leaf_hash
from jinka.keys.audit import GENESIS, OPENED, REPAIRED, AuditEntry
from jinka.keys.checkpoint import Checkpoint
from jinka.kit import Finding, Refused, Severity

FINDINGS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was found. ``entries`` counts the lines; ``root`` is the Merkle root over them as they stand."""

    entries: int
    head: bytes
    root: bytes
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; what is merely worth knowing does not count."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


def check_log(lines: Iterable[bytes], checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
    """Examine a log's lines (without their ends) against themselves and against checkpoints of it.

    The checkpoints' signatures are the caller's to check (`Checkpoint.opened`).
    """
    walk = _Walk({checkpoint.size for checkpoint in checkpoints})
    for line in lines:
        walk.step(line)
    walk.close()
    for checkpoint in checkpoints:
        walk.compare(checkpoint)
    return AuditReport(
        entries=walk.tree.size, head=walk.head, root=walk.tree.root(), findings=tuple(walk.findings)
    )


class _Walk:
    """One pass. Hashes of entries in their right order lie packed; only those out of order are kept by number."""

    def __init__(self, sizes: set[int]) -> None:
        self.tree, self.head = Frontier(), GENESIS
        self.findings: list[Finding] = []
        self._sizes, self._roots = sizes, {0: Frontier().root()}
        self._expected = 0
        self._packed = bytearray()  # hashes of the entries 0, 1, 2 ... while nothing is out of order
        self._strays: dict[int, bytes] = {}
        self._claims: list[tuple[int, bytes]] = []  # (seq, prev) whose predecessor was not there yet
        self._gaps: list[tuple[int, int]] = []
        self._at = 0
        self._origin = ""

    def step(self, line: bytes) -> None:
        self.head = leaf_hash(line)
        self.tree.push(self.head)
        if self.tree.size in self._sizes:
            self._roots[self.tree.size] = self.tree.root()
        try:
            entry = AuditEntry.from_line(line)
        except Refused as problem:
            what = f"line {self.tree.size}: {problem.what}"
            self._find("UNREADABLE", self._expected, what)
            self._expected += 1
            return
        self._place(entry)
        self._link(entry)
        self._keep(entry.seq)
        if entry.seq == 0 and entry.act == OPENED:
            self._origin = entry.subject.removeprefix("log:")
        if entry.act == REPAIRED:
            self._find("REPAIRED", entry.seq, f"a line that was cut off while it was written: {entry.subject}",
                       Severity.INFO)  # fmt: skip

    def _place(self, entry: AuditEntry) -> None:
        seq = entry.seq
        if seq > self._expected:
            self._gaps.append((self._expected, seq))
        elif seq < self._expected:
            known = self._hash_of(seq) is not None
            code, what = (
                ("REPEATED", "stands here again") if known else ("REORDERED", "stands out of its order")
            )
            self._find(code, seq, f"line {self.tree.size}: {what}; entry {self._expected} belongs here")
        else:
            self._tick(entry)
        self._expected = max(self._expected, seq + 1)

    def _tick(self, entry: AuditEntry) -> None:
        if entry.at_micros < self._at:
            what = f"the clock went back by {self._at - entry.at_micros} microseconds"
            self._find("CLOCK_WENT_BACK", entry.seq, what, Severity.WARNING)
        self._at = entry.at_micros

    def _link(self, entry: AuditEntry) -> None:
        before = GENESIS if entry.seq == 0 else self._hash_of(entry.seq - 1)
        if before is None:
            self._claims.append((entry.seq, entry.prev))
        elif not hmac.compare_digest(before, entry.prev):
            self._broken(entry.seq)

    def _broken(self, seq: int) -> None:
        if seq == 0:
            self._find("CHANGED", 0, "it claims to follow another entry: the log's beginning was cut off")
        else:
            self._find("CHANGED", seq - 1, f"it is not what entry {seq} follows: one of the two was changed")

    def _keep(self, seq: int) -> None:
        if seq * HASH_BYTES == len(self._packed):
            self._packed += self.head
        elif self._hash_of(seq) is None:
            self._strays[seq] = self.head

    def _hash_of(self, seq: int) -> bytes | None:
        place = seq * HASH_BYTES
        if place < len(self._packed):
            return bytes(self._packed[place : place + HASH_BYTES])
        return self._strays.get(seq)

    def close(self) -> None:
        """What can be said only when all lines were seen."""
        for seq, prev in self._claims:
            before = self._hash_of(seq - 1)
            if before is not None and not hmac.compare_digest(before, prev):
                self._broken(seq)
        for start, end in self._gaps:
            for first, last in self._absent(start, end):
                what = "it is missing" if first == last else f"entries {first} to {last} are missing"
                self._find("MISSING", first, what)

    def _absent(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The runs in a gap that nothing filled later."""
        start = max(start, len(self._packed) // HASH_BYTES)
        for seq in sorted(seq for seq in self._strays if start <= seq < end):
            if seq > start:
                yield start, seq - 1
            start = seq + 1
        if start < end:
            yield start, end - 1

    def compare(self, checkpoint: Checkpoint) -> None:
        """Hold the log against one checkpoint."""
        if checkpoint.origin != self._origin:
            self._find(
                "ANOTHER_LOG", 0, f"the checkpoint is of {checkpoint.origin}, this is {self._origin or '?'}"
            )
        elif checkpoint.size > self.tree.size:
            first = min(self._expected, checkpoint.size - 1)
            what = f"the log ends after {self.tree.size} entries; a signed checkpoint has {checkpoint.size}"
            self._find("TAIL_CUT", first, what)
        elif not hmac.compare_digest(self._roots[checkpoint.size], checkpoint.root):
            what = f"the first {checkpoint.size} entries are not those of the signed checkpoint"
            self._find("REWRITTEN", checkpoint.size - 1, what)

    def _find(self, code: str, seq: int, what: str, severity: Severity = Severity.ERROR) -> None:
        if len(self.findings) == FINDINGS_MAX:
            code, severity, what = "MORE", Severity.ERROR, "and more; only the first findings are listed"
        if len(self.findings) <= FINDINGS_MAX:
            self.findings.append(
                Finding(
                    code=code,
                    severity=severity,
                    where=f"entry {seq}",
                    what=what,
                    fix="" if severity is Severity.INFO else "keep the file; compare it with another copy",
                )
            )
