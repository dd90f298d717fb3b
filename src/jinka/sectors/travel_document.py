"""Travel documents: the file map of an electronic passport.

Standards: ICAO Doc 9303-10 (files, AID), Doc 9303-11 (access conditions). Jinka's own choices: the folder's identifier,
the sizes, the number of wrong authentications (15), and file 0010 for the chip's private key.
"""

from __future__ import annotations

from jinka.codec import Algorithm, lds
from jinka.profile import (
    NEVER,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)

IN_CHANNEL = 0xF1  # the security register is 1 while the secure channel stands

_KEYS = tuple(
    KeySpec(
        use=KeyUse.EXTERNAL_AUTHENTICATE,
        kid=kid,
        version=1,
        algorithm=Algorithm.TDES,
        tries=15,
        state_after=1,
    )
    for kid in (1, 2)
)


def _file(fid: int, size: int, title_en: str, title_zh: str, example: bytes = b"") -> FileSpec:
    return FileSpec(
        fid=fid,
        kind=FileKind.BINARY,
        size=size,
        read_right=IN_CHANNEL,
        title_en=title_en,
        title_zh=title_zh,
        example=example,
    )


# Doc 9303-11, D.4: EF.COM of the worked example; Doc 9303-4: the specimen's zone.
_COM_EXAMPLE = bytes.fromhex("60145F0104303130365F36063034303030305C026175")
_ZONE_EXAMPLE = lds.encode_zone(
    ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
)

PROFILE = ApplicationProfile(
    name="icao.passport",
    version=1,
    aid=lds.AID,
    fid=0x3F06,
    title_en="Travel document",
    title_zh="电子旅行证件",
    authority="Issuing State 签发国",
    standards=("ICAO Doc 9303-10", "ICAO Doc 9303-11", "ISO/IEC 19794-5"),
    application=ApplicationKind.TRAVEL,
    files=(
        FileSpec(
            fid=0x0000,
            kind=FileKind.KEY,
            size=len(_KEYS) * 24,
            read_right=NEVER,
            title_en="Access keys",
            title_zh="访问密钥文件",
        ),
        _file(lds.COM, 64, "EF.COM: what is present", "EF.COM 目录", _COM_EXAMPLE),
        _file(lds.SOD, 2048, "EF.SOD: security object", "EF.SOD 证件安全对象"),
        _file(lds.group_fid(1), 96, "DG1: machine readable zone", "DG1 机读区", _ZONE_EXAMPLE),
        _file(lds.group_fid(2), 12288, "DG2: face", "DG2 人像"),
        _file(lds.group_fid(14), 64, "DG14: security options", "DG14 安全选项"),
        _file(lds.group_fid(15), 320, "DG15: key of active authentication", "DG15 主动认证公钥"),
        FileSpec(
            fid=0x0010,
            kind=FileKind.SECRET,
            size=257,
            read_right=IN_CHANNEL,
            title_en="Private key of active authentication",
            title_zh="主动认证私钥",
        ),
    ),
    keys=_KEYS,
    personal=(
        (lds.group_fid(1), PersonalDatum.NAME),
        (lds.group_fid(1), PersonalDatum.IDENTITY_NUMBER),
        (lds.group_fid(2), PersonalDatum.NAME),
    ),
)
