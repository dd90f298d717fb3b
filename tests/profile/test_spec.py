"""The declarations themselves."""

from __future__ import annotations

import dataclasses

import pytest

from jinka.codec import Algorithm
from jinka.keys.port import Purpose
from jinka.kit import Usage
from jinka.profile import ALGORITHM_LABELS, FileKind, KeyUse, algorithm_of
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4


def test_labels_and_algorithms_agree() -> None:
    assert all(algorithm_of(label) is algorithm for algorithm, label in ALGORITHM_LABELS.items())
    assert algorithm_of(0x01) is Algorithm.TDES  # a real FM1208 labels 3DES so
    with pytest.raises(Usage):
        algorithm_of(0x02)


def test_the_sm4_profile_differs_in_its_keys_only() -> None:
    assert {key.algorithm for key in PROFILE_SM4.keys} == {Algorithm.SM4}
    assert dataclasses.replace(PROFILE_SM4, keys=PROFILE.keys) == PROFILE


def test_short_identifiers_do_not_collide_and_every_file_has_both_titles() -> None:
    assert len({spec.sfi for spec in PROFILE.files}) == len(PROFILE.files)
    assert all(spec.title_en.strip() and spec.title_zh.strip() for spec in PROFILE.files)
    assert PROFILE.file(0x0018).kind is FileKind.CYCLIC
    with pytest.raises(Usage, match="no file 0099"):
        PROFILE.file(0x0099)


def test_every_key_comes_from_the_key_service() -> None:
    assert {key.service_purpose for key in PROFILE.keys} <= {purpose.value for purpose in Purpose}
    assert [key.kid for key in PROFILE.keys if key.use is KeyUse.PURCHASE] == [1, 2, 3]


def test_declarations_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROFILE.version = 2
