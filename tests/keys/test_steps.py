"""What is remembered of a key. Goal: nothing of one key is ever believed of another, nor of one that is gone.

Method: weak and strong keys in turn under handles that are dropped at once, so that their places in memory come again.
"""

from __future__ import annotations

import gc

import pytest

from jinka.crypto.block_key import BlockCipher, BlockKey, check_value
from jinka.keys.provider import KeyKind
from jinka.keys.soft_provider import SoftProvider
from jinka.keys.steps import StepKey
from jinka.kit import Refused

WEAK, STRONG = bytes(range(8)) * 2, bytes(range(16))


def test_a_weak_key_is_refused_however_often_it_is_asked() -> None:
    provider = SoftProvider()
    for _ in range(50):
        StepKey(provider.load(KeyKind.TDES, STRONG)).strong()
        weak = StepKey(provider.load(KeyKind.TDES, WEAK))
        for _ in range(2):
            with pytest.raises(Refused, match="no stronger"):
                weak.strong()
        del weak
        gc.collect(0)


def test_a_mark_is_the_keys_own_check_value() -> None:
    provider = SoftProvider()
    for value in (WEAK, STRONG) * 50:
        step = StepKey(provider.load(KeyKind.TDES, value))
        expected = check_value(BlockKey(cipher=BlockCipher.TDES, value=value), size=8)
        assert step.mark == step.mark == expected


def test_a_key_that_was_closed_does_nothing_whatever_is_known_of_it() -> None:
    key = SoftProvider().load(KeyKind.TDES, STRONG)
    step = StepKey(key)
    step.strong()
    key.close()
    with pytest.raises(Refused):
        step.encrypt(bytes(8))
