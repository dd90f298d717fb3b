"""The folder of one day: where everything lies, what the day was asked to be, and what was done already.

::

    day.json        the options, and the mark that all of it is simulated
    day.log.jsonl   one line for each thing that was made or taken up again, flushed as it happens
    custodians/     the three shares of the ceremony, held apart
    keys/           the sealed key store, the record of the ceremony, the audit log of the key service in process
    field/          one folder for each lane: sealed images of cards and PSAMs, the terminals' outbox, an audit log
    road/           the deliveries as they arrive when faults are injected
    labels/         what was injected; sealed, and never opened by the clearing
    centre/         the city centre: its store (SQLite), the intake, the outcomes
    report/         index.html, day.json, CSV files
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from jinka.app.options import DayOptions
from jinka.kit import NotFound, Usage
from jinka.node import append_line, write_durable

FORMAT = 1


class Workspace:
    """Paths and the log of one day's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.options_file = folder / "day.json"
        self.log_file = folder / "day.log.jsonl"
        self.custodians = folder / "custodians"
        self.keystore = folder / "keys" / "store.sealed"
        self.keys_log = folder / "keys" / "audit-service.jsonl"
        self.ceremony = folder / "keys" / "ceremony.json"
        self.field = folder / "field"
        self.road = folder / "road"
        self.labels = folder / "labels" / "labels.sealed"
        self.labels_key = folder / "labels" / "simulator.key"
        self.centre = folder / "centre"
        self.report = folder / "report"

    def lane(self, lane: int) -> Path:
        """The folder of one lane of the field."""
        return self.field / f"lane{lane}"

    def claim(self, options: DayOptions) -> bool:
        """Note down the options, or check that they are those of the run that began here.

        Returns True when a run began here before. Raises `Usage` when it was another day.
        """
        wanted = _description(options)
        if self.options_file.exists():
            found = self.read_options()
            if found != wanted:
                differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
                raise Usage(
                    f"another day is in this folder (different: {', '.join(differing)})",
                    where=str(self.folder),
                    fix="name another --dir, or remove this one",
                )
            return True
        if self.folder.exists() and any(path.name != ".lock" for path in self.folder.iterdir()):
            raise Usage(
                "the folder is not empty and holds no day", where=str(self.folder), fix="name another --dir"
            )
        write_durable(self.options_file, json.dumps(wanted, ensure_ascii=False, indent=2).encode() + b"\n")
        return False

    def read_options(self) -> dict[str, Any]:
        """The options as they were noted down; `NotFound` when no day is here."""
        try:
            found: dict[str, Any] = json.loads(self.options_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound(
                "no day is in this folder", where=str(self.folder), fix="run jinka day first"
            ) from None
        except (ValueError, OSError) as problem:
            raise Usage(f"cannot be read: {problem}", where=str(self.options_file)) from None
        if found.get("format") != FORMAT:
            raise Usage(
                f"a day of another version of Jinka: format {found.get('format')!r}, this version has {FORMAT}",
                where=str(self.options_file),
                fix="name another --dir",
            )
        return found

    def note(self, event: str, **facts: Any) -> None:
        """Append what was done to the log, durably."""
        append_line(self.log_file, json.dumps({"event": event, **facts}, ensure_ascii=False))


def _description(options: DayOptions) -> dict[str, Any]:
    taps = None
    if options.taps is not None:
        try:
            digest = hashlib.sha256(options.taps.read_bytes()).hexdigest()
        except FileNotFoundError:
            raise NotFound("no such file", where=str(options.taps), fix="check --taps") from None
        except OSError as problem:
            raise Usage(f"cannot be read: {problem.strerror}", where=str(options.taps)) from None
        taps = {"name": options.taps.name, "sha256": digest}
    date = options.city_date if taps is None else options.date  # None: the day of the file
    return {
        "format": FORMAT,
        "simulated": True,
        "taps": taps,
        "riders": None if taps else options.riders,
        "date": None if date is None else date.isoformat(),
        "seed": options.seed,
        "spoil": options.spoil,
    } | ({"keys": str(options.keys.absolute())} if options.keys else {})
