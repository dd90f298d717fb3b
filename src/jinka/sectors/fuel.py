"""Fuel cards: a purse in fen with a grey lock, a passbook beside it, and what the card may buy.

Standards: JR/T 0025.2 (0015, 0016, 0018), JR/T 0025.9 and CJ/T 304 (grey lock), in the shape of the cards of the
large oil companies. Jinka's own choices, because no readable source fixes them: the name of the application, the
key type of the grey lock, the transaction types of the FMCOS manual (`PROFILE_CJT304` has those of CJ/T 304 as far as
they are known: 93 for the release), and file 001C: grades 2 (a bit each) | most fen for one refuelling 4; 0 for any.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from enum import IntFlag

from jinka.codec import Algorithm
from jinka.kit import Unit
from jinka.profile import (
    FREE,
    NEVER,
    ApplicationProfile,
    FileKind,
    FileSpec,
    GreySpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
    PurseSpec,
)
from jinka.tariff import Product, Share, Tariff, Transfer, TransferRule

PURSE_LIMIT_FEN = 5_000_000
INITIAL_PIN = bytes.fromhex("999999FF")  # up to four bytes; the holder changes it at the counter
AFTER_PIN = 0x11  # access right: only after the PIN
LIMITS_FILE = 0x001C


class Grade(IntFlag):
    """What the card may buy (the first two bytes of 001C)."""

    PETROL_92 = 1
    PETROL_95 = 2
    PETROL_98 = 4
    DIESEL = 8
    GAS = 16
    SHOP = 32


def limits(grades: Grade, most_fen: int) -> bytes:
    """The content of file 001C."""
    return int(grades).to_bytes(2, "big") + most_fen.to_bytes(4, "big")


def _key(use: KeyUse, purpose: str, kid: int = 0) -> KeySpec:
    return KeySpec(use=use, kid=kid, version=1, algorithm=Algorithm.TDES, service_purpose=purpose)


_KEYS = (
    _key(KeyUse.PURCHASE, "purchase", 1),
    _key(KeyUse.GREY_LOCK, "grey_lock", 1),
    _key(KeyUse.LOAD, "load", 1),
    _key(KeyUse.UNLOAD, "unload", 1),
    _key(KeyUse.OVERDRAFT, "overdraft", 1),
    _key(KeyUse.TAC, "tac"),
    _key(KeyUse.MAINTENANCE, "maintenance"),
    _key(KeyUse.PIN_UNBLOCK, "pin_unblock"),
    _key(KeyUse.PIN_RELOAD, "pin_reload"),
    KeySpec(
        use=KeyUse.PIN,
        kid=0,
        version=1,
        algorithm=Algorithm.TDES,
        tries=3,
        state_after=1,
        initial=INITIAL_PIN,
    ),
)

_FILES = (
    FileSpec(
        fid=0x0000,
        kind=FileKind.KEY,
        size=len(_KEYS) * 24,
        read_right=NEVER,
        title_en="Keys",
        title_zh="密钥文件",
    ),
    FileSpec(
        fid=0x0015,
        kind=FileKind.BINARY,
        size=30,
        write_right=FREE,
        mac_required=True,
        title_en="Public application data",
        title_zh="公共应用基本数据文件",
        example=bytes.fromhex("1000000000000001 02 01 00009010000000012345 20240101 20341231 0100"),
    ),
    FileSpec(
        fid=0x0016,
        kind=FileKind.BINARY,
        size=39,
        write_right=FREE,
        mac_required=True,
        title_en="Holder",
        title_zh="持卡人基本数据文件",
        example=b"\x01\x00" + bytes(37),
    ),
    FileSpec(
        fid=0x0001,
        kind=FileKind.PURSE,
        read_right=AFTER_PIN,
        write_right=NEVER,
        title_en="Electronic passbook",
        title_zh="电子存折",
    ),
    FileSpec(
        fid=0x0002,
        kind=FileKind.PURSE,
        read_right=FREE,
        write_right=NEVER,
        title_en="Electronic purse with grey lock",
        title_zh="电子钱包（电子油票，可灰锁）",
    ),
    FileSpec(
        fid=0x0018,
        kind=FileKind.CYCLIC,
        records=10,
        record_length=23,
        title_en="Transaction log",
        title_zh="交易明细文件",
    ),
    FileSpec(
        fid=LIMITS_FILE,
        kind=FileKind.BINARY,
        size=6,
        write_right=FREE,
        mac_required=True,
        title_en="What the card may buy",
        title_zh="限品种与限额文件",
        example=limits(Grade.PETROL_92 | Grade.DIESEL, 50_000),
    ),
)

PROFILE = ApplicationProfile(
    name="cn.fuel",
    version=1,
    aid=b"JINKA.FUEL.01",
    fid=0x3F02,
    title_en="Fuel card",
    title_zh="加油卡",
    authority="An oil company with its stations 石油公司及其加油站",
    standards=("JR/T 0025.2", "JR/T 0025.9", "CJ/T 304"),
    files=_FILES,
    keys=_KEYS,
    purse=PurseSpec(
        fid=0x0002, unit=Unit.FEN, limit=PURSE_LIMIT_FEN, tac_kid=0, log_sfi=0x18, grey=GreySpec()
    ),
    personal=(
        (0x0015, PersonalDatum.CARD_NUMBER),
        (0x0016, PersonalDatum.HOLDER_CLASS),
        (0x0018, PersonalDatum.MOVEMENT),
    ),
)
TARIFF = Tariff(
    name="cn.fuel",
    products=(
        Product(
            code="fuel",  # what a pump's claims name: the price is the pump's, the card pays it in full
            title_en="Fuel",
            title_zh="加油",
            modes=(),
            holders=(),
            transfer=Transfer.ANY,
            rule=Share(100),
        ),
    ),
    transfer=TransferRule(within=dt.timedelta(0), pairs=frozenset()),
    gross_max_fen=PURSE_LIMIT_FEN,
)
PROFILE_SM4 = PROFILE.with_algorithm(Algorithm.SM4)
PROFILE_CJT304 = replace(
    PROFILE,
    name="cn.fuel.cjt304",
    purse=replace(PROFILE.purse_spec, grey=GreySpec(lock_type=0x91, unlock_type=0x93, online_type=0x95)),
)
