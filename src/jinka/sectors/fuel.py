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
    ApplicationProfile,
    FileKind,
    FileSpec,
    GreySpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
    PurseSpec,
)
from jinka.profile.purse import holder, key_file, public_data, purse, service_key, transaction_log
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


_KEYS = (
    service_key(KeyUse.PURCHASE, "purchase", 1),
    service_key(KeyUse.GREY_LOCK, "grey_lock", 1),
    service_key(KeyUse.LOAD, "load", 1),
    service_key(KeyUse.UNLOAD, "unload", 1),
    service_key(KeyUse.OVERDRAFT, "overdraft", 1),
    service_key(KeyUse.TAC, "tac"),
    service_key(KeyUse.MAINTENANCE, "maintenance"),
    service_key(KeyUse.PIN_UNBLOCK, "pin_unblock"),
    service_key(KeyUse.PIN_RELOAD, "pin_reload"),
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
    key_file(_KEYS),
    public_data(bytes.fromhex("1000000000000001 02 01 00009010000000012345 20240101 20341231 0100")),
    holder(),
    purse("Electronic passbook", "电子存折", fid=0x0001, read_right=AFTER_PIN),
    purse("Electronic purse with grey lock", "电子钱包（电子油票，可灰锁）"),
    transaction_log(),
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
            code="fuel",  # what a pump's claims name (FuelDevice.product): its price, which the card pays in full
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
