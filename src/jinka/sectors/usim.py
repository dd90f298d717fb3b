"""USIM: the files of the application's folder, their access and their sizes.

Standards: 3GPP TS 31.102, 4.2 (files, in its order), TS 33.102 and TS 35.206 (authentication). What Jinka chose: the
folder's identifier, file 6F01 for the subscriber's secrets, the RID's national part of the AID. ADM rights are NEVER:
an operator changes files by loading the application again.
"""

from __future__ import annotations

from jinka.codec import Algorithm
from jinka.profile import (
    FREE,
    NEVER,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)

PIN_RIGHT = 0xF1  # the security register is 1 once the PIN was right, or at once when it is disabled

_PIN = KeySpec(use=KeyUse.PIN, kid=1, version=1, algorithm=Algorithm.TDES, tries=3, state_after=1)
_UNBLOCK = KeySpec(use=KeyUse.PIN_UNBLOCK, kid=1, version=1, algorithm=Algorithm.TDES, tries=10)


def _file(
    fid: int, size: int, read: int, write: int, title_en: str, title_zh: str, example: str = ""
) -> FileSpec:
    return FileSpec(
        fid=fid,
        kind=FileKind.BINARY,
        size=size,
        read_right=read,
        write_right=write,
        title_en=title_en,
        title_zh=title_zh,
        example=bytes.fromhex(example),
    )


PROFILE = ApplicationProfile(
    name="3gpp.usim",
    version=1,
    aid=bytes.fromhex("A0000000871002FF86FF0389FFFFFFFF"),
    fid=0x7FF0,
    title_en="USIM",
    title_zh="全球用户识别应用",
    authority="Mobile operator 移动通信运营商",
    standards=("3GPP TS 31.102", "3GPP TS 35.206", "ETSI TS 102 221"),
    application=ApplicationKind.USIM,
    files=(
        FileSpec(
            fid=0x0000,
            kind=FileKind.KEY,
            size=16 + 24,
            read_right=NEVER,
            title_en="PIN and unblocking key",
            title_zh="个人识别码与解锁码",
        ),
        _file(0x6F05, 10, FREE, PIN_RIGHT, "EF LI: languages", "语言指示", "7A68656E" + "FF" * 6),
        _file(0x6F07, 9, PIN_RIGHT, NEVER, "EF IMSI", "国际移动用户识别码", "084906001032547698"),
        _file(0x6F08, 33, PIN_RIGHT, PIN_RIGHT, "EF Keys", "加密与完整性密钥", "07" + "FF" * 32),
        _file(0x6F09, 33, PIN_RIGHT, PIN_RIGHT, "EF KeysPS", "分组域密钥", "07" + "FF" * 32),
        _file(0x6F31, 1, PIN_RIGHT, NEVER, "EF HPPLMN: search period", "归属网搜索周期", "05"),
        _file(0x6F38, 8, PIN_RIGHT, NEVER, "EF UST: services", "业务表", "0000000420000000"),
        _file(0x6F78, 2, PIN_RIGHT, NEVER, "EF ACC: access control class", "接入控制级别", "0001"),
        _file(0x6F7B, 12, PIN_RIGHT, PIN_RIGHT, "EF FPLMN: forbidden networks", "禁用网络", "FF" * 12),
        _file(0x6F7E, 11, PIN_RIGHT, PIN_RIGHT, "EF LOCI: location", "位置信息", "FFFFFFFFFFFFFF0000FF01"),
        _file(
            0x6F73, 14, PIN_RIGHT, PIN_RIGHT, "EF PSLOCI: packet location", "分组域位置", "FF" * 11 + "00FF01"
        ),
        _file(0x6FAD, 4, FREE, NEVER, "EF AD: administrative data", "管理数据", "00000002"),
        FileSpec(
            fid=0x6FB7,
            kind=FileKind.FIXED,
            records=2,
            record_length=4,
            read_right=FREE,
            title_en="EF ECC: emergency calls",
            title_zh="紧急呼叫号码",
            example=bytes.fromhex("11F0FF00 11F2FF00"),
        ),
        FileSpec(
            fid=0x6F01,
            kind=FileKind.SECRET,
            size=32 + 32 * 6,
            read_right=PIN_RIGHT,
            title_en="Subscriber key, OPc, sequence numbers",
            title_zh="鉴权密钥与序列号",
        ),
    ),
    keys=(_PIN, _UNBLOCK),
    personal=((0x6F07, PersonalDatum.CARD_NUMBER), (0x6F7E, PersonalDatum.MOVEMENT)),
)
