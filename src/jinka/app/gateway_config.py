"""The gateway's configuration: one TOML file, as docs/gateway.md tells it. Anything else in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.parts_file import PAGES, host_port, only, read_tables
from jinka.kit import Usage

_GATEWAY = {"database", "listen", "issuer", "acquirer", "vault"}
_CALLBACKS = {"plain", "inside"}
_PAGE = PAGES["gateway"]


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
    raw = read_tables(path, "gateway")
    own, callbacks = raw["gateway"], raw["callbacks"]
    only(own, _GATEWAY, "gateway", _PAGE)
    only(callbacks, _CALLBACKS, "callbacks", _PAGE)
    database = str(own.get("database", "gateway.db"))
    host, port = host_port(own.get("listen", "127.0.0.1:8480"), "gateway.listen")
    for name in ("issuer", "acquirer"):
        if name not in own:
            raise Usage("missing", where=f"gateway.{name}", fix="see docs/gateway.md")
    return GatewayFile(
        path=path,
        database=database if "://" in database else path.parent / database,
        host=host,
        port=port,
        issuer=path.parent / str(own["issuer"]),
        acquirer=str(own["acquirer"]),
        vault=path.parent / str(own.get("vault", "vault.sealed")),
        callbacks_plain=_flag(callbacks, "plain"),
        callbacks_inside=_flag(callbacks, "inside"),
        keys=raw["keys"],
    )


def _flag(table: Mapping[str, Any], name: str) -> bool:
    found = table.get(name, False)
    if not isinstance(found, bool):
        raise Usage("not true or false", where=f"callbacks.{name}")
    return found
