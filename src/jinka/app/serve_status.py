"""`jinka status`: which parts of a file are up, and what each says of itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.gateway_config import read_gateway_file
from jinka.app.issuer_host import read_issuer_file
from jinka.app.parts_file import KEYS, parts_of
from jinka.app.serving import SWITCH, key_source, worker_metrics
from jinka.app.switch_config import read_switch_file
from jinka.app.switch_serving import switch_status
from jinka.kit import NotFound, Usage

_CONNECT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """``up`` is None where the file gives no way to ask."""

    part: str
    up: bool | None
    said: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"part": self.part, "up": self.up} | {k: v for k, v in self.said.items() if k != "part"}

    def words(self, now_s: float | None = None) -> list[str]:
        """What a person wants to know, a line each."""
        if self.up is None:
            return ["it has no metrics address to ask"]
        if not self.up:
            return []
        if "peers" in self.said:
            return _switch_words(self.said, time.time() if now_s is None else now_s)
        if self.part == "issuer":
            answers = sum(self.said["answers"].values())
            return [f"lines {self.said['lines']}, answers {answers}, waiting {self.said['waiting']}"]
        if self.part == "gateway":
            line = "signed on" if self.said["line"]["ready"] else "no line to the switch"
            waiting = f"unresolved {self.said['unresolved']}, callbacks to send {self.said['callbacks']}"
            return [f"{line}; {waiting}"]
        return [str(self.said["socket"])]


def network_status(path: Path) -> list[PartStatus]:
    """Ask each part that the file has; raises `Usage` for a file that has none."""
    names = parts_of(path)
    if not names:
        raise Usage("no part in it", where=str(path), fix="see docs/serve.md")
    found = []
    place = key_source(path, names[0]).socket
    if place is not None:
        found.append(PartStatus(part=KEYS, up=_listens(place), said={"socket": str(place)}))
    return found + [status for name in names for status in _ASKED[name](path)]


def _issuer(path: Path) -> list[PartStatus]:
    return [_asked("issuer", read_issuer_file(path).metrics)]


def _switch(path: Path) -> list[PartStatus]:
    places = worker_metrics(read_switch_file(path))
    if len(places) < 2:
        return [_asked(SWITCH, places[0] if places else None)]
    return [_asked(f"{SWITCH}-{worker}", place) for worker, place in enumerate(places)]


def _gateway(path: Path) -> list[PartStatus]:
    return [_asked("gateway", read_gateway_file(path).metrics)]


_ASKED: Mapping[str, Callable[[Path], list[PartStatus]]] = {
    "issuer": _issuer,
    "switch": _switch,
    "gateway": _gateway,
}


def _asked(part: str, address: tuple[str, int] | None) -> PartStatus:
    if address is None:
        return PartStatus(part=part, up=None, said={})
    try:
        return PartStatus(part=part, up=True, said=switch_status(f"{address[0]}:{address[1]}"))
    except NotFound:
        return PartStatus(part=part, up=False, said={})


def _listens(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(_CONNECT_S)
        try:
            link.connect(str(place))
        except OSError:
            return False
    return True


def _switch_words(said: dict[str, Any], now_s: float) -> list[str]:
    flushed = said["journal"]["flushed_at_micros"]
    last = f"last flush {max(0.0, now_s - flushed / 1e6):.0f} s ago" if flushed else "nothing flushed yet"
    words = [f"business date {said['business_date']}, {said['open']} under way, {last}"]
    for name, peer in said["peers"].items():
        ready = sum(state == "ready" for state in peer["lines"])
        words.append(f"{name}: lines {len(peer['lines'])}, signed on {ready}, stored {peer['stored']}")
        if peer["refused"]:
            words.append(f"{name}: refused {peer['refused']}, see jinka switch journal FILE --state refused")
    return words
