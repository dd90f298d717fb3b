"""Chains of many messages side by side are those of one by one. Method: OpenSSL as the oracle, lengths mixed."""

from __future__ import annotations

import random

import pytest

from jinka.crypto import bulk_macs
from jinka.crypto.block import retail_chain, tdes_last_blocks
from jinka.kit import JinkaError


@pytest.mark.parametrize("sizes", [(152,), (152, 160), (0, 8, 16, 152, 4096), (0,)])
@pytest.mark.parametrize("count", [1, 5, 6, 48, 600])
def test_as_one_by_one(sizes: tuple[int, ...], count: int) -> None:
    bulk_macs.prepare()
    dice = random.Random(count)
    key = dice.randbytes(8)
    messages = [dice.randbytes(dice.choice(sizes)) for _ in range(count)]
    assert bulk_macs.des_last_blocks(key, messages) == tdes_last_blocks(key, messages)


def test_one_cipher_for_all_is_a_cipher_for_each() -> None:
    """ISO/IEC 9797-1 algorithm 3 with a key of equal halves is DES in CBC: the last block of the chain."""
    dice = random.Random(1)
    key = dice.randbytes(8)
    messages = [dice.randbytes(8 * blocks) for blocks in (2, 1, 30, 2)]
    assert tdes_last_blocks(key, messages) == [retail_chain(key * 2, message) for message in messages]
    assert tdes_last_blocks(key, [b"", messages[0], b""]) == [
        bytes(8), retail_chain(key * 2, messages[0]), bytes(8),
    ]  # fmt: skip


def test_a_wrong_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_macs, "des_macs_kernel", lambda *_: None)
    with pytest.raises(JinkaError):
        bulk_macs.prepare()


def test_nothing_is_compiled_for_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_macs, "_prepared", [])
    monkeypatch.setattr(bulk_macs, "des_macs_kernel", None)
    assert len(bulk_macs.des_last_blocks(bytes(8), [bytes(16)] * 20)) == 20
