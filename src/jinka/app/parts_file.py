"""One TOML file for all parts of the network: switch, issuer's host, gateway, and the key service that they ask.

Each part reads its own tables and the common ``[keys]``, and leaves the tables of the others alone; so a file for one
part and a file for all have one grammar. A table that no part knows is refused. docs/serve.md tells the whole of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.key_serving import read_config
from jinka.kit import NotFound, Usage

KEYS = "keys"
# What each part reads besides the keys. The first table of a part says that the part is there.
TABLES: Mapping[str, tuple[str, ...]] = {
    "issuer": ("issuer", "peer", "names", "policy", "loads"),
    "switch": ("switch", "peers", "routes", "banks", "stand_in"),
    "gateway": ("gateway", "callbacks"),
}
PAGES = {"issuer": "docs/issuer-host.md", "switch": "docs/switch.md", "gateway": "docs/gateway.md"}
_KEYS = {"service", "socket", "caller", "folder", "region", "shares", "blocks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the key service is: a socket, or a folder with a sealed store that is opened in process.

    ``service`` is the folder of the service behind the socket, where the file names it; `jinka serve` starts it.
    ``blocks`` are key blocks to take in at the start: name of the key, name of the key that wraps it, the block.
    """

    socket: Path | None
    caller: str
    folder: Path | None
    region: str
    shares: tuple[Path, ...]
    blocks: tuple[tuple[str, str, str], ...]
    service: Path | None = None


def read_raw(path: Path, *, page: str) -> dict[str, Any]:
    """The file's tables, each one that some part knows; raises `NotFound` and `Usage`."""
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix=f"see {page}")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    known = {KEYS, *(name for names in TABLES.values() for name in names)}
    for name, table in raw.items():
        if name not in known:
            raise Usage(f"unknown: {name}", where=str(path), fix=f"{', '.join(sorted(known))}; see {page}")
        if not isinstance(table, dict):
            raise Usage("not a table", where=name, fix=f"see {page}")
    for first, *rest in TABLES.values():
        for name in rest:
            if name in raw and first not in raw:
                raise Usage(f"[{name}] belongs to [{first}], which is not there", where=str(path))
    return raw


def read_tables(path: Path, part: str) -> dict[str, Any]:
    """The tables of one part, with ``keys``; absent ones are empty."""
    raw = read_raw(path, page=PAGES[part])
    found = {name: raw.get(name, {}) for name in (*TABLES[part], KEYS)}
    others = [name for name, tables in TABLES.items() if name != part and tables[0] in raw]
    if (
        others and part != "switch" and "switch" in raw
    ):  # one part takes the key blocks in, or the second finds
        found[KEYS] = {name: value for name, value in found[KEYS].items() if name != "blocks"}  # them taken
    if others and "caller" in found[KEYS]:
        raise Usage("several parts have one name", where="keys.caller", fix="leave it out: each has its own")
    return found


def parts_of(path: Path) -> tuple[str, ...]:
    """Which parts the file has, in the order in which they are to be started."""
    raw = read_raw(path, page="docs/serve.md")
    return tuple(part for part, names in TABLES.items() if names[0] in raw)


def read_key_source(folder: Path, given: Mapping[str, Any], part: str) -> KeySource:
    """The table ``keys`` of a file in ``folder``, as ``part`` sees it: its own name is that of the caller."""
    only(given, _KEYS, KEYS, "docs/switch.md")
    ways = [name for name in ("service", "socket", "folder") if name in given]
    if len(ways) != 1:
        raise Usage("a service, a socket or a folder, and one of them", where=KEYS, fix="see docs/switch.md")
    service = folder / str(given["service"]) if "service" in given else None
    socket = folder / str(given["socket"]) if "socket" in given else None
    return KeySource(
        socket=read_config(service).socket if service is not None else socket,
        caller=str(given.get("caller", part)),
        folder=folder / str(given["folder"]) if "folder" in given else None,
        region=str(given.get("region", "440300")),
        shares=tuple(folder / str(share) for share in given.get("shares", ())),
        blocks=tuple((str(b["name"]), str(b["under"]), str(b["block"])) for b in given.get("blocks", ())),
        service=service,
    )


def host_port(text: object, where: str) -> tuple[str, int]:
    """``HOST:PORT``, or a port of this machine; raises `Usage`."""
    host, _, port = str(text).rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise Usage("not an address", where=where, fix="HOST:PORT")
    return host or "127.0.0.1", int(port)


def only(given: object, known: set[str], where: str, page: str) -> None:
    """Raise `Usage` unless ``given`` is a table with known entries alone."""
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix=f"see {page}")
    unknown = set(given) - known
    if unknown:
        raise Usage(f"unknown: {', '.join(sorted(unknown))}", where=where, fix=f"see {page}")
