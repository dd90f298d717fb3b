"""Social security card: the environment SSSE with issuer and holder, and four folders below it.

Standards: LD/T 32 (card), LD/T 33 (file structure and data). Confirmed by readable sources: the name of SSSE, files
EF05 and EF06 with their records, the folders and which files they have, the names D156000005xx. Not confirmed, and
so Jinka's parameters: which name belongs to which folder, sizes, key indices, and the rights: what is printed on the
card is free to read, the rest asks for the PIN (SSSE) or for the folder's own reading key; writing asks for the
folder's own updating key and a MAC.
"""

from __future__ import annotations

from jinka.codec import Algorithm
from jinka.codec.fields import Coding
from jinka.profile import (
    FREE,
    NEVER,
    ApplicationProfile,
    FileKind,
    FileSpec,
    FolderSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)
from jinka.profile.records import RecordSpec

AID = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")  # "sx1.sh.社会保障" in GBK
READ_RIGHT, UPDATE_RIGHT = 0xF1, 0xF2  # the register is 1 after PIN or reading key, 2 after the updating key
READ_KID, UPDATE_KID = 1, 2
ISSUER, HOLDER = 0xEF05, 0xEF06

FOLDERS = tuple(
    FolderSpec(fid=fid, name=bytes.fromhex(name), title_en=title_en, title_zh=title_zh)
    for fid, name, title_en, title_zh in (
        (0xDF01, "D15600000501", "Public data", "公共信息应用"),
        (0xDF02, "D15600000502", "Employment", "就业应用"),
        (0xDF03, "D15600000503", "Social insurance", "社会保险应用"),
        (0xDF04, "D15600000504", "Medical insurance", "医疗保险应用"),
    )
)
FOLDER_NAMES = {folder.fid: folder.name for folder in FOLDERS}


def _record(
    fid: int,
    number: int,
    name: str,
    length: int,
    coding: Coding,
    title_en: str,
    title_zh: str,
    example: str,
    personal: PersonalDatum | None = None,
) -> RecordSpec:
    return RecordSpec(
        name=name,
        fid=fid,
        number=number,
        length=length,
        coding=coding,
        title_en=title_en,
        title_zh=title_zh,
        example=bytes((number, length)) + bytes.fromhex(example),
        personal=personal,
    )


_NAME_EXAMPLE = "张三".encode("gb18030").ljust(30, b"\x00").hex()

# The columns of LD/T 33: file, record, length, kind. The first example is the answer of a real card.
RECORDS = (
    _record(ISSUER, 1, "card id", 16, Coding.BYTES, "Card identification code", "卡的识别码",
            "330300D15600000599110145FFFFFFFF", PersonalDatum.CARD_NUMBER),
    _record(ISSUER, 2, "class", 1, Coding.TEXT, "Card class", "卡的类别", "31", PersonalDatum.HOLDER_CLASS),
    _record(ISSUER, 3, "version", 4, Coding.TEXT, "Version of the rules", "规范版本", "332E3030"),
    _record(ISSUER, 4, "initialiser", 12, Coding.BYTES, "Initialising body", "初始化机构编号",
            "330300D15600000599110145"),
    _record(ISSUER, 5, "issued on", 4, Coding.DATE, "Date of issue", "发卡日期", "20180901"),
    _record(ISSUER, 6, "valid until", 4, Coding.DATE, "Valid until", "卡有效期", "20280831"),
    _record(ISSUER, 7, "card number", 9, Coding.TEXT, "Card number", "卡号", "413132333435363738",
            PersonalDatum.CARD_NUMBER),
    _record(HOLDER, 1, "social security number", 18, Coding.TEXT, "Social security number", "社会保障号码",
            b"11010519491231002X".hex(), PersonalDatum.IDENTITY_NUMBER),
    _record(HOLDER, 2, "name", 30, Coding.TEXT, "Name", "姓名", _NAME_EXAMPLE, PersonalDatum.NAME),
    _record(HOLDER, 3, "sex", 1, Coding.TEXT, "Sex", "性别", "31", PersonalDatum.NAME),
    _record(HOLDER, 4, "nation", 1, Coding.DIGITS, "Nation", "民族", "01", PersonalDatum.NAME),
    _record(HOLDER, 5, "birthplace", 3, Coding.DIGITS, "Place of birth", "出生地", "110105", PersonalDatum.NAME),
    _record(HOLDER, 6, "born on", 4, Coding.DATE, "Date of birth", "出生日期", "19491231", PersonalDatum.NAME),
)  # fmt: skip


def _keys(folder: int) -> tuple[KeySpec, ...]:
    """Each folder has keys of its own to read, to update and for MACs; SSSE has the PIN besides."""
    states = ((READ_KID, 1), (UPDATE_KID, 2))
    return (
        *(
            KeySpec(
                use=KeyUse.EXTERNAL_AUTHENTICATE,
                kid=kid,
                version=1,
                algorithm=Algorithm.TDES,
                service_purpose="access",
                tries=5,
                state_after=state,
                folder=folder,
            )
            for kid, state in states
        ),
        KeySpec(
            use=KeyUse.MAINTENANCE,
            kid=0,
            version=1,
            algorithm=Algorithm.TDES,
            service_purpose="maintenance",
            folder=folder,
        ),
    )


_PIN = KeySpec(use=KeyUse.PIN, kid=0, version=1, algorithm=Algorithm.TDES, tries=6, state_after=1)


def _key_file(folder: int) -> FileSpec:
    return FileSpec(
        fid=0x0000,
        kind=FileKind.KEY,
        size=4 * 24,
        read_right=NEVER,
        title_en="Keys",
        title_zh="密钥文件",
        folder=folder,
    )


def _file(folder: int, fid: int, size: int, title_en: str, title_zh: str, read: int = READ_RIGHT) -> FileSpec:
    own = (record for record in RECORDS if record.fid == fid and not folder)
    return FileSpec(
        fid=fid,
        kind=FileKind.VARIABLE,
        size=size,
        read_right=read,
        write_right=UPDATE_RIGHT,
        mac_required=True,
        title_en=title_en,
        title_zh=title_zh,
        example=b"".join(record.example for record in own),
        folder=folder,
    )


def _size(fid: int) -> int:
    return sum(2 + record.length for record in RECORDS if record.fid == fid)


_BELOW = (
    (0xDF01, ((0xEF05, "Registered residence", "户籍信息"), (0xEF06, "Residence", "常住信息"),
              (0xEF07, "Person", "个人状况"), (0xEF08, "Marriage", "婚姻状况"), (0xEF09, "Employer", "单位信息"),
              (0xEF0A, "Nationality", "国籍信息"), (0xEF15, "Education", "学历信息"),
              *((0xEF00 | low, f"Spare {low:02X}", f"备用 {low:02X}") for low in range(0x16, 0x1B)))),
    (0xDF02, tuple((0xEF00 | low, f"Employment {low:02X}", f"就业信息 {low:02X}")
                   for low in (0x05, 0x06, 0x07, 0x09, 0x15, 0x16))),
    (0xDF03, ((0xEF05, "Unemployment insurance", "失业保险"), (0xEF06, "Disability", "伤残信息"),
              (0xEF07, "Pension", "养老保险"), (0xEF15, "Work injury insurance", "工伤保险"),
              (0xEF16, "Maternity insurance", "生育保险"))),
    (0xDF04, ((0xEF05, "Medical insurance", "医疗保险"),)),
)  # fmt: skip

PROFILE = ApplicationProfile(
    name="cn.social-security",
    version=1,
    aid=AID,
    fid=0x3F05,
    title_en="Social security card",
    title_zh="社会保障卡",
    authority="Ministry of Human Resources and Social Security 人力资源和社会保障部",
    standards=("LD/T 32", "LD/T 33"),
    files=(
        _key_file(0),
        _file(0, ISSUER, _size(ISSUER), "Card and issuer", "发卡机构基本数据文件", FREE),
        _file(0, HOLDER, _size(HOLDER), "Holder", "持卡人基本信息数据文件", FREE),
        _file(0, 0xEF07, 512, "Fingerprints", "指纹数据文件"),
        _file(0, 0xEF08, 1024, "Photograph", "照片数据文件"),
        *(_key_file(folder) for folder, _ in _BELOW),
        *(
            _file(folder, fid, 96, title_en, title_zh)
            for folder, files in _BELOW
            for fid, title_en, title_zh in files
        ),
    ),
    keys=(_PIN, *_keys(0), *(key for folder in FOLDERS for key in _keys(folder.fid))),
    folders=FOLDERS,
    personal=tuple((record.fid, record.personal) for record in RECORDS if record.personal is not None),
)
