"""A log of events: one JSON object a line, made for machines and masked before it is written.

Fields are ``at`` (UTC, RFC 3339), ``part``, ``event``, and what belongs to the event. Texts lose what looks like a card
number or a key, as those of the audit log do (`jinka.keys.audit.withhold`). For operators; nothing is proven by it and
nothing depends on it, so a line is not flushed to the disk, and a full disk stops no payment.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinka.keys.audit import withhold
from jinka.kit import Clock

TEXT_MAX = 400
LOOK_S = 1.0
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


class ChangeLog:
    """Notes what changed in a process's own figures since the last look: a line that fell, refusals that were counted.

    Costs nothing on a message's way: who runs the process looks once a second. ``watched`` names the parts of
    ``status`` that are told; of a number the change is told, of anything else what it has become.
    """

    def __init__(
        self, log: EventLog, part: str, status: Callable[[], Mapping[str, Any]], watched: Sequence[str]
    ) -> None:
        self._log, self._part, self._status, self._watched = log, part, status, watched
        self._last: dict[str, Field] = {}

    def look(self) -> None:
        """Compare, and note one event where something changed."""
        now = dict(
            _flat("", {name: value for name, value in self._status().items() if name in self._watched})
        )
        changed = {name: _change(self._last.get(name), value) for name, value in now.items()
                   if value != self._last.get(name, 0)}  # fmt: skip
        gone = [name for name in self._last if name not in now]
        self._last = now
        if changed or gone:
            self._log.note(self._part, "changed", **changed, **dict.fromkeys(gone))


def change_log(
    path: Path | None,
    part: str,
    status: Callable[[], Mapping[str, Any]],
    watched: Sequence[str],
    clock: Clock,
) -> ChangeLog | None:
    """The log of changes at ``path``; none where a file names none."""
    return None if path is None else ChangeLog(EventLog(path, clock), part, status, watched)


class Looks:
    """Looks again and again, in the loop that it is made in, until `stop`."""

    def __init__(self, changes: ChangeLog | None, every_s: float = LOOK_S) -> None:
        self._changes, self._every_s = changes, every_s
        if changes is not None:
            self._again()

    def stop(self) -> None:
        """Look a last time."""
        if self._changes is not None:
            self._timer.cancel()
            self._changes.look()

    def _again(self) -> None:
        if self._changes is not None:
            self._changes.look()
            self._timer = asyncio.get_running_loop().call_later(self._every_s, self._again)


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Field]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), inner)
    elif isinstance(value, list | tuple):
        yield prefix, " ".join(map(str, value))
    else:
        yield prefix, value


def _change(before: Field, now: Field) -> Field:
    counts = type(now) is int and (before is None or type(before) is int)
    return f"{now - (before or 0):+d}" if counts else now  # type: ignore[operator]
