"""`jinka keys serve`: the key service as a process of its own, over a folder with a sealed store and ``keys.toml``.

What may stand in ``keys.toml`` is told in docs/key-service.md.
"""

from __future__ import annotations

import os
import stat
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.keyring import open_keys
from jinka.app.workspace import Workspace
from jinka.crypto.bulk_macs import prepare
from jinka.keys import AuditEvent, KeyName, Purpose
from jinka.keys.border import Caller, Holding
from jinka.keys.provider import KeyKind, Provider, Routed
from jinka.keys.service import LocalKeyService
from jinka.kit import NotFound, Refused, Usage
from jinka.node import AuditLog
from jinka.node.guard_notes import GuardNotes
from jinka.node.hardening import Hardening, harden
from jinka.node.key_server import Admission, KeyServer
from jinka.node.system import SystemClock

CONFIG = "keys.toml"
_SERVICE = {"region": "440300", "threads": 1, "socket": "keys.sock"}
_KNOWN = {
    "service": {"region", "threads", "socket"},
    "tls": {"listen", "certificate", "key", "authority", "crl"},
    "token": {"module", "label", "pin_file"},
}
_CALLER = {"uid", "certificate", "verbs", "keys"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """Where the service listens for other machines."""

    host: str
    port: int
    certificate: Path
    key: Path
    authority: Path
    crl: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfig:
    """The token that holds the keys."""

    module: Path
    label: str
    pin_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysConfig:
    """``keys.toml``, checked."""

    region: str
    threads: int
    socket: Path
    tls: TlsConfig | None
    token: TokenConfig | None
    callers: Mapping[str, Admission] = field(default_factory=dict)


def today() -> str:
    """The date in UTC, YYYY-MM-DD."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def read_config(folder: Path) -> KeysConfig:
    """Read ``keys.toml``; without one, the user who starts the service is its one caller, ``day``, with all rights.

    Raises `Usage` with the line's name for whatever is unknown or of the wrong type.
    """
    path = folder / CONFIG
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    for section, found in raw.items():
        if section != "callers":
            _only(path, section, found, _KNOWN.get(section))
    service = _SERVICE | raw.get("service", {})
    try:
        callers = {name: _admission(path, name, rights) for name, rights in raw.get("callers", {}).items()}
        return KeysConfig(
            region=str(service["region"]),
            threads=int(service["threads"]),
            socket=folder / str(service["socket"]),
            tls=_tls(folder, raw["tls"]) if "tls" in raw else None,
            token=_token(folder, raw["token"]) if "token" in raw else None,
            callers=callers
            or {"day": Admission(caller=Caller(name="day", verbs=("*",), keys=("*",)), uid=os.getuid())},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Usage(f"{type(error).__name__}: {error}", where=str(path), fix="correct the file") from None


def open_provider(config: KeysConfig, holding: Holding, ask_pin: Callable[[], str]) -> Provider:
    """The store's own provider, behind the token where one is configured."""
    if config.token is None:
        return holding.provider
    from jinka.node.pkcs11 import Pkcs11Provider

    pin = read_pin(config.token.pin_file) if config.token.pin_file else ask_pin()
    token = Pkcs11Provider(config.token.module, token=config.token.label, pin=pin)
    return Routed(token, holding.provider)


class KeyServing:
    """A running service: `start` listens, `stop` hangs up, wipes and closes the audit log."""

    def __init__(self, folder: Path, *, shares: list[Path], ask_pin: Callable[[], str]) -> None:
        self.hardening: Hardening = harden()
        self.config = read_config(folder)
        workspace = Workspace(folder)
        holding = open_keys(workspace, self.config.region, share_files=shares).holding
        self._provider = open_provider(self.config, holding, ask_pin)
        self._holding = Holding(
            issuer=holding.issuer,
            simulated=holding.simulated,
            provider=self._provider,
            records=holding.records,
            working=holding.working,
        )
        self._audit = AuditLog(
            folder / "keys-audit.jsonl", origin=f"keys/{holding.issuer}", clock=SystemClock()
        )
        self._audit.append(AuditEvent(actor="service", act="keys.started", subject=self._provider.name))
        self._notes = self._keep_notes(folder / "keys-guards.log")
        self._server = KeyServer(self.config.callers, self._service, commit=self._commit)
        self.port = 0

    def _keep_notes(self, path: Path) -> GuardNotes | None:
        """Let the guards' counts outlive this process; the audit log's lock keeps others away from the file."""
        name = KeyName(purpose=Purpose.RECORD_SEAL, algorithm=KeyKind.HMAC.value, version=1)
        found = self._holding.find(name)
        if found is None:
            return None
        notes = GuardNotes(path)
        count = self._holding.working.keep(notes, found[1].hmac(b"jinka.guards/1"))
        self._audit.append(AuditEvent(actor="service", act="keys.guards", subject=f"{count} notes"))
        return notes

    def _commit(self) -> None:
        self._holding.working.commit()
        self._audit.commit()

    def facts(self) -> dict[str, Any]:
        """What the person who started it should know."""
        tls = self.config.tls
        return {
            "socket": str(self.config.socket),
            "tls": f"{tls.host}:{self.port}" if tls else None,
            "provider": self._provider.name,
            "certified": self._provider.certified,
            "simulated": self._holding.simulated,
            "callers": sorted(self.config.callers),
            "undumpable": self.hardening.undumpable,
            "memory_locked": self.hardening.locked,
            "guards_durable": self._notes is not None,
        }

    def start(self) -> None:
        """Listen."""
        prepare()  # no message waits for a compiler
        self._audit.commit()
        self._server.listen_unix(self.config.socket)
        if self.config.tls:
            tls = self.config.tls
            self.port = self._server.listen_tls(
                tls.host,
                tls.port,
                certificate=tls.certificate,
                key=tls.key,
                authority=tls.authority,
                crl=tls.crl,
            )

    def wait(self) -> None:
        """Return when `stop` was called."""
        self._server.wait()

    def interrupt(self) -> None:
        """Let `wait` return: safe in a signal's handler."""
        self._server.interrupt()

    def stop(self) -> None:
        """Hang up, overwrite the keys, end the audit log."""
        self._server.stop()
        self._provider.close()
        if self._notes is not None:
            self._notes.close()
        self._audit.append(AuditEvent(actor="service", act="keys.stopped", subject=self._provider.name))
        self._audit.close()
        self.config.socket.unlink(missing_ok=True)

    def _service(self, caller: Caller) -> LocalKeyService:
        # A simulated scheme lives on the dates of its days, so no key of it is early or late.
        return LocalKeyService(
            self._holding,
            region=self.config.region,
            threads=self.config.threads,
            caller=caller,
            audit=self._audit,
            today=str if self._holding.simulated else today,
        )


def _admission(path: Path, name: str, rights: Any) -> Admission:
    _only(path, f"callers.{name}", rights, _CALLER)
    verbs, keys = tuple(rights["verbs"]), tuple(rights["keys"])
    if not all(isinstance(text, str) for text in (*verbs, *keys)):
        raise TypeError("verbs and keys are lists of texts")
    if ("uid" in rights) == ("certificate" in rights):
        raise ValueError(f"callers.{name} needs a uid or a certificate, and one of them")
    uid = rights.get("uid")
    if uid is not None and type(uid) is not int:
        raise TypeError(f"callers.{name}.uid is a number")
    caller = Caller(name=name, verbs=verbs, keys=keys)
    return Admission(caller=caller, uid=uid, certificate=str(rights.get("certificate", "")))


def _tls(folder: Path, raw: dict[str, Any]) -> TlsConfig:
    host, _, port = str(raw["listen"]).rpartition(":")
    return TlsConfig(
        host=host,
        port=int(port),
        certificate=folder / str(raw["certificate"]),
        key=folder / str(raw["key"]),
        authority=folder / str(raw["authority"]),
        crl=folder / str(raw["crl"]) if "crl" in raw else None,
    )


def _token(folder: Path, raw: dict[str, Any]) -> TokenConfig:
    pin_file = folder / str(raw["pin_file"]) if "pin_file" in raw else None
    return TokenConfig(module=Path(str(raw["module"])), label=str(raw["label"]), pin_file=pin_file)


def read_pin(path: Path) -> str:
    """A token's PIN from a file that only its owner can read; raises `Refused` otherwise."""
    if not path.exists():
        raise NotFound("no PIN file", where=str(path), fix="write it, or leave pin_file out to be asked")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Refused("others can read the PIN", where=str(path), fix="chmod 600")
    return path.read_text(encoding="utf-8").strip()


def _only(path: Path, section: str, found: Any, known: set[str] | None) -> None:
    unknown = set(found) - known if known is not None and isinstance(found, dict) else {section}
    if unknown:
        raise Usage(
            f"unknown: {', '.join(sorted(unknown))}",
            where=f"{path}: {section}",
            fix="see docs/key-service.md",
        )
