"""The switch's configuration: one TOML file, as docs/switch.md tells it. Anything else in it is refused."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.parts_file import KeySource, host_port, only, read_key_source, read_tables
from jinka.app.switch_day import CutTime, read_cut_time
from jinka.codec.framing import framing_of
from jinka.codec.iso8583 import dialect
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.keys.catalogue import KeyName
from jinka.keys.port import Purpose
from jinka.kit import Severity, Usage
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address
from jinka.node.switch_tls import LineTls
from jinka.registry.bins import BinTable, parse_bins
from jinka.switch import (
    KeyExchange,
    KeyLayout,
    MacKind,
    MacRule,
    Peer,
    PinRule,
    SignOn,
    StandIn,
    SwitchConfig,
    Terminal,
)
from jinka.switch.kinds import STOOD_IN

_SWITCH = {
    "institution",
    "bins",
    "database",
    "business_date",
    "metrics",
    "log",
    "workers",
    "hops_max",
    "closed_kept",
    "open_max",
    "cut_over",
    "cut_ms",
    "zone",
}
_PAGE = "docs/switch.md"
_PLAIN = {
    "network_mti", "reversal_mti", "timeout_ms", "echo_ms", "echo_misses", "forward_window", "retry_ms",
    "retry_max_ms", "garbage_max", "refusals_max", "trail_field", "institution",
}  # fmt: skip
_LINK = {"rate", "burst", "frame_s", "write_max", "lines_max", "address_lines"}
_PEER = _PLAIN | _LINK | {
    "listen", "connect", "connections", "dialect", "framing", "sign_on", "mac", "pin", "exchange",
    "terminals", "sign_in", "tls", "reconcile", "acquirers",
}  # fmt: skip
_OUR_LINE = {
    "connect", "dialect", "framing", "institution", "mac", "sign_on", "timeout_ms", "echo_ms", "echo_misses", "frame_s",
    "network_mti", "tls",
}  # fmt: skip
_WORKERS_MAX = 256
_WAIT_MS = 20_000  # longer than the switch waits for the issuer
_SIGN_INS = {"001": "single", "003": "double"}
_TERMINALS_FIX = "terminal,merchant,master such as T0000001,M1,terminal_master/TDES/1@T0000001"
_STAND_IN = {"kinds", "each_fen", "card_fen", "card_count", "with_pin", "blocked_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchFile:
    """All that `jinka switch serve` needs."""

    path: Path
    config: SwitchConfig
    addresses: tuple[Address, ...]
    database: Path | str
    business_date: str
    metrics: tuple[str, int] | None
    keys: KeySource
    cut: CutTime
    log: Path | None = None
    workers: int = 1


def read_switch_file(path: Path, *, worker: int = 0, workers: int = 0) -> SwitchFile:
    """Read the file; raises `Usage` that names the place of a mistake. Without ``workers`` the file says how many."""
    raw = read_tables(path, "switch")
    switch = raw["switch"]
    only(switch, _SWITCH, "switch", _PAGE)
    workers = workers or _workers(switch.get("workers", 1))
    if worker >= workers:
        raise Usage(f"worker {worker} of {workers}", where="switch", fix="--workers, or workers in the file")
    try:
        own = str(switch["institution"])
        peers, addresses = {}, []
        for name, given in raw["peers"].items():
            only(given, _PEER, f"peers.{name}", _PAGE)
            peers[name] = _peer(path.parent, name, given)
            addresses.append(_address(path.parent, name, given, own))
        config = SwitchConfig(
            institution=own,
            peers=peers,
            routes={str(k): str(v) for k, v in raw.get("routes", {}).items()},
            bins=_bins(path.parent, switch["bins"]) if "bins" in switch else None,
            banks={str(k): str(v) for k, v in raw.get("banks", {}).items()},
            stand_in={
                name: _stand_in(path.parent, name, g, workers) for name, g in raw.get("stand_in", {}).items()
            },
            worker=str(worker),
            workers=workers,
            **{k: int(switch[k]) for k in ("hops_max", "closed_kept", "open_max", "cut_ms") if k in switch},
        )
        if workers > 1 and any(peer.exchange for peer in peers.values()):
            raise Usage("keys are exchanged by one worker", where="peers", fix="no exchange, or one worker")
        database = str(switch.get("database", "switch.db"))
        return SwitchFile(
            path=path,
            config=config,
            addresses=tuple(addresses),
            database=database if "://" in database else path.parent / database,
            business_date=str(switch.get("business_date", "")),
            metrics=host_port(switch["metrics"], "switch.metrics") if "metrics" in switch else None,
            keys=read_key_source(path.parent, raw["keys"], "switch"),
            cut=read_cut_time(str(switch.get("cut_over", "")), str(switch.get("zone", ""))),
            log=path.parent / str(switch["log"]) if "log" in switch else None,
            workers=workers,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Usage(f"{type(error).__name__}: {error}", where=str(path), fix="see docs/switch.md") from None


def _workers(given: object) -> int:
    if type(given) is not int or not 1 <= given <= _WORKERS_MAX:
        raise Usage("not a number of processes", where="switch.workers", fix=f"1 to {_WORKERS_MAX}")
    return given


def read_own_line(folder: Path, given: Mapping[str, Any], where: str, *, own: str) -> tuple[Peer, Address]:
    """An acquirer's line to a switch, in the words that the switch has for its peers; ``own`` is our institution."""
    only(given, _OUR_LINE, where, _PAGE)
    if "connect" not in given:
        raise Usage("missing", where=f"{where}.connect", fix="HOST:PORT of the switch")
    said = {"sign_on": "we", "timeout_ms": _WAIT_MS} | dict(given)
    try:
        return _peer(folder, "switch", said), _address(folder, "switch", said, own)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Usage(f"{type(error).__name__}: {error}", where=where, fix=f"see {_PAGE}") from None


def _peer(folder: Path, name: str, given: Mapping[str, Any]) -> Peer:
    rules: dict[str, Any] = {key: given[key] for key in _PLAIN if key in given}
    if "terminals" in given:
        rules["terminals"] = _terminals(folder, str(given["terminals"]))
        rules["sign_ins"] = {
            str(code): KeyLayout(layout) for code, layout in given.get("sign_in", _SIGN_INS).items()
        }
    own_keys = {"key": ""} if "terminals" in given else {}  # each terminal's are drawn when it signs in
    if "mac" in given:
        mac = own_keys | given["mac"]
        only(mac, {"kind", "key", "field", "algorithm", "form"}, f"peers.{name}.mac", _PAGE)
        rules["mac"] = MacRule(
            kind=MacKind(mac["kind"]),
            key=str(mac["key"]),
            field=int(mac.get("field", 64)),
            algorithm=MacAlgorithm[str(mac.get("algorithm", "retail")).upper()],
            form=PosMacForm(mac.get("form", "hex")),
        )
    if "pin" in given:
        only(given["pin"], {"key", "format"}, f"peers.{name}.pin", _PAGE)
        pin = own_keys | given["pin"]
        rules["pin"] = PinRule(key=str(pin["key"]), format=PinFormat(int(pin["format"])))
    if "exchange" in given:
        only(given["exchange"], {"under", "size", "overlap_ms", "every_s"}, f"peers.{name}.exchange", _PAGE)
        rules["exchange"] = KeyExchange(**given["exchange"])
    return Peer(
        name=name,
        codec=dialect(str(given.get("dialect", "iso1987-binary"))),
        sign_on=SignOn(given.get("sign_on", "none")),
        reconcile=bool(given.get("reconcile", False)),
        acquirers=frozenset(map(str, given.get("acquirers", ()))),
        **rules,
    )


def _terminals(folder: Path, name: str) -> dict[str, Terminal]:
    """The table of terminals: number, merchant, name of the master key."""
    found: dict[str, Terminal] = {}
    with (folder / name).open(encoding="ascii", newline="") as lines:
        for at, row in enumerate(csv.reader(lines), 1):
            if at == 1 and row == ["terminal", "merchant", "master"]:
                continue
            if len(row) != 3 or not 1 <= len(row[0]) <= 8 or row[0] in found:
                raise Usage("not a terminal of its own", where=f"{name}, line {at}", fix=_TERMINALS_FIX)
            master = KeyName.parse(row[2])
            if master.purpose is not Purpose.TERMINAL_MASTER or not master.owner:
                raise Usage("no terminal's master key", where=f"{name}, line {at}", fix=_TERMINALS_FIX)
            found[row[0]] = Terminal(number=row[0], merchant=row[1], master=row[2])
    return found


def _address(folder: Path, name: str, given: Mapping[str, Any], own: str) -> Address:
    if ("listen" in given) == ("connect" in given):
        raise Usage("listen or connect, and one of them", where=f"peers.{name}")
    host, port = host_port(given.get("listen") or given["connect"], f"peers.{name}")
    rules = LinkRules(
        framing=framing_of(str(given.get("framing", "2-binary"))),
        own=own,
        peer=str(given.get("institution", "")),
        tls=_tls(folder, name, given["tls"]) if "tls" in given else None,
        **{key: given[key] for key in _LINK if key in given},
    )
    return Address(
        peer=name, host=host, port=port, listen="listen" in given, rules=rules,
        connections=int(given.get("connections", 1)),
    )  # fmt: skip


def _tls(folder: Path, name: str, given: Mapping[str, Any]) -> LineTls:
    only(given, {"certificate", "key", "authority", "name", "crl"}, f"peers.{name}.tls", _PAGE)
    files = {what: folder / str(given[what]) for what in ("certificate", "key", "authority")}
    crl = folder / str(given["crl"]) if "crl" in given else None
    made = LineTls(**files, name=str(given["name"]), crl=crl)
    made.client()  # a file that is none is named now, and not when a peer connects
    return made


def _stand_in(folder: Path, name: str, given: Mapping[str, Any], workers: int) -> StandIn:
    """Each worker counts for itself, so each has its share of a card's limits: together they never give more."""
    only(given, _STAND_IN, f"stand_in.{name}", _PAGE)
    blocked: frozenset[str] = frozenset()
    if "blocked_file" in given:
        blocked = frozenset((folder / str(given["blocked_file"])).read_text(encoding="ascii").split())
    count = int(given["card_count"]) // workers
    if int(given["card_count"]) and not count:
        fix = f"card_count of {workers} at least, or fewer workers"
        raise Usage(f"no share for each of {workers} workers", where=f"stand_in.{name}", fix=fix)
    if not isinstance(given["kinds"], list):
        fix = f"a list such as {sorted(STOOD_IN)}"
        raise Usage("not a list", where=f"stand_in.{name}.kinds", fix=fix)
    return StandIn(
        kinds=frozenset(map(str, given["kinds"])),
        each_fen=int(given["each_fen"]),
        card_fen=int(given["card_fen"]) // workers,
        card_count=count,
        with_pin=bool(given.get("with_pin", False)),
        blocked=blocked,
    )


def _bins(folder: Path, name: str) -> BinTable:
    table, findings = parse_bins((folder / name).read_text(encoding="utf-8"), source=name)
    bad = [finding for finding in findings if finding.severity is Severity.ERROR]
    if bad:
        raise Usage(f"{len(bad)} bad rows, the first: {bad[0].what}", where=f"{name}, {bad[0].where}")
    return table
