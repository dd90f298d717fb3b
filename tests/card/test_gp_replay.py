"""A recorded session never opens a card a second time, also when the same keys are put once more.

With a pseudo-random card challenge everything in a session follows from keys, counter and the host's challenge
(GlobalPlatform 2.3.1, annex E; Amendment D, 6.2.2.1); so the card counts all channels together and never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jinka.card import Card, CardImage, ImageBase
from jinka.card.files import CHANNELS, blank_memory
from jinka.crypto.scp import KeySet
from jinka.issuer.field_update import DomainRefused, FieldUpdate, package_aid
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    ISSUER_KEYS,
    NAMES,
    PROFILES,
    card_of_authorities,
    factory_card,
    key_set,
    session,
)


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


@pytest.mark.parametrize("name", ["transit", "fuel"], ids=["SCP03", "SCP02"])
@pytest.mark.parametrize("first", [True, False], ids=["hand-over", "own session"])
def test_a_domain_that_is_made_again_with_its_keys_does_not_open_old_sessions(name: str, first: bool) -> None:
    """Everything that was ever said to the domain is said again after each step of its second making."""
    card = factory_card()
    aid, keys = AUTHORITIES[name]
    tapped, issuer = Tapped(card), session(card)
    issuer.make_domain(aid, quota=6000, names=NAMES[name])
    hand_over = FieldUpdate(
        tapped if first else card, domain=aid, keys=ISSUER_KEYS, randomness=SeededRandomness("host")
    )
    hand_over.open()
    hand_over.put_keys(keys)
    if not first:
        _open(tapped, name).load(PROFILES[name])
        _open(card, name).remove(package_aid(PROFILES[name]))
    session(card).remove(aid)
    for step in (
        lambda: session(card).make_domain(aid, quota=6000, names=NAMES[name]),
        lambda: handed_over(card, aid, keys),
    ):
        step()
        before = bytes(card.nvm.memory)
        answers = list(_replayed(card, tapped.sent))
        assert "9000" not in answers[2:], answers
        changed = [at for at, (a, b) in enumerate(zip(before, card.nvm.memory, strict=True)) if a != b]
        assert len(changed) <= 1, "the try that a wrong cryptogram costs"
    assert _open(card, name).content() == []


def handed_over(card: Card, aid: bytes, keys: KeySet) -> None:
    update = FieldUpdate(card, domain=aid, keys=ISSUER_KEYS, randomness=SeededRandomness("hand-over"))
    update.open()
    update.put_keys(keys)


def _sequence(card: Card, name: str) -> int:
    aid, _ = AUTHORITIES[name]
    card.transmit(bytes((0, 0xA4, 4, 0, len(aid))) + aid)
    return int.from_bytes(card.transmit(bytes.fromhex("80CA00C100"))[2:-2], "big")


def test_every_channel_of_every_domain_has_a_number_of_its_own() -> None:
    card = card_of_authorities("transit", "fuel")
    seen = [_sequence(card, "fuel")]
    for name in ("transit", "fuel", "transit"):
        assert _sequence(card, "transit") == _sequence(card, "fuel")
        _open(card, name)
        seen.append(_sequence(card, "fuel"))
    session(card).remove(AUTHORITIES["transit"][0])
    seen.append(_sequence(card, "fuel"))
    assert seen == list(range(seen[0], seen[0] + 5))


@pytest.mark.parametrize(("name", "end"), [("transit", 0xFFFFFF), ("fuel", 0xFFFF)], ids=["SCP03", "SCP02"])
def test_a_counter_that_is_at_its_end_opens_nothing(name: str, end: int) -> None:
    card = card_of_authorities("transit", "fuel")
    card.nvm.memory[CHANNELS : CHANNELS + 3] = (end - 1).to_bytes(3, "big")
    _open(card, name)
    before = bytes(card.nvm.memory)
    assert _sequence(card, name) == end
    with pytest.raises(DomainRefused, match="9402"):
        _open(card, name)
    assert card.nvm.memory == before
    if name == "fuel":
        _open(card, "transit")
        assert _sequence(card, "fuel") == end


# Written by version 3 of the format: an issuer and "transit", whose own key set had counted five channels.
VERSION_3 = (
    "4a434903b4e15b2514a08c140303a100006362625e28cac828226a61c7c0c0f1fe3d0303238300070303eb02202b9099"
    "5d938189d1e2fd7b16463d1609c60e01070606a602d933cf455f732955bcbab4da849b9de9818040d4d4863f2d527fff"
    "9d7910c8e962faa6554060e705ff8fc5471631dbd8eef9feb523dde40123d028468604b051acec7a0c7a0c0c2c8c1c1c"
    "4c4e2016133f335343833350093383095889859c851d23033bd441eccc2dac17c31818191918a10e6266627282b988b5"
    "60a58691c0f7cfc7967a3e58a8c6d1f9d75140a055f55ee7360e61d33fb766edddae6c522520f044eacb19d71a11bf59"
    "227e27dd6483670000"
)


def test_a_card_that_counted_by_key_set_goes_on_from_the_highest() -> None:
    base = ImageBase("blank", 1, blank_memory())
    image = CardImage.from_bytes(bytes.fromhex(VERSION_3), {base.id: base})
    card = Card.from_image(image, SeededRandomness("older"))
    aid, keys = AUTHORITIES["transit"]
    assert _sequence(card, "transit") == 5
    recorded = Tapped(Card.from_image(image, SeededRandomness("older")))
    _open(recorded, "transit").put_keys(key_set("next", version=2))
    session(card).remove(aid)
    session(card).make_domain(aid, quota=900)
    handed_over(card, aid, keys)
    assert _sequence(card, "transit") == 8
    assert "9000" not in list(_replayed(card, recorded.sent))[2:]
    again = CardImage.from_bytes(card.to_image().to_bytes(), {base.id: base})
    assert again.memory() == card.nvm.memory
    assert _sequence(Card.from_image(again, SeededRandomness("older")), "transit") == 8
