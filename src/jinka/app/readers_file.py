"""The configuration of a station of UHF readers: one TOML file, as docs/readers.md tells it. Anything else is refused.

Every mistake is named by its place in the file. An antenna is written ``reader:2``; ``reader`` alone is all of its.
"""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinka.app.parts_file import host_port, only
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS
from jinka.codec.epcis.vocabulary import Words as Vocabulary
from jinka.codec.tags import TagError, canonical_id, parse_urn
from jinka.kit import NotFound, Usage
from jinka.node.capture_client import CaptureServer, require_server
from jinka.node.reader_link import PORT
from jinka.node.reader_station import Antenna, StationSettings
from jinka.node.reader_watch import ReaderSettings
from jinka.trace.passage import Gate
from jinka.trace.presence import PresenceRules
from jinka.trace.read_events import WORDS, Meaning, ReadPlace, Words

PAGE = "docs/readers.md"
_EPOCH_LEAST_MS = 100
_TOP = {"station", "capture", "readers", "places"}
_STATION = {"folder", "zone", "buffer", "stays", "raw", "metrics"}
_CAPTURE = {"url", "token_file", "retry_most_ms"}
_READER = {
    "address", "antennas", "tid_words", "session", "population", "power_index", "mode", "turn_ms", "keepalive_ms",
    "retry_most_ms",
}  # fmt: skip
_PLACE = {
    "read_point", "biz_location", "antennas", "outer", "inner", "margin_ms", "silence_least_ms", "silence_most_ms",
    "doubt", "reads_least", "together_ms", "events",
}  # fmt: skip
_MEANINGS = {
    False: (Meaning.ARRIVED, Meaning.DEPARTED),
    True: (Meaning.ENTERED, Meaning.LEFT, Meaning.UNDECIDED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersFile:
    """``capture`` None: events wait in the outbox, for somebody else to take."""

    path: Path
    station: StationSettings
    capture: CaptureServer | None
    offset_of: Callable[[int], str]
    metrics: tuple[str, int] | None = None


def read_readers_file(path: Path) -> ReadersFile:
    """Read the file; `Usage` names the place of a mistake."""
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix=f"see {PAGE}")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    only(raw, _TOP, str(path), PAGE)
    own = raw.get("station", {})
    only(own, _STATION, "station", PAGE)
    readers = _readers(_named(raw, "readers"))
    places, antennas = _places(_named(raw, "places"), {each.name: each for each in readers})
    station = StationSettings(
        readers=readers,
        places=places,
        antennas=antennas,
        folder=path.parent / str(own.get("folder", "station")),
        buffer=_whole(own, "station", "buffer", 50_000, 1, 1_000_000),
        stays=_whole(own, "station", "stays", 200_000, 1, 5_000_000),
        raw=_flag(own, "station", "raw", True),
    )
    return ReadersFile(
        path=path,
        station=station,
        capture=_capture(path.parent, raw["capture"]) if "capture" in raw else None,
        offset_of=zone_offsets(str(own.get("zone", "Asia/Shanghai"))),
        metrics=host_port(own["metrics"], "station.metrics") if "metrics" in own else None,
    )


def zone_offsets(name: str) -> Callable[[int], str]:
    """What a zone's clocks are ahead of UTC at a time in microseconds, as ``+08:00``."""
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Usage(f"no such zone: {name[:40]}", where="station.zone", fix="such as Asia/Shanghai") from None

    def offset(micros: int) -> str:
        text = datetime.fromtimestamp(micros // 1_000_000, UTC).astimezone(zone).strftime("%z")
        return f"{text[:3]}:{text[3:5]}"

    return offset


def _named(raw: Mapping[str, Any], table: str) -> Mapping[str, Mapping[str, Any]]:
    found = raw.get(table, {})
    if not isinstance(found, dict) or not found or not all(isinstance(each, dict) for each in found.values()):
        raise Usage("none is named", where=table, fix=f"[{table}.NAME]; see {PAGE}")
    for name in found:
        if ":" in name or not name.isprintable() or len(name) > 64:
            raise Usage(
                "not a name", where=f"{table}.{name[:64]}", fix="at most 64 characters, without a colon"
            )
    return found


def _readers(tables: Mapping[str, Mapping[str, Any]]) -> tuple[ReaderSettings, ...]:
    made = []
    for name, table in tables.items():
        where = f"readers.{name}"
        only(table, _READER, where, PAGE)
        host, port = _address(table.get("address", ""), f"{where}.address")
        antennas = table.get("antennas", [])
        if not isinstance(antennas, list) or not all(type(a) is int and 0 < a < 65_536 for a in antennas):
            raise Usage("not a list of numbers from 1 on", where=f"{where}.antennas", fix="antennas = [1, 2]")
        made.append(
            ReaderSettings(
                name=name,
                host=host,
                port=port,
                antennas=tuple(antennas),
                tid_words=_whole(table, where, "tid_words", 0, 0, 32),
                session=_whole(table, where, "session", 0, 0, 3),
                population=_whole(table, where, "population", 32, 1, 65_535),
                power_index=_whole(table, where, "power_index", 0, 0, 65_535),
                mode=_whole(table, where, "mode", 0, 0, 65_535) if "mode" in table else None,
                turn_ms=_whole(table, where, "turn_ms", 250, 20, 10_000),
                keepalive_ms=_whole(table, where, "keepalive_ms", 2_000, 100, 600_000),
                retry_most_s=_whole(table, where, "retry_most_ms", 30_000, 100, 600_000) / 1000,
            )
        )
    return tuple(made)


def _address(text: object, where: str) -> tuple[str, int]:
    host, colon, port = str(text).rpartition(":")
    if not colon:
        host, port = str(text), str(PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise Usage("not an address", where=where, fix=f"HOST, or HOST:PORT where it is not {PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _places(
    tables: Mapping[str, Mapping[str, Any]], readers: Mapping[str, ReaderSettings]
) -> tuple[dict[str, ReadPlace], dict[Antenna, tuple[str, str]]]:
    places: dict[str, ReadPlace] = {}
    antennas: dict[Antenna, tuple[str, str]] = {}
    for name, table in tables.items():
        where = f"places.{name}"
        only(table, _PLACE, where, PAGE)
        gate = "outer" in table or "inner" in table
        if gate == ("antennas" in table):
            raise Usage(
                "either antennas, or outer and inner",
                where=where,
                fix="a gate has two sides, a place has none",
            )
        for side in ("outer", "inner") if gate else ("antennas",):
            for key in _antennas(table.get(side), f"{where}.{side}", readers):
                if key in antennas or any(
                    key[0] == other[0] and 0 in (key[1], other[1]) for other in antennas
                ):
                    raise Usage(f"{key[0]}:{key[1]} serves another place or side", where=f"{where}.{side}")
                antennas[key] = (name, side if gate else "")
        turns = [readers[reader].turn_ms for (reader, _), (place, _) in antennas.items() if place == name]
        places[name] = _place(name, table, where, gate=gate, epoch_ms=max(_EPOCH_LEAST_MS, *turns))
    return places, antennas


def _antennas(found: object, where: str, readers: Mapping[str, ReaderSettings]) -> list[Antenna]:
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        raise Usage("not a list of antennas", where=where, fix='["reader:1", "reader:2"]')
    made = []
    for each in found:
        reader, _, number = each.partition(":")
        if reader not in readers:
            raise Usage(f"no reader {reader}", where=where, fix=", ".join(readers))
        if number and not (number.isdigit() and 0 < int(number) < 65_536):
            raise Usage(f"no antenna: {each}", where=where, fix="a number from 1 on behind the colon")
        antenna = int(number or 0)
        own = readers[reader].antennas
        if antenna and own and antenna not in own:
            raise Usage(
                f"{reader} does not use antenna {antenna}", where=where, fix=f"readers.{reader}.antennas"
            )
        made.append((reader, antenna))
    return made


def _place(name: str, table: Mapping[str, Any], where: str, *, gate: bool, epoch_ms: int) -> ReadPlace:
    usual = PresenceRules()
    doubt = table.get("doubt", usual.doubt)
    if type(doubt) is not float or not 1e-12 <= doubt <= 0.5:
        raise Usage("not a probability", where=f"{where}.doubt", fix="such as 0.0001, at most 0.5")
    least = _whole(table, where, "silence_least_ms", 1_000, 1, 3_600_000)
    most = _whole(table, where, "silence_most_ms", 30_000, 1, 86_400_000)
    if least > most:
        raise Usage("longer than silence_most_ms", where=f"{where}.silence_least_ms")
    margin = _whole(table, where, "margin_ms", 100, 0, 60_000)
    return ReadPlace(
        name=name,
        read_point=_identifier(table.get("read_point", ""), f"{where}.read_point"),
        biz_location=_identifier(table["biz_location"], f"{where}.biz_location")
        if "biz_location" in table
        else "",
        gate=Gate(outer="outer", inner="inner", margin_micros=1_000 * margin) if gate else None,
        rules=PresenceRules(
            epoch_micros=1_000 * epoch_ms,
            doubt=doubt,
            silence_least_micros=1_000 * least,
            silence_most_micros=1_000 * most,
            reads_least=_whole(table, where, "reads_least", 1, 1, 1_000),
        ),
        words=_words(table.get("events", {}), f"{where}.events", gate=gate),
        together_micros=1_000 * _whole(table, where, "together_ms", 1_000, 0, 600_000),
    )


def _words(table: object, where: str, *, gate: bool) -> dict[Meaning, Words]:
    """The words of what happens; ``false`` instead of words is no event."""
    meanings = {meaning.value: meaning for meaning in _MEANINGS[gate]}
    only(table, set(meanings), where, PAGE)
    assert isinstance(table, dict)
    made: dict[Meaning, Words] = {}
    for name, meaning in meanings.items():
        given = table.get(name, {})
        if given is False:
            continue
        only(given, {"step", "disposition"}, f"{where}.{name}", PAGE)
        usual = WORDS[meaning]
        made[meaning] = Words(
            step=_word(given.get("step", usual.step), BIZ_STEPS, f"{where}.{name}.step"),
            disposition=_word(
                given.get("disposition", usual.disposition), DISPOSITIONS, f"{where}.{name}.disposition"
            ),
        )
    return made


def _word(text: object, known: Vocabulary, where: str) -> str:
    if text not in known.words:
        raise Usage(f"no {known.what} of the CBV: {text}", where=where, fix=f"such as {min(known.words)}")
    return str(text)


def _identifier(text: object, where: str) -> str:
    try:
        if not isinstance(text, str) or ":" not in text:
            raise Usage("not an identifier", where=where, fix="urn:epc:id:sgln:..., or a GS1 Digital Link")
        if text.startswith("urn:epc:id:"):
            parse_urn(text)
        canonical_id(text)
    except TagError as error:
        raise Usage(error.what, where=where, fix=error.fix) from None
    return text


def _capture(folder: Path, table: object) -> CaptureServer:
    only(table, _CAPTURE, "capture", PAGE)
    assert isinstance(table, dict)
    headers = {}
    if "token_file" in table:
        place = folder / str(table["token_file"])
        if not place.is_file():
            raise NotFound("no such file", where="capture.token_file", fix=str(place))
        token = place.read_text(encoding="ascii", errors="replace").strip()
        if not token.isprintable() or not token.isascii() or not token:
            raise Usage("not a token", where="capture.token_file", fix="one line of printable ASCII")
        headers = {"Authorization": f"Bearer {token}"}
    return CaptureServer(
        url=require_server(str(table.get("url", ""))),
        headers=headers,
        retry_most_s=_whole(table, "capture", "retry_most_ms", 30_000, 100, 600_000) / 1000,
    )


def _whole(table: Mapping[str, Any], where: str, name: str, default: int, least: int, most: int) -> int:
    value = table.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise Usage(
            f"not a whole number from {least} to {most}", where=f"{where}.{name}", fix=f"{name} = {default}"
        )
    return value


def _flag(table: Mapping[str, Any], where: str, name: str, default: bool) -> bool:
    value = table.get(name, default)
    if not isinstance(value, bool):
        raise Usage("not true or false", where=f"{where}.{name}")
    return value
