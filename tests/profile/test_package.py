"""Profiles to packages and back. Hostile bytes first: a package comes from outside and decides what a card holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card.personalise import structure
from jinka.kit import Usage
from jinka.profile import ApplicationKind, ApplicationProfile, FileKind, FileSpec, FolderSpec
from jinka.profile.package import PackageError, decode, encode
from jinka.sectors import PROFILES
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4

RAW = encode(PROFILE)


@settings(max_examples=400)
@given(st.binary(max_size=120), st.integers(0, len(RAW)), st.integers(0, 255))
def test_any_bytes_are_a_package_or_an_error(noise: bytes, at: int, byte: int) -> None:
    spoilt = RAW[:at] + bytes((byte,)) + RAW[at + 1 :]
    for raw in (noise, RAW[:at], RAW[:at] + noise, spoilt):
        try:
            decode(raw)
        except PackageError:
            continue


@pytest.mark.parametrize("profile", [PROFILE, PROFILE_SM4], ids=["3DES", "SM4"])
def test_everything_that_the_card_needs_comes_back(profile: object) -> None:
    assert profile in (PROFILE, PROFILE_SM4)
    found = decode(encode(profile))
    for spec, original in zip(found.files, profile.files, strict=True):
        assert spec == replace(original, title_en="", title_zh="", example=b"")
    for key, wanted in zip(found.keys, profile.keys, strict=True):
        assert key == replace(wanted, service_purpose="")
    assert encode(found) == encode(profile)


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_a_package_of_every_sector_makes_the_same_files(profile: ApplicationProfile) -> None:
    assert structure(decode(encode(profile))) == structure(profile)


def test_folders_and_kinds_come_back() -> None:
    profile = replace(
        PROFILE,
        application=ApplicationKind.IDENTITY,
        folders=(FolderSpec(fid=0xDF01, name=b"ABCDE", title_en="", title_zh=""),),
        files=(FileSpec(fid=5, kind=FileKind.BINARY, size=300, folder=0xDF01, title_en="", title_zh=""),),
        purse=None,
    )
    found = decode(encode(profile))
    assert (found.folders, found.files) == (profile.folders, profile.files)
    assert found.application is ApplicationKind.IDENTITY
    assert found.purse is None


def test_a_package_is_small_and_has_a_limit() -> None:
    assert len(RAW) < 250
    many = tuple(replace(PROFILE.files[1], fid=fid) for fid in range(0x1000, 0x1000 + 300))
    with pytest.raises(Usage, match="at most 3072"):
        encode(replace(PROFILE, files=many))
    with pytest.raises(PackageError, match="at most"):
        decode(bytes(4000))
