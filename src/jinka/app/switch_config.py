"""The switch's configuration: one TOML file, as docs/switch.md tells it. Anything else in it is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.codec.framing import framing_of
from jinka.codec.iso8583 import dialect
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.kit import NotFound, Severity, Usage
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address
from jinka.registry.bins import BinTable, parse_bins
from jinka.switch import KeyExchange, MacKind, MacRule, Peer, PinRule, SignOn, StandIn, SwitchConfig

_SWITCH = {
    "institution",
    "bins",
    "database",
    "business_date",
    "metrics",
    "hops_max",
    "closed_kept",
    "open_max",
}
_KEYS = {"socket", "caller", "folder", "region", "shares", "blocks"}
_PLAIN = {
    "network_mti", "reversal_mti", "timeout_ms", "echo_ms", "echo_misses", "forward_window", "retry_ms",
    "retry_max_ms", "garbage_max", "trail_field", "institution",
}  # fmt: skip
_LINK = {"rate", "burst", "frame_s", "write_max", "lines_max"}
_PEER = _PLAIN | _LINK | {
    "listen", "connect", "connections", "dialect", "framing", "sign_on", "mac", "pin", "exchange",
}  # fmt: skip
_STAND_IN = {"kinds", "each_fen", "card_fen", "card_count", "with_pin", "blocked_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the key service is: a socket, or a folder with a sealed store that is opened in process.

    ``blocks`` are key blocks to take in at the start: name of the key, name of the key that wraps it, the block.
    """

    socket: Path | None
    caller: str
    folder: Path | None
    region: str
    shares: tuple[Path, ...]
    blocks: tuple[tuple[str, str, str], ...]


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


def read_switch_file(path: Path, *, worker: str = "0") -> SwitchFile:
    """Read the file; raises `Usage` that names the place of a mistake."""
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix="see docs/switch.md")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    _only(raw, {"switch", "keys", "peers", "routes", "banks", "stand_in"}, str(path))
    switch = raw.get("switch", {})
    _only(switch, _SWITCH, "switch")
    try:
        own = str(switch["institution"])
        peers, addresses = {}, []
        for name, given in raw["peers"].items():
            _only(given, _PEER, f"peers.{name}")
            peers[name] = _peer(name, given)
            addresses.append(_address(name, given, own))
        config = SwitchConfig(
            institution=own,
            peers=peers,
            routes={str(k): str(v) for k, v in raw.get("routes", {}).items()},
            bins=_bins(path.parent, switch["bins"]) if "bins" in switch else None,
            banks={str(k): str(v) for k, v in raw.get("banks", {}).items()},
            stand_in={name: _stand_in(path.parent, name, g) for name, g in raw.get("stand_in", {}).items()},
            worker=worker,
            **{k: int(switch[k]) for k in ("hops_max", "closed_kept", "open_max") if k in switch},
        )
        database = str(switch.get("database", "switch.db"))
        return SwitchFile(
            path=path,
            config=config,
            addresses=tuple(addresses),
            database=database if "://" in database else path.parent / database,
            business_date=str(switch.get("business_date", "")),
            metrics=_host_port(switch["metrics"]) if "metrics" in switch else None,
            keys=read_key_source(path.parent, raw["keys"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Usage(f"{type(error).__name__}: {error}", where=str(path), fix="see docs/switch.md") from None


def _peer(name: str, given: Mapping[str, Any]) -> Peer:
    rules: dict[str, Any] = {key: given[key] for key in _PLAIN if key in given}
    if "mac" in given:
        mac = given["mac"]
        _only(mac, {"kind", "key", "field", "algorithm", "form"}, f"peers.{name}.mac")
        rules["mac"] = MacRule(
            kind=MacKind(mac["kind"]),
            key=str(mac["key"]),
            field=int(mac.get("field", 64)),
            algorithm=MacAlgorithm[str(mac.get("algorithm", "retail")).upper()],
            form=PosMacForm(mac.get("form", "hex")),
        )
    if "pin" in given:
        _only(given["pin"], {"key", "format"}, f"peers.{name}.pin")
        rules["pin"] = PinRule(key=str(given["pin"]["key"]), format=PinFormat(int(given["pin"]["format"])))
    if "exchange" in given:
        _only(given["exchange"], {"under", "size", "overlap_ms"}, f"peers.{name}.exchange")
        rules["exchange"] = KeyExchange(**given["exchange"])
    return Peer(
        name=name,
        codec=dialect(str(given.get("dialect", "iso1987-binary"))),
        sign_on=SignOn(given.get("sign_on", "none")),
        **rules,
    )


def _address(name: str, given: Mapping[str, Any], own: str) -> Address:
    if ("listen" in given) == ("connect" in given):
        raise Usage("listen or connect, and one of them", where=f"peers.{name}")
    host, port = _host_port(given.get("listen") or given["connect"])
    rules = LinkRules(
        framing=framing_of(str(given.get("framing", "2-binary"))),
        own=own,
        peer=str(given.get("institution", "")),
        **{key: given[key] for key in _LINK if key in given},
    )
    return Address(
        peer=name, host=host, port=port, listen="listen" in given, rules=rules,
        connections=int(given.get("connections", 1)),
    )  # fmt: skip


def _stand_in(folder: Path, name: str, given: Mapping[str, Any]) -> StandIn:
    _only(given, _STAND_IN, f"stand_in.{name}")
    blocked: frozenset[str] = frozenset()
    if "blocked_file" in given:
        blocked = frozenset((folder / str(given["blocked_file"])).read_text(encoding="ascii").split())
    return StandIn(
        kinds=frozenset(map(str, given["kinds"])),
        each_fen=int(given["each_fen"]),
        card_fen=int(given["card_fen"]),
        card_count=int(given["card_count"]),
        with_pin=bool(given.get("with_pin", False)),
        blocked=blocked,
    )


def _bins(folder: Path, name: str) -> BinTable:
    table, findings = parse_bins((folder / name).read_text(encoding="utf-8"), source=name)
    bad = [finding for finding in findings if finding.severity is Severity.ERROR]
    if bad:
        raise Usage(f"{len(bad)} bad rows, the first: {bad[0].what}", where=f"{name}, {bad[0].where}")
    return table


def read_key_source(folder: Path, given: Mapping[str, Any]) -> KeySource:
    """The table ``keys`` of a file in ``folder``; another host's file has the same."""
    _only(given, _KEYS, "keys")
    if ("socket" in given) == ("folder" in given):
        raise Usage("a socket or a folder, and one of them", where="keys")
    return KeySource(
        socket=folder / str(given["socket"]) if "socket" in given else None,
        caller=str(given.get("caller", "switch")),
        folder=folder / str(given["folder"]) if "folder" in given else None,
        region=str(given.get("region", "440300")),
        shares=tuple(folder / str(share) for share in given.get("shares", ())),
        blocks=tuple((str(b["name"]), str(b["under"]), str(b["block"])) for b in given.get("blocks", ())),
    )


def _host_port(text: Any) -> tuple[str, int]:
    host, _, port = str(text).rpartition(":")
    return host or "127.0.0.1", int(port)


def _only(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix="see docs/switch.md")
    unknown = set(given) - known
    if unknown:
        raise Usage(f"unknown: {', '.join(sorted(unknown))}", where=where, fix="see docs/switch.md")
