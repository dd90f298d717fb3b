"""The configuration of an EPCIS repository: one TOML file (docs/epcis.md). Anything else in it is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.api.epcis_services import CAPTURE_BYTES_MAX, CAPTURE_EVENTS_MAX
from jinka.app.parts_file import host_port, only
from jinka.codec.tags.prefixes import CHINA, LIST_MAX, PrefixList, read_prefix_list
from jinka.kit import NotFound, Usage

_PAGE = "docs/epcis.md"
_TRACE = {
    "database",
    "listen",
    "mount",
    "capture_events",
    "capture_bytes",
    "query_s",
    "prefixes",
    "check_page",
}
TABLES = ("trace", "subscriptions", "access", "rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFile:
    """``mount`` is the path that all resources stand under. ``tables`` are those that other parts read."""

    path: Path
    database: Path | str
    host: str
    port: int
    mount: str
    capture_events_max: int
    capture_bytes_max: int
    query_s: float
    prefixes: PrefixList
    check_page: bool
    tables: Mapping[str, Mapping[str, Any]]

    @classmethod
    def opened(cls, database: str) -> TraceFile:
        """What holds without a file: a database alone."""
        return cls(
            path=Path(database), database=database_of(Path(), database), host="", port=0, mount="",
            capture_events_max=CAPTURE_EVENTS_MAX, capture_bytes_max=CAPTURE_BYTES_MAX, query_s=30,
            prefixes=CHINA, check_page=False, tables={},
        )  # fmt: skip


def read_trace_file(path: Path) -> TraceFile:
    """Read the file; `Usage` names the place of a mistake."""
    if not path.exists():
        raise NotFound(
            "no such file", where=str(path), fix=f"jinka trace serve without a file makes one; see {_PAGE}"
        )
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    only(raw, set(TABLES), str(path), _PAGE)
    own = raw.get("trace", {})
    only(own, _TRACE, "trace", _PAGE)
    host, port = host_port(own.get("listen", "127.0.0.1:8490"), "trace.listen")
    return TraceFile(
        path=path,
        database=database_of(path.parent, str(own.get("database", "epcis.db"))),
        host=host,
        port=port,
        mount=str(own.get("mount", "")).strip("/"),
        capture_events_max=_whole(own, "capture_events", CAPTURE_EVENTS_MAX),
        capture_bytes_max=_whole(own, "capture_bytes", CAPTURE_BYTES_MAX),
        query_s=_whole(own, "query_s", 30),
        prefixes=_prefixes(path.parent / str(own["prefixes"])) if "prefixes" in own else CHINA,
        check_page=own.get("check_page") is True,
        tables={name: raw.get(name, {}) for name in TABLES},
    )


def database_of(folder: Path, text: str) -> Path | str:
    """A path beside the file, or the URL of a server."""
    return text if "://" in text else folder / text


def _whole(table: Mapping[str, Any], name: str, default: int) -> int:
    value = table.get(name, default)
    if type(value) is not int or value < 1:
        raise Usage("no whole number from 1 on", where=f"trace.{name}", fix=f"{name} = {default}")
    return value


def _prefixes(path: Path) -> PrefixList:
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix="GS1's GCP Length Table as JSON")
    with path.open("rb") as file:
        return read_prefix_list(file.read(LIST_MAX + 1), path.name)
