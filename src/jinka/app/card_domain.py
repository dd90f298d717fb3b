"""`jinka card domain VERB`: a security domain's content over its secure channel, in an image or in a reader.

GlobalPlatform Card Specification 2.3.1, host side (`jinka.issuer.FieldUpdate`). Keys are the test card's or those of a
file that its owner alone can read; the host holds them in memory. Key sets are not changed here, domains are not made,
and applications are not filled with a holder's data.
"""

from __future__ import annotations

import functools
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.card_files import CardFile, domain_base, domain_memory
from jinka.app.card_link import CardPlace, card_at
from jinka.card import Card, Nvm
from jinka.card.domains import Life
from jinka.card.files import ISSUER_AID
from jinka.crypto.scp import Diversification, KeyFamily, KeySet
from jinka.issuer.field_update import Content, FieldUpdate
from jinka.kit import NotFound, Refused, Usage
from jinka.node.system import SystemRandomness
from jinka.sim.randomness import SeededRandomness

LIFE_WORDS = {
    Life.LOADED: ("loaded", "已装载"),
    Life.INSTALLED: ("installed", "已安装"),
    Life.SELECTABLE: ("selectable", "可选择"),
    Life.PERSONALISED: ("personalised", "已个人化"),
    Life.LOCKED: ("locked", "已锁定"),
}
_PROTOCOLS = {"scp03": KeyFamily.AES, "scp02": KeyFamily.TDES}
_KEY_NAMES = {"protocol", "version", "enc", "mac", "dek", "diversification"}
_KEY_FILE_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPlace:
    """Which domain of which card; without ``key_file`` under the keys of `fresh_domain_card`."""

    card: CardPlace
    domain: bytes = ISSUER_AID
    key_file: Path | None = None


@functools.cache
def make_test_domain_keys() -> KeySet:
    """The issuer domain's keys on a fresh test card (SCP03, AES-128); everybody has them."""
    drawn = SeededRandomness("jinka test issuer domain")
    enc, mac, dek = (drawn.token_bytes(16) for _ in range(3))
    return KeySet(version=1, family=KeyFamily.AES, enc=enc, mac=mac, dek=dek)


def fresh_domain_card(path: Path) -> CardFile:
    """A card as its maker delivers it, with an issuer domain and nothing else, written to a new file."""
    if path.exists():
        raise Usage("the file is there", where=str(path), fix="name another")
    card = Card(Nvm(domain_memory(make_test_domain_keys())), SystemRandomness(), domain_base())
    made = CardFile(card, path)
    made.save()
    return made


def read_domain_keys(path: Path) -> tuple[KeySet, Diversification]:
    """A key file: JSON of version, enc, mac, dek (hex), and protocol (scp03) and diversification (none) if they differ.

    `Refused` when others can read it; no error repeats what the file holds.
    """
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
    except OSError:
        raise NotFound("no such file", where=str(path), fix="check the name") from None
    if not stat.S_ISREG(mode) or size > _KEY_FILE_MAX:
        raise Usage("no key file", where=str(path), fix=f"a file of at most {_KEY_FILE_MAX} bytes")
    if stat.S_IMODE(mode) & 0o077:
        raise Refused("others can read the keys", where=str(path), fix="chmod 600")
    try:
        raw = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise Usage("not JSON", where=str(path)) from None
    if not isinstance(raw, dict) or set(raw) - _KEY_NAMES or not {"enc", "mac", "dek"} <= set(raw):
        fix = f"an object of {', '.join(sorted(_KEY_NAMES))}"
        raise Usage("other fields than a key set has", where=str(path), fix=fix)
    return _key_set(raw, str(path))


def _key_set(raw: dict[str, Any], where: str) -> tuple[KeySet, Diversification]:
    family = _PROTOCOLS.get(str(raw.get("protocol", "scp03")))
    if family is None:
        raise Usage("another protocol", where=where, fix=f"one of {', '.join(_PROTOCOLS)}")
    version = raw.get("version", 1)
    if type(version) is not int:
        raise Usage("the version is no number", where=where, fix="1 to 127")
    try:
        how = Diversification(raw.get("diversification", "none"))
    except ValueError:
        known = ", ".join(one.value for one in Diversification)
        raise Usage("another diversification", where=where, fix=f"one of {known}") from None
    try:
        enc, mac, dek = (bytes.fromhex(raw[name]) for name in ("enc", "mac", "dek"))
    except (ValueError, TypeError):
        raise Usage("enc, mac and dek are hex", where=where) from None
    return KeySet(version=version, family=family, enc=enc, mac=mac, dek=dek), how


def read_aid(text: str, *, where: str) -> bytes:
    """An AID of 5 to 16 bytes in hex (ISO/IEC 7816-4, 8.2.1.2)."""
    try:
        aid = bytes.fromhex(text)
    except ValueError:
        aid = b""
    if not 5 <= len(aid) <= 16:
        raise Usage(f"{text!r} is no AID", where=where, fix="5 to 16 bytes in hex")
    return aid


@contextmanager
def domain_at(place: DomainPlace) -> Iterator[FieldUpdate]:
    """An open session. An image's file is written before the host sees the answer to what changed it."""
    keys, how = make_test_domain_keys(), Diversification.NONE
    if place.key_file is not None:
        keys, how = read_domain_keys(place.key_file)
    with card_at(place.card, keep=True) as link:
        update = FieldUpdate(
            link, domain=place.domain, keys=keys, randomness=SystemRandomness(), diversification=how
        )
        update.open()
        yield update


def content_row(line: Content) -> dict[str, str]:
    """One line of GET STATUS as plain values, with the state in words."""
    known = line.life in set(Life)
    english, chinese = LIFE_WORDS[Life(line.life)] if known else (f"{line.life:02X}", f"{line.life:02X}")
    return {
        "aid": line.aid.hex().upper(),
        "state": english,
        "state_zh": chinese,
        "owner": line.owner.hex().upper(),
        "package": line.package.hex().upper(),
    }
