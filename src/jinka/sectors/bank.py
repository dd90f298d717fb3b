"""Bank cards: debit and credit with electronic cash, by contact and contactless (qPBOC).

Standards: JR/T 0025.5 (application), JR/T 0025.13 (electronic cash), EMV Books 1 to 4; the PDOL and FCI follow a card
in the field. Jinka's own choices: folder identifiers, limits, the log format with the terminal's random number (it
tells which of two torn purchases was paid).
"""

from __future__ import annotations

from dataclasses import replace

from jinka.codec import Algorithm
from jinka.declaration import Archetype, Counted, Device, DeviceKind, Report, Sector
from jinka.profile import (
    NEVER,
    ApplicationKind,
    ApplicationProfile,
    EmvSpec,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)
from jinka.sectors.bank_credit import CREDIT
from jinka.sectors.bank_rules import ACCOUNTS, BUSINESS, CARDS, CASES, CASH, SHEETS

AID_DEBIT = bytes.fromhex("A000000333010101")
AID_CREDIT = bytes.fromhex("A000000333010102")
CONTACTLESS_ENVIRONMENT = b"2PAY.SYS.DDF01"
COUNTRY = CURRENCY = b"\x01\x56"
LOG_RECORD_SIZE = 29

SPEC = EmvSpec(
    label="PBOC DEBIT",
    pdol=bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704"),
    cdol1=bytes.fromhex("9F02069F03069F1A0295055F2A029A039C019F37049F2103"),
    cdol2=bytes.fromhex("8A029F02069F03069F1A0295055F2A029A039C019F37049F2103"),
    ddol=bytes.fromhex("9F3704"),
    log_format=bytes.fromhex("9A039F21039F02069F03069F1A025F2A029C019F36029F3704"),
    # enciphered PIN offline, then PIN offline, online PIN, signature, then nothing where the terminal can do none
    cvm_list=bytes.fromhex("0000000000000000 4401 4103 4203 5E03 1F03"),
    usage=b"\xff\x00",
    iac_default=bytes.fromhex("DC6004A800"),
    iac_denial=bytes.fromhex("0010000000"),
    iac_online=bytes.fromhex("DC6804F800"),
    country=COUNTRY,
    currency=CURRENCY,
    aip=b"\x7d\x00",
    form=4,
    default_action=0x8008 | 0x4000 | 0x0040,
    offline_lower=5,
    offline_upper=10,
    spent_lower_fen=100_000,
    spent_upper_fen=200_000,
    ecash_limit_fen=100_000,
    ecash_single_fen=100_000,
    ecash_reset_fen=0,
)
# pays from the electronic cash over the contacts as well, when the terminal says 9F7A 01
SPEC_CASH = replace(SPEC, pdol=SPEC.pdol + bytes.fromhex("9F7A01"), ecash_code="EC0001")
SPEC_CREDIT = replace(SPEC, label="PBOC CREDIT", priority=2)
SPEC_SM4 = replace(SPEC, cryptogram_version=0x17)  # how 17 is written in the byte is not confirmed
# asks the terminal, too, whether it knows SM2 (DF69): then the card shows its second chain of certificates
SPEC_SM2 = replace(SPEC_SM4, pdol=SPEC.pdol + bytes.fromhex("DF6901"))


def _key(use: KeyUse, purpose: str, tries: int = 10) -> KeySpec:
    return KeySpec(use=use, kid=0, version=1, algorithm=Algorithm.TDES, service_purpose=purpose, tries=tries)


_KEYS = (
    _key(KeyUse.CRYPTOGRAM, "cryptogram"),
    _key(KeyUse.SCRIPT_MAC, "script_mac"),
    _key(KeyUse.SCRIPT_CIPHER, "script_data"),
    _key(KeyUse.PIN, "", tries=3),
)

_OPTIONS = FileSpec(
    fid=0x001C,
    kind=FileKind.SECRET,
    size=352,
    title_en="Options: FCI, lists, interchange profile, file locator",
    title_zh="应用选项（FCI、数据对象列表、AIP、AFL）",
)
_FILES = (
    FileSpec(fid=0x0000, kind=FileKind.KEY, size=128, read_right=NEVER, title_en="Keys", title_zh="密钥文件"),
    FileSpec(
        fid=0x0001,
        kind=FileKind.VARIABLE,
        size=96,
        title_en="Holder and track 2 equivalent data",
        title_zh="持卡人与磁道2等效数据",
        example=bytes.fromhex("70 13 5711 6228000100001117D3012220000000000F"),
    ),
    FileSpec(
        fid=0x0002,
        kind=FileKind.VARIABLE,
        size=1600,
        title_en="Signed application data and certificates",
        title_zh="签名应用数据与公钥证书",
    ),
    FileSpec(
        fid=0x000B,
        kind=FileKind.CYCLIC,
        records=10,
        record_length=LOG_RECORD_SIZE,
        title_en="Transaction log",
        title_zh="交易日志",
    ),
    _OPTIONS,
    FileSpec(
        fid=0x001D,
        kind=FileKind.SECRET,
        size=54,
        title_en="State: counters, limits, electronic cash",
        title_zh="应用状态（计数器、限额、电子现金）",
    ),
    FileSpec(
        fid=0x001E,
        kind=FileKind.SECRET,
        size=304,
        title_en="Private keys of the card: RSA, SM2",
        title_zh="卡片RSA与SM2私钥",
    ),
)

PROFILE = ApplicationProfile(
    name="cn.bank.debit",
    version=2,
    aid=AID_DEBIT,
    fid=0x3F10,
    title_en="Bank debit card with electronic cash",
    title_zh="银行借记卡（含电子现金）",
    authority="Card-issuing bank 发卡银行",
    standards=("JR/T 0025.5", "JR/T 0025.12", "JR/T 0025.13", "JR/T 0025.17", "EMV 4.3"),
    files=_FILES,
    keys=_KEYS,
    application=ApplicationKind.EMV,
    personal=(
        (0x0001, PersonalDatum.NAME),
        (0x0002, PersonalDatum.CARD_NUMBER),
        (0x000B, PersonalDatum.MOVEMENT),
    ),
)
PROFILE_CREDIT = replace(
    PROFILE,
    name="cn.bank.credit",
    aid=AID_CREDIT,
    fid=0x3F11,
    title_en="Bank credit card",
    title_zh="银行贷记卡",
)
PROFILE_SM4 = PROFILE.with_algorithm(Algorithm.SM4)

# The contactless payment environment: an FCI that lists the applications, and no data of its own.
ENVIRONMENT = ApplicationProfile(
    name="cn.bank.environment",
    version=2,
    aid=CONTACTLESS_ENVIRONMENT,
    fid=0x3F12,
    title_en="Contactless payment environment",
    title_zh="非接触支付环境（PPSE）",
    authority="Card-issuing bank 发卡银行",
    standards=("JR/T 0025.12", "EMV Contactless Book B"),
    files=(_OPTIONS,),
    keys=(),
    application=ApplicationKind.EMV,
)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="bank", title_en="Bank", title_zh="银行",
    about_en="Debit and credit over the switch, electronic cash, the official business card, credit records.",
    about_zh="借记、贷记联机交易，电子现金，公务卡，征信异议。",
    authority=PROFILE.authority, standards=(*PROFILE.standards, "ISO 8583:1987", "发改价格〔2016〕557号"),
    archetypes=(Archetype.PURSE,), profiles=(PROFILE, PROFILE_CREDIT, ENVIRONMENT), accounts=ACCOUNTS,
    emv={PROFILE.name: SPEC, PROFILE_CREDIT.name: SPEC_CREDIT},
    devices=(Device("kiosk", "the kiosk's reader", "便利店读卡器", DeviceKind.CHECK, operator="shop"),),
    sheets=SHEETS, worked_cases=CASES,
    reports=(
        _report("paid", "Paid, by whom it went to", "入账金额", Counted.MOVED, "account"),
        _report("refusals", "Refusals by answer", "拒绝应答码", Counted.REFUSED, "reason"),
    ),
    journeys=(CARDS, CASH, BUSINESS, CREDIT),
    words={"<category>": "商户类别码",
           "savings": "储蓄账户", "credit line": "信用卡账户", "mei": "韩梅的账户", "lin": "林涛的账户",
           "zhou": "周公务卡账户", "qian": "钱芳", "card": "信用卡逾期信息", "loan": "贷款逾期信息",
           "coat": "大衣", "karaoke": "歌厅消费", "holiday": "旅游"},
)  # fmt: skip
