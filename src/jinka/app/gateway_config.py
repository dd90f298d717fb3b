"""The gateway's configuration: one TOML file, as docs/gateway.md tells it. Anything else in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.acquirer.iso import NEEDED
from jinka.app.parts_file import PAGES, host_port, only, read_tables
from jinka.app.switch_config import read_own_line
from jinka.kit import Usage
from jinka.node.switch_runner import Address
from jinka.switch import Peer

_GATEWAY = {"database", "listen", "institution", "switch", "vault", "metrics", "log"}
_CALLBACKS = {"plain", "inside"}
_PAGE = PAGES["gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFile:
    """``institution`` is our number at the switch, ``line`` what is agreed with it, ``address`` where it listens.

    ``callbacks_plain`` and ``callbacks_inside`` let callbacks go by HTTP and to addresses of one's own network.
    """

    path: Path
    database: Path | str
    host: str
    port: int
    institution: str
    line: Peer
    address: Address
    vault: Path
    callbacks_plain: bool
    callbacks_inside: bool
    keys: Mapping[str, Any]
    metrics: tuple[str, int] | None = None
    log: Path | None = None


def read_gateway_file(path: Path) -> GatewayFile:
    """Read the file; `Usage` names the place of a mistake."""
    raw = read_tables(path, "gateway")
    own, callbacks = raw["gateway"], raw["callbacks"]
    only(own, _GATEWAY, "gateway", _PAGE)
    only(callbacks, _CALLBACKS, "callbacks", _PAGE)
    database = str(own.get("database", "gateway.db"))
    host, port = host_port(own.get("listen", "127.0.0.1:8480"), "gateway.listen")
    for name in ("institution", "switch"):
        if name not in own:
            raise Usage("missing", where=f"gateway.{name}", fix=f"see {_PAGE}")
    institution = str(own["institution"])
    if not (institution.isascii() and institution.isdigit() and len(institution) <= 11):
        raise Usage("not up to 11 digits", where="gateway.institution", fix="as the switch's file has it")
    line, address = read_own_line(path.parent, own["switch"], "gateway.switch", own=institution)
    lacking = NEEDED - line.codec.spec.fields.keys()
    if lacking:
        fix = f"without fields {', '.join(map(str, sorted(lacking)))} an original has no name"
        raise Usage("not a dialect for a gateway", where="gateway.switch.dialect", fix=fix)
    return GatewayFile(
        path=path,
        database=database if "://" in database else path.parent / database,
        host=host,
        port=port,
        institution=institution,
        line=line,
        address=address,
        vault=path.parent / str(own.get("vault", "vault.sealed")),
        callbacks_plain=_flag(callbacks, "plain"),
        callbacks_inside=_flag(callbacks, "inside"),
        keys=raw["keys"],
        metrics=host_port(own["metrics"], "gateway.metrics") if "metrics" in own else None,
        log=path.parent / str(own["log"]) if "log" in own else None,
    )


def _flag(table: Mapping[str, Any], name: str) -> bool:
    found = table.get(name, False)
    if not isinstance(found, bool):
        raise Usage("not true or false", where=f"callbacks.{name}")
    return found
