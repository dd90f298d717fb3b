"""The files that every purse application has, whatever its sector (JR/T 0025.2): keys, 0015, 0016, purses, 0018.

The sizes and rights are those of the cards of transit and fuel; the last two bytes of 0015 and the first of 0016 are
Jinka's own choice, as each sector's file says. What a sector adds (a ride record, limits) stands there.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinka.codec import Algorithm
from jinka.profile.spec import FREE, NEVER, FileKind, FileSpec, KeySpec, KeyUse

KEY_RECORD_SIZE = 24
LOG_RECORDS, LOG_RECORD_SIZE = 10, 23


def service_key(use: KeyUse, purpose: str, kid: int = 0, version: int = 1) -> KeySpec:
    """A key that the key service derives for the card; 3DES, which `ApplicationProfile.with_algorithm` changes."""
    return KeySpec(use=use, kid=kid, version=version, algorithm=Algorithm.TDES, service_purpose=purpose)


def key_file(keys: Sequence[KeySpec]) -> FileSpec:
    return FileSpec(
        fid=0x0000,
        kind=FileKind.KEY,
        size=len(keys) * KEY_RECORD_SIZE,
        read_right=NEVER,
        title_en="Keys",
        title_zh="密钥文件",
    )


def public_data(example: bytes) -> FileSpec:
    return FileSpec(
        fid=0x0015,
        kind=FileKind.BINARY,
        size=30,
        write_right=FREE,
        mac_required=True,
        title_en="Public application data",
        title_zh="公共应用基本数据文件",
        example=example,
    )


def holder() -> FileSpec:
    return FileSpec(
        fid=0x0016,
        kind=FileKind.BINARY,
        size=39,
        write_right=FREE,
        mac_required=True,
        title_en="Holder",
        title_zh="持卡人基本数据文件",
        example=b"\x01\x00" + bytes(37),
    )


def purse(title_en: str, title_zh: str, *, fid: int = 0x0002, read_right: int = FREE) -> FileSpec:
    return FileSpec(
        fid=fid,
        kind=FileKind.PURSE,
        read_right=read_right,
        write_right=NEVER,
        title_en=title_en,
        title_zh=title_zh,
    )


def transaction_log() -> FileSpec:
    return FileSpec(
        fid=0x0018,
        kind=FileKind.CYCLIC,
        records=LOG_RECORDS,
        record_length=LOG_RECORD_SIZE,
        title_en="Transaction log",
        title_zh="交易明细文件",
    )
