"""A key service with payment keys, in memory, on a SoftHSM2 token, and over a socket.

Keys are those of published vectors where there are some.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from jinka.keys.border import EMBEDDED, Caller, Holding
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.port import Purpose
from jinka.keys.provider import KeyKind, Provider, Routed
from jinka.keys.service import LocalKeyService
from jinka.keys.soft_provider import SoftProvider
from jinka.keys.working import Working
from jinka.node.key_server import Admission, KeyServer
from jinka.node.key_socket import connect_unix
from tests.keys import hsm
from tests.keys.ground import Dice

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
OTHER = bytes.fromhex("1122334455667788AABBCCDDEEFF0011")
IBM_TERMS = (("method", "ibm3624"), ("table", "8351296477461538"), ("start", "3"), ("length", "11"))
EXPORT = (("export", "trusted"),)
# name -> value and terms
KEYS: dict[str, tuple[bytes, tuple[tuple[str, str], ...]]] = {
    "zone_pin/TDES/1@bank": (KEY, EXPORT),
    "zone_pin/TDES/2@bank": (OTHER, ()),
    "zone_pin/AES/1@bank": (bytes.fromhex("00112233445566778899AABBCCDDEEFF"), ()),
    "zone_pin/SM4/1@bank": (KEY, ()),
    "terminal_pin/TDES/1@t1": (OTHER[8:] + OTHER[:8], ()),
    "zone_mac/TDES/1@bank": (b"AAAAAAAABBBBBBBB", ()),
    "zone_mac/AES/1@bank": (KEY, ()),
    "zone_mac/SM4/1@bank": (KEY, ()),
    "zone_data/AES/1@bank": (OTHER, ()),
    "base_derivation/TDES/1": (KEY, ()),
    "base_derivation/AES/1": (bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1"), ()),
    "pin_verify/TDES/1": (KEY, ()),
    "pin_verify/TDES/2": (KEY, IBM_TERMS),
    "card_verify/TDES/1": (KEY, ()),
    "cryptogram/TDES/1": (KEY, ()),
    "cryptogram/SM4/1": (KEY, ()),
    "script_mac/TDES/1": (OTHER, ()),
    "script_data/TDES/1": (OTHER, ()),
    "transport/AES-256-GCM/1@bureau": (OTHER + KEY, ()),
    "zone_master/AES/1@bank": (OTHER + KEY, ()),
    "zone_master/TDES/1@bank": (OTHER, ()),
}


class StillClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.micros = 1_700_000_000_000_000

    def now_micros(self) -> int:
        return self.micros

    def pass_s(self, seconds: int) -> None:
        self.micros += seconds * 1_000_000


@dataclass(frozen=True, slots=True)
class Rig:
    """A service, its clock, and its holding."""

    service: Any
    clock: StillClock
    holding: Holding

    def seen_by(self, caller: Caller, **changes: Any) -> LocalKeyService:
        return LocalKeyService(self.holding, region="440300", caller=caller, **changes)


def rig(provider: Provider | None = None, **changes: Mapping[str, Any]) -> Rig:
    """A service in process; ``changes`` replace fields of the records."""
    provider, clock = provider or SoftProvider(), StillClock()
    working = Working(clock=clock, randomness=Dice(), lock=RLock())
    for text, (value, terms) in KEYS.items():
        name = KeyName.parse(text)
        kind = KeyKind(name.algorithm)
        key = provider.load(kind, value, extractable=bool(terms and terms[-1] == EXPORT[0]))
        working.keys.add(KeyRecord(name=name, check="", terms=terms), key)
    holding = Holding(issuer="bank", simulated=False, provider=provider, records={}, working=working)
    return Rig(LocalKeyService(holding, region="440300"), clock, holding)


def sealing(made: Rig) -> Rig:
    """With the keys that seal images, such as a vault's key and the switch's journal."""
    for kind in (KeyKind.GCM, KeyKind.HMAC):
        name = KeyName(purpose=Purpose.RECORD_SEAL, algorithm=kind.value, version=1)
        key = made.holding.provider.load(kind, bytes(range(32)), extractable=False)
        made.holding.working.keys.add(KeyRecord(name=name, check=""), key)
    return made


def token() -> Provider:
    from jinka.node.pkcs11 import Pkcs11Provider

    module = hsm.module()
    hsm.token_folder()
    return Pkcs11Provider(module, token=hsm.TOKEN, pin=hsm.PIN)


def routed() -> Provider:
    return Routed(token(), SoftProvider())


@contextmanager
def over_socket(local: Rig, folder: Path) -> Iterator[Rig]:
    """The same service behind a socket."""
    admission = Admission(caller=EMBEDDED, uid=os.getuid())
    server = KeyServer({"day": admission}, lambda caller: local.seen_by(caller))
    server.listen_unix(folder / "keys.sock")
    remote = connect_unix(folder / "keys.sock", caller="day")
    try:
        yield Rig(remote, local.clock, local.holding)
    finally:
        remote.close()
        server.stop()
