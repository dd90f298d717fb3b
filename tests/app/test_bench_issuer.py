"""What `jinka bench issuer` measures. Goal: the host decides each request in earnest, and no wrong one counts as done.

Method: the host of the measurement in this process, asked rightly, and once each with a wrong PIN, card value and MAC.
"""

from __future__ import annotations

from pathlib import Path

from jinka.app import bench_issuer_world as world
from jinka.app.issuer_host import opened_host
from jinka.issuer.chart import IssuerAccount, office_account


def test_the_host_checks_pin_card_value_and_mac_and_books_the_money(tmp_path: Path) -> None:
    service = world.key_service(world.KEYS)
    with opened_host(world.issuer_file(tmp_path), service) as opened:
        world.fill(opened.books, opened.ledger, service, 3)
        server = world.server_of(opened.host, service, [])
        tracks = [world.track2(card, service) for card in range(3)]
        blocks = [world.pin_block(card, world.KEYS[world.BANK_PIN]) for card in range(3)]
        asked = [world.request(n, n, tracks[n], blocks[n]) for n in range(3)]
        digit = "1" if tracks[1][-1] == "0" else "0"
        wrong_value = world.request(3, 1, tracks[1][:-1] + digit, blocks[1])
        wrong_pin = world.request(4, 1, tracks[1], world.pin_block(10, world.KEYS[world.BANK_PIN]))
        raws = world.with_macs([*asked, wrong_value, wrong_pin, *asked[:1]], service)
        raws[-1] = raws[-1][:-1] + bytes([raws[-1][-1] ^ 1])
        answers, wrong = server._decide(raws)
        codes = [world.CODEC.decode(raw or b"").text(39) for raw in answers]
        assert wrong == {5}
        assert codes[:3] == ["00"] * 3
        assert codes[-1] == "A0"
        assert "00" not in codes[3:]
        office = office_account(IssuerAccount.ACQUIRER, world.ACQUIRER).id
        assert opened.ledger.balances([office])[office].credits_posted == 100 + 101 + 102
