"""Transit in Shenzhen: the card part. A purse in fen, a ride record, and a log of ten transactions.

Standards: JR/T 0025.2 (0015, 0016, 0018), JT/T 978.2 (ride record 001A in the trip-record layout).
Jinka's own choices, because no readable source fixes them: the last two bytes of 0015 hold the version of the TAC
key and the algorithm label; the first byte of 0016 is a `HolderClass`; the ride record has the id 31.
"""

from __future__ import annotations

from jinka.codec import Algorithm
from jinka.kit import Unit
from jinka.profile import (
    FREE,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeyUse,
    PersonalDatum,
    PurseSpec,
)
from jinka.profile.purse import holder, key_file, public_data, purse, service_key, transaction_log

REGION = "4403"
PURSE_LIMIT_FEN = 100_000
RIDE_RECORD_ID = 0x31
RIDE_RECORD_SIZE = 48

_KEYS = (
    *(service_key(KeyUse.PURCHASE, "purchase", version, version) for version in (1, 2, 3)),
    service_key(KeyUse.LOAD, "load", 1),
    service_key(KeyUse.TAC, "tac"),
    service_key(KeyUse.MAINTENANCE, "maintenance"),
)

_FILES = (
    key_file(_KEYS),
    public_data(bytes.fromhex("4403000000000001 01 01 00005180000000012345 20180101 20301231 0100")),
    holder(),
    purse("Electronic purse", "电子钱包"),
    transaction_log(),
    FileSpec(
        fid=0x001A,
        kind=FileKind.VARIABLE,
        size=RIDE_RECORD_SIZE + 2,
        write_right=FREE,
        mac_required=True,
        title_en="Ride record (composite application)",
        title_zh="复合应用文件（乘车记录）",
        example=bytes((RIDE_RECORD_ID, RIDE_RECORD_SIZE)) + bytes(RIDE_RECORD_SIZE),
    ),
)

PROFILE = ApplicationProfile(
    name="cn.shenzhen.transit",
    version=1,
    aid=bytes.fromhex("A000000632010105"),
    fid=0x3F01,
    title_en="Shenzhen transit card",
    title_zh="深圳市交通卡",
    authority="Shenzhen Municipal Transport Bureau 深圳市交通运输局",
    standards=("JR/T 0025.2", "JT/T 978.2"),
    files=_FILES,
    keys=_KEYS,
    purse=PurseSpec(fid=0x0002, unit=Unit.FEN, limit=PURSE_LIMIT_FEN, tac_kid=0, log_sfi=0x18),
    personal=(
        (0x0015, PersonalDatum.CARD_NUMBER),
        (0x0016, PersonalDatum.HOLDER_CLASS),
        (0x0018, PersonalDatum.MOVEMENT),
        (0x001A, PersonalDatum.MOVEMENT),
    ),
    ride_record_id=RIDE_RECORD_ID,
)
PROFILE_SM4 = PROFILE.with_algorithm(Algorithm.SM4)
