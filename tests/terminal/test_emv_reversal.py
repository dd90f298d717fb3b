"""When the issuer has approved, or may have, and the purchase ends otherwise: the acquirer is told to take it back.

Goal: no holder is charged for what he did not get, and none gets what was approved and completed twice. Method: every
way in which a transaction that went online can end, by the real card and issuer.
"""

from __future__ import annotations

import pytest

from jinka.codec import tlv
from jinka.codec.emv_tags import Tag
from jinka.issuer.emv import EmvIssuer, Question
from jinka.terminal import EmvStatus
from tests.card.emv_rig import issued
from tests.terminal.emv_rig import Nobody, Tap, issuer, reader, sale, terminal, with_application

ONLINE = with_application(floor_limit_fen=0)


def _load(host: EmvIssuer, question: Question) -> list[bytes]:
    return [host.load(question, 90_000)]


class Forging:
    """Approves without the issuer's cryptogram."""

    def authorise(self, request: bytes) -> bytes | None:
        return tlv(Tag.ARC, b"00") + tlv(Tag.ISSUER_AUTHENTICATION, bytes(8) + b"00")


@pytest.mark.parametrize(
    ("host", "status", "reversal"),
    [
        (issuer, EmvStatus.APPROVED_ONLINE, False),
        (lambda: issuer(b"51"), EmvStatus.DECLINED_ONLINE, False),
        (Nobody, EmvStatus.DECLINED_OFFLINE, True),
        (Forging, EmvStatus.DECLINED_ONLINE, True),
    ],
    ids=["approved", "declined", "no answer", "the card declines"],
)
def test_by_contact(host: type, status: EmvStatus, reversal: bool) -> None:
    found = terminal(**ONLINE).purchase(Tap(issued()), sale(1000), host())
    assert (found.status, found.reversal_wanted) == (status, reversal)


@pytest.mark.parametrize(
    ("host", "status", "reversal"),
    [
        (issuer, EmvStatus.APPROVED_ONLINE, False),
        (lambda: issuer(b"51"), EmvStatus.DECLINED_ONLINE, False),
        (Nobody, EmvStatus.DECLINED_ONLINE, True),
    ],
    ids=["approved", "declined", "no answer"],
)
def test_without_contact(host: type, status: EmvStatus, reversal: bool) -> None:
    found = reader().tap(Tap(issued()), sale(70_000), host())
    assert (found.status, found.reversal_wanted) == (status, reversal)


def test_nothing_to_take_back_offline() -> None:
    assert not terminal().purchase(Tap(issued()), sale(1000), Nobody()).reversal_wanted
    assert not terminal(online=False).purchase(Tap(issued()), sale(60_000), Nobody()).reversal_wanted
    assert not reader().tap(Tap(issued()), sale(1000), Nobody()).reversal_wanted


@pytest.mark.parametrize("ins", [0xDA, 0xAE, 0x82])
def test_a_card_pulled_after_the_approval(ins: int) -> None:
    class Pulled(Tap):
        def transmit(self, command: bytes) -> bytes:
            second = ins != 0xAE or any(sent[1] == 0xAE for sent in self.commands)
            self.pull_before = ins if second else None
            return super().transmit(command)

    found = terminal(**ONLINE).purchase(Pulled(issued()), sale(1000), issuer(scripts=_load))
    if ins == 0xDA:  # card and issuer are agreed; only the script is open
        assert found.status is EmvStatus.APPROVED_ONLINE
        assert found.failed_scripts == 1
        assert not found.reversal_wanted
    else:
        assert found.status is EmvStatus.REMOVED
        assert found.reversal_wanted
