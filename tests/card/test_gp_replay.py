"""A recorded session never opens a card a second time, also when the same keys are put once more.

With a pseudo-random card challenge everything in a session follows from keys, counter and the host's challenge
(GlobalPlatform 2.3.1, annex E; Amendment D, 6.2.2.1); so the counter of a domain's keys must not go back.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jinka.card import Card
from jinka.crypto.scp import KeySet
from jinka.issuer.field_update import FieldUpdate, package_aid
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import AUTHORITIES, PROFILES, card_of_authorities, key_set


class Tapped:
    """A reader that keeps what it sent."""

    def __init__(self, card: Card) -> None:
        self.card, self.sent = card, list[bytes]()

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(command)
        return self.card.transmit(command)


def _open(link: Tapped | Card, name: str, keys: KeySet | None = None) -> FieldUpdate:
    aid, own = AUTHORITIES[name]
    update = FieldUpdate(link, domain=aid, keys=keys or own, randomness=SeededRandomness("host"))
    update.open()
    return update


def _replayed(card: Card, sent: list[bytes]) -> Iterator[str]:
    yield from (card.transmit(command)[-2:].hex() for command in sent)


@pytest.mark.parametrize("name", ["transit", "fuel"], ids=["SCP03", "SCP02"])
@pytest.mark.parametrize("version", [1, 2], ids=["replaced", "added beside"])
def test_keys_put_again_do_not_open_old_sessions(name: str, version: int) -> None:
    card = card_of_authorities(name)
    keys = AUTHORITIES[name][1]
    tapped = Tapped(card)
    _open(tapped, name).load(PROFILES[name])  # the first session with these keys, which somebody records
    _open(card, name).remove(package_aid(PROFILES[name]))

    again = KeySet(version=version, family=keys.family, enc=keys.enc, mac=keys.mac, dek=keys.dek)
    other = key_set("other", family=keys.family)
    _open(card, name).put_keys(again if version == 2 else other, replaces=0 if version == 2 else 1)
    if version == 1:
        _open(card, name, other).put_keys(keys, replaces=other.version)
    before = bytes(card.nvm.memory)
    first, *_ = tapped.sent
    assert card.transmit(first)[-2:] == b"\x90\x00"
    sent = [bytes((*raw[:2], version, *raw[3:])) if raw[:2] == b"\x80\x50" else raw for raw in tapped.sent]
    assert "9000" not in list(_replayed(card, sent))[2:]
    allowed = {at for at, (a, b) in enumerate(zip(before, card.nvm.memory, strict=True)) if a != b}
    assert len(allowed) <= 1, "the try that a wrong cryptogram costs"
    assert _open(card, name, again).content() == []
