"""The file of a bank terminal, ``pos.toml``, and its PIN pad beside it: read, checked, opened. See docs/pos-atm.md.

Keys never stand in the file: the pad is a file of its own that only its owner may read, as sealed hardware is in life.
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.bank_authority import read_ca_keys
from jinka.app.card_files import ISSUER_NUMBER, TEST_ISSUER, profile_named
from jinka.app.options import APPLICATION_DEFAULT
from jinka.codec.framing import framing_of
from jinka.codec.iso8583 import dialect
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.kit import NotFound, Refused, Usage
from jinka.node import FolderLock, write_durable
from jinka.node.host_line import LineTerms, TcpHostLine
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemClock, SystemRandomness
from jinka.node.till_journal import FileTillJournal
from jinka.sectors import bank
from jinka.terminal import (
    AidData,
    Capability,
    EmvDevice,
    HostLine,
    HostMessages,
    LoadDevice,
    PadKeys,
    PadMac,
    PadTerms,
    PinPad,
    TerminalFacts,
    Till,
    TillRules,
    from_kept,
    to_kept,
)

_TERMINAL = {
    "id", "merchant", "name", "category", "operator", "institution", "folder", "pad", "utc_offset_minutes", "sign_in",
    "tries", "batch", "cash_fen",
}  # fmt: skip
_HOST = {
    "connect",
    "dialect",
    "framing",
    "tpdu",
    "head",
    "connect_s",
    "answer_s",
    "mac",
    "pin_format",
    "sign_on",
    "tls",
}
_MAC = {"kind", "field", "form", "algorithm"}
_TLS = {"certificate", "key", "authority", "name", "crl"}
_CHIP = {
    "ca_keys", "floor_limit_fen", "contactless_limit_fen", "contactless_floor_fen", "contactless_cvm_fen", "pin",
    "fallback",
}  # fmt: skip
_PURSE = {"profile", "terminal", "key_index", "issuers", "operator"}
_PAD = b"JPD1"
_ONLINE_PIN, _ANY_PIN = (
    0xE06CC8,
    0xE0F8C8,
)  # 9F33: with a PIN for the issuer alone; with PINs for the chip as well
_ATM = 0x6040C8
_SEE = "see docs/pos-atm.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class PosFile:
    """All that a terminal needs, from one TOML file. ``device`` is its kernels' part."""

    path: Path
    facts: TerminalFacts
    name: str
    folder: Path
    pad: Path
    pad_terms: PadTerms
    line: LineTerms
    dialect: str
    mac_field: int
    rules: TillRules
    device: EmvDevice
    fallback: bool
    sign_on: bool
    purse: LoadDevice | None  # for topping purses up
    cash_fen: int | None  # what a cash terminal's dispenser was loaded with


def read_pos_file(path: Path, *, atm: bool = False) -> PosFile:
    """Read the file; `Usage` names the place of a mistake."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("no such file", where=str(path), fix=_SEE) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    _only(raw, {"terminal", "host", "chip", "purse"}, str(path))
    own, host, chip = raw.get("terminal", {}), raw.get("host", {}), raw.get("chip", {})
    for table, known, where in ((own, _TERMINAL, "terminal"), (host, _HOST, "host"), (chip, _CHIP, "chip")):
        _only(table, known, where)
    mac = host.get("mac", {})
    _only(mac, _MAC, "host.mac")
    base = path.parent
    try:
        return PosFile(
            path=path,
            facts=_facts(own, atm=atm),
            name=str(own.get("name", "")),
            folder=base / str(own.get("folder", f"terminal-{own['id']}")),
            pad=base / str(own.get("pad", f"terminal-{own['id']}/pad")),
            pad_terms=PadTerms(
                mac=PadMac(mac.get("kind", "none")),
                form=PosMacForm(mac.get("form", "hex")),
                algorithm=MacAlgorithm[str(mac.get("algorithm", "retail")).upper()],
                pin_format=PinFormat[str(host.get("pin_format", "ISO_0"))],
            ),
            line=_line(base, host),
            dialect=str(host.get("dialect", "unionpay-pos")),
            mac_field=int(mac.get("field", 64)),
            rules=TillRules(
                tries=int(own.get("tries", 3)),
                offset_minutes=int(own.get("utc_offset_minutes", 480)),
                signs_in="sign_in" in own,
                first_batch=f"{int(own.get('batch', 1)):06d}",
            ),
            device=_device(base, own, chip, atm=atm),
            fallback=bool(chip.get("fallback", True)),
            sign_on=bool(host.get("sign_on", False)),
            purse=_purse(own, raw["purse"]) if "purse" in raw else None,
            cash_fen=int(own["cash_fen"]) if "cash_fen" in own else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Usage(f"{type(error).__name__}: {error}", where=str(path), fix=_SEE) from None


def _facts(own: Mapping[str, Any], *, atm: bool) -> TerminalFacts:
    return TerminalFacts(
        terminal=str(own["id"]),
        merchant=str(own["merchant"]),
        category=str(own.get("category", "6011" if atm else "5411")),
        operator=str(own.get("operator", "01")),
        institution=str(own.get("institution", "")),
        sign_in=str(own.get("sign_in", "003")),
    )


def _line(base: Path, host: Mapping[str, Any]) -> LineTerms:
    name, _, port = str(host["connect"]).rpartition(":")
    more: dict[str, Any] = {key: float(host[key]) for key in ("connect_s", "answer_s") if key in host}
    more |= {key: bytes.fromhex(host[key]) for key in ("tpdu", "head") if key in host}
    return LineTerms(
        host=name or "127.0.0.1",
        port=int(port),
        framing=framing_of(str(host.get("framing", "unionpay-pos"))),
        tls=_tls(base, host["tls"]) if "tls" in host else None,
        **more,
    )


def _tls(base: Path, table: Mapping[str, Any]) -> LineTls:
    """As in a switch's file: our certificate, whom we believe, and the name that the host's must carry."""
    _only(table, _TLS, "host.tls")
    return LineTls(
        certificate=base / str(table["certificate"]),
        key=base / str(table["key"]),
        authority=base / str(table["authority"]),
        name=str(table["name"]),
        crl=base / str(table["crl"]) if "crl" in table else None,
    )


def _device(base: Path, own: Mapping[str, Any], chip: Mapping[str, Any], *, atm: bool) -> EmvDevice:
    limits: dict[str, Any] = {key: int(chip[key]) for key in _CHIP if key.endswith("_fen") and key in chip}
    wide = _ANY_PIN if str(chip.get("pin", "online")) == "any" else _ONLINE_PIN
    return EmvDevice(
        aids=(AidData(aid=bank.AID_DEBIT[:7], **limits),),  # debit and credit begin so
        ca_keys=read_ca_keys(base / str(chip["ca_keys"])) if "ca_keys" in chip else (),
        terminal_type=0x14 if atm else 0x22,
        capabilities=Capability(_ATM if atm else wide),
        merchant_category=bytes.fromhex(str(own.get("category", "6011" if atm else "5411"))),
        serial=str(own["id"]).encode("ascii"),
        atm=atm,
    )


def _purse(own: Mapping[str, Any], given: Mapping[str, Any]) -> LoadDevice:
    _only(given, _PURSE, "purse")
    profile = profile_named(str(given.get("profile", APPLICATION_DEFAULT)))
    issuers = given.get("issuers", {ISSUER_NUMBER.hex(): TEST_ISSUER})
    return LoadDevice(
        terminal_id=bytes.fromhex(str(given["terminal"])),
        aid=profile.aid,
        profile=profile.name,
        profile_version=profile.version,
        key_index=int(given.get("key_index", 1)),
        zone="Asia/Shanghai",
        operator=str(given.get("operator", own["merchant"])),
        acquirer=str(own.get("institution", "")),
        issuers={bytes.fromhex(number): str(name) for number, name in issuers.items()},
    )


def _only(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix=_SEE)
    if unknown := set(given) - known:
        raise Usage(f"unknown: {', '.join(sorted(unknown))}", where=where, fix=_SEE)


def write_pad(path: Path, keys: PadKeys) -> None:
    """Keep a pad's keys; only the owner may read them."""
    write_durable(path, to_kept(_PAD, keys), private=True)


def read_pad(path: Path) -> PadKeys:
    """The pad's keys; `Refused` for a file that others may read."""
    try:
        raw, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        raise NotFound("no PIN pad", where=str(path), fix="jinka pos pad POS.toml") from None
    if stat.S_IMODE(mode) & 0o077:
        raise Refused("others may read the pad's keys", where=str(path), fix=f"chmod 600 {path.name}")
    return from_kept(_PAD, PadKeys, raw)


@contextmanager
def opened_till(file: PosFile, *, line: Callable[[LineTerms], HostLine] = TcpHostLine) -> Iterator[Till]:
    """The terminal, one process at a time; keys that a sign-in brought are kept at the end."""
    with FolderLock(file.folder):
        keys = read_pad(file.pad)
        pad = PinPad(keys, file.pad_terms, SystemRandomness())
        wire = line(file.line)
        messages = HostMessages(dialect(file.dialect), file.facts, file.mac_field, signs_on=file.sign_on)
        try:
            yield Till(
                messages, pad, wire, FileTillJournal(file.folder / "journal", pad, file.facts.terminal),
                SystemClock(), file.rules,
            )  # fmt: skip
        finally:
            wire.close()
            if pad.keys != keys:
                write_pad(file.pad, pad.keys)
