"""The gateway's configuration: one TOML file, as docs/gateway.md tells it. Anything else in it is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.kit import NotFound, Usage

_GATEWAY = {"database", "listen", "issuer", "acquirer", "vault"}
_CALLBACKS = {"plain", "inside"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFile:
    """``issuer`` is the file of the issuer whose cards are charged, ``acquirer`` what we are called there.

    ``callbacks_plain`` and ``callbacks_inside`` let callbacks go by HTTP and to addresses of one's own network.
    """

    path: Path
    database: Path | str
    host: str
    port: int
    issuer: Path
    acquirer: str
    vault: Path
    callbacks_plain: bool
    callbacks_inside: bool
    keys: Mapping[str, Any]


def read_gateway_file(path: Path) -> GatewayFile:
    """Read the file; `Usage` names the place of a mistake."""
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix="see docs/gateway.md")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    own = _table(raw, "gateway", _GATEWAY)
    callbacks = _table(raw, "callbacks", _CALLBACKS)
    keys = raw.pop("keys", {})
    if raw:
        raise Usage(f"unknown: {', '.join(sorted(raw))}", where=str(path), fix="gateway, callbacks, keys")
    database = str(own.get("database", "gateway.db"))
    host, _, port = str(own.get("listen", "127.0.0.1:8480")).rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise Usage("not an address", where="gateway.listen", fix="HOST:PORT")
    for name in ("issuer", "acquirer"):
        if name not in own:
            raise Usage("missing", where=f"gateway.{name}", fix="see docs/gateway.md")
    return GatewayFile(
        path=path,
        database=database if "://" in database else path.parent / database,
        host=host or "127.0.0.1",
        port=int(port),
        issuer=path.parent / str(own["issuer"]),
        acquirer=str(own["acquirer"]),
        vault=path.parent / str(own.get("vault", "vault.sealed")),
        callbacks_plain=_flag(callbacks, "plain"),
        callbacks_inside=_flag(callbacks, "inside"),
        keys=keys,
    )


def _table(raw: dict[str, Any], name: str, known: set[str]) -> dict[str, Any]:
    found = raw.pop(name, {})
    if not isinstance(found, dict) or set(found) - known:
        raise Usage("unknown entries", where=name, fix=", ".join(sorted(known)))
    return found


def _flag(table: Mapping[str, Any], name: str) -> bool:
    found = table.get(name, False)
    if not isinstance(found, bool):
        raise Usage("not true or false", where=f"callbacks.{name}")
    return found
