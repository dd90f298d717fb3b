"""Events that wait on the disk until the server says that it has them: one EPCIS document a file, oldest first.

A file is durable before its events count as told, and it goes only after the server's capture job has ended well. What
the server refuses for good is set aside beside its answer, in ``refused/``, and holds up nothing. A kill in between
sends a document twice; the events' ids are their hashes, so the server takes each once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jinka.codec.epcis import Document, Event, read_json, write_json
from jinka.kit import Clock
from jinka.node.files import flush_folder, write_durable

_NAME = "{:012d}.json"


class Outbox:
    """A folder of documents."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._refused = folder / "refused"
        folder.mkdir(parents=True, exist_ok=True)
        names = [*folder.glob("*.json"), *self._refused.glob("*.json")]
        self._number = max((int(path.stem) for path in names if path.stem.isdigit()), default=0)

    def put(self, events: Sequence[Event]) -> None:
        """Durable when it returns."""
        if events:
            self._number += 1
            document = Document(events=tuple(events), creation_time_us=self._clock.now_micros())
            write_durable(self._folder / _NAME.format(self._number), write_json(document), private=True)

    def waiting(self) -> list[Path]:
        """The documents, oldest first."""
        return sorted(path for path in self._folder.glob("*.json") if path.stem.isdigit())

    def taken(self, path: Path) -> None:
        """The server has it."""
        path.unlink()
        flush_folder(self._folder)

    def split(self, path: Path) -> bool:
        """Make two documents of one that is too large; False where it has a single event."""
        events = read_json(path.read_bytes()).events
        if len(events) < 2:
            return False
        middle = len(events) // 2
        self.put(events[:middle])
        self.put(events[middle:])
        self.taken(path)
        return True

    def refuse(self, path: Path, answer: str) -> None:
        """Set it aside with the server's words."""
        self._refused.mkdir(exist_ok=True)
        told = {"at_micros": self._clock.now_micros(), "answer": answer[:4000]}
        write_durable(self._refused / f"{path.stem}.answer", json.dumps(told, ensure_ascii=False).encode())
        path.replace(self._refused / path.name)
        flush_folder(self._refused)
        flush_folder(self._folder)

    @property
    def set_aside(self) -> int:
        """How many documents the server has refused."""
        return sum(1 for _ in self._refused.glob("*.json"))
