"""A log of events: one JSON object a line, made for machines and masked before it is written.

Fields are ``at`` (UTC, RFC 3339), ``part``, ``event``, and what belongs to the event. Texts lose what looks like a card
number or a key, as those of the audit log do (`jinka.keys.audit.withhold`). For operators; nothing is proven by it and
nothing depends on it, so a line is not flushed to the disk, and a full disk stops no payment.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from pathlib import Path

from jinka.keys.audit import withhold
from jinka.kit import Clock

TEXT_MAX = 400
FILE_MAX = 8 << 20  # then the file becomes NAME.1, and the one that was that is gone

Field = str | int | float | bool | None


class EventLog:
    """Appends to a file; may be called from any thread."""

    def __init__(self, path: Path, clock: Clock, *, file_max: int = FILE_MAX) -> None:
        self._path, self._clock, self._max = path, clock, file_max
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def note(self, part: str, event: str, **facts: Field) -> None:
        """Write one event; what cannot be written is lost."""
        at = dt.datetime.fromtimestamp(self._clock.now_micros() / 1_000_000, dt.UTC)
        body = {"at": at.isoformat(timespec="milliseconds"), "part": part, "event": event}
        masked = {
            name: withhold(fact, TEXT_MAX) if isinstance(fact, str) else fact for name, fact in facts.items()
        }
        line = json.dumps(body | masked, ensure_ascii=False) + "\n"
        with self._writing, contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size + len(line) > self._max:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            with self._path.open("a", encoding="utf-8") as log:
                log.write(line)
