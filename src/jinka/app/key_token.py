"""`jinka keys to-token`: move the keys of a sealed store onto a PKCS#11 token, all that the token can hold.

The store keeps the catalogue and what the token lacks (SM4); of what moved it keeps the line and no value.
Keys that go on into security modules (purchase, grey lock) of a simulated scheme stay extractable under a wrapping key,
because a chip that exists only as software has to get its key from somewhere, and so do keys whose line of the
catalogue lets them leave in a key block; all others never leave the token.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinka.app.key_acts import perform
from jinka.app.key_folder import KeyFolder
from jinka.app.keyring import unlock_store
from jinka.app.workspace import Workspace
from jinka.keys import Purpose
from jinka.keys.acts import Act, Done
from jinka.keys.provider import PAIRS, Key, KeyKind
from jinka.keys.soft_provider import SoftProvider
from jinka.keys.store import sealed_again
from jinka.kit import Randomness, Refused
from jinka.node import write_durable
from jinka.node.system import SystemRandomness

_INTO_MODULES = frozenset({Purpose.PURCHASE, Purpose.GREY_LOCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What happened: names of keys on the token, and of those that stayed."""

    token: str
    moved: tuple[str, ...]
    stayed: tuple[str, ...]


def move_to_token(folder: Path, *, module: Path, label: str, pin: str, shares: Sequence[Path]) -> Moved:
    """Move the keys. What is on the token already, of an earlier run that was interrupted, is taken as moved.

    Raises `Refused` when the shares or the PIN do not open, or when a key of that name on the token is another one.
    """
    from jinka.node.pkcs11 import Pkcs11Provider

    workspace, randomness = Workspace(folder), SystemRandomness()
    opened = unlock_store(workspace, shares)
    token = Pkcs11Provider(module, token=label, pin=pin)
    try:
        kept, moved = {}, []
        for name, value in opened.store.roots.items():
            if KeyKind(name.algorithm) not in token.kinds:
                kept[name] = value
                continue
            if token.key(name) is None:
                goes_on = opened.store.simulated and name.purpose in _INTO_MODULES
                extractable = goes_on or opened.store.records[name].term("export") == "trusted"
                token.store(name, value, extractable=extractable)
            found = token.key(name)
            if found is None or not _same(found, SoftProvider().load(found.kind, value), randomness):
                raise Refused(
                    "the token has another key of that name", where=f"keys.{name}", fix="use an empty one"
                )
            moved.append(name)
    finally:
        token.close()
    custody = KeyFolder(folder)
    if custody.records.exists():  # custodians sign what becomes of their store
        done = Done(store=replace(opened.store, roots=kept), touched=tuple(moved))
        places = custody.places_of(shares)[: opened.header.needed]
        perform(custody, Act.MOVE, places, lambda _store, _randomness: done, date=_today())
    else:
        store = replace(opened.store, roots=kept)
        write_durable(workspace.keystore, sealed_again(opened, store, randomness), private=True)
    return Moved(
        token=token.name, moved=tuple(str(name) for name in moved), stayed=tuple(str(name) for name in kept)
    )


def _same(one: Key, other: Key, randomness: Randomness) -> bool:
    """Whether two keys of one kind do the same: neither shows its value."""
    if one.kind in PAIRS:
        return one.public_der() == other.public_der()
    if one.kind is KeyKind.HMAC:
        return one.hmac(b"check value") == other.hmac(b"check value")
    if one.kind is KeyKind.GCM:
        blob = other.seal(b"check value", context="check value", nonce12=randomness.token_bytes(12))
        try:
            return one.unseal(blob, context="check value") == b"check value"
        except Refused:
            return False
    return one.encrypt(bytes(16)) == other.encrypt(bytes(16))


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
