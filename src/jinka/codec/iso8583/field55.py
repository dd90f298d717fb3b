"""Field 55: the chip's data objects by name, and which of them nobody should see.

EMV Book 3 annex A, JR/T 0025.5 and the tags of UnionPay terminals (9F63, 9F74, DF31, DF32). Objects are BER-TLV
(`jinka.codec.tlv`); their forms are those of `jinka.codec.emv_tags`. A tag without a name here is shown by its number.
"""

from __future__ import annotations

from jinka.codec.emv_tags import Tag
from jinka.codec.iso8583.spec import Mask

TITLES: dict[int, tuple[str, str]] = {
    Tag.AID: ("Application identifier", "应用标识符"),
    Tag.LABEL: ("Application label", "应用标签"),
    Tag.TRACK2: ("Track 2 equivalent data", "二磁道等价数据"),
    Tag.PAN: ("Application primary account number", "应用主账号"),
    Tag.NAME: ("Cardholder name", "持卡人姓名"),
    Tag.EXPIRY: ("Application expiration date", "应用失效日期"),
    Tag.CURRENCY: ("Transaction currency code", "交易货币代码"),
    Tag.SEQUENCE: ("Application account sequence number", "应用主账号序列号"),
    Tag.SCRIPT_BEFORE: ("Issuer script template 1", "发卡行脚本模板1"),
    Tag.SCRIPT_AFTER: ("Issuer script template 2", "发卡行脚本模板2"),
    Tag.AIP: ("Application interchange profile", "应用交互特征"),
    Tag.DF_NAME: ("Dedicated file name", "专用文件名称"),
    Tag.SCRIPT_COMMAND: ("Issuer script command", "发卡行脚本命令"),
    Tag.ARC: ("Authorisation response code", "授权响应代码"),
    Tag.ISSUER_AUTHENTICATION: ("Issuer authentication data", "发卡行认证数据"),
    Tag.TVR: ("Terminal verification results", "终端验证结果"),
    Tag.DATE: ("Transaction date", "交易日期"),
    Tag.TSI: ("Transaction status information", "交易状态信息"),
    Tag.TYPE: ("Transaction type", "交易类型"),
    Tag.AMOUNT: ("Amount, authorised", "授权金额"),
    0x9F03: ("Amount, other", "其他金额"),
    0x9F06: ("Application identifier, terminal", "应用标识符（终端）"),
    0x9F09: ("Application version number, terminal", "应用版本号（终端）"),
    0x9F10: ("Issuer application data", "发卡行应用数据"),
    0x9F1A: ("Terminal country code", "终端国家代码"),
    0x9F1E: ("Interface device serial number", "接口设备序列号"),
    0x9F26: ("Application cryptogram", "应用密文"),
    0x9F27: ("Cryptogram information data", "密文信息数据"),
    0x9F33: ("Terminal capabilities", "终端性能"),
    0x9F34: ("Cardholder verification method results", "持卡人验证方法结果"),
    0x9F35: ("Terminal type", "终端类型"),
    0x9F36: ("Application transaction counter", "应用交易计数器"),
    0x9F37: ("Unpredictable number", "不可预知数"),
    0x9F41: ("Transaction sequence counter", "交易序列计数器"),
    0x9F5B: ("Issuer script results", "发卡行脚本结果"),
    0x9F5D: ("Available offline spending amount", "可用脱机消费金额"),
    0x9F63: ("Card product identification", "卡产品标识信息"),
    0x9F6B: ("Track 2 data, contactless", "非接触二磁道数据"),
    0x9F74: ("Electronic cash authorisation code", "电子现金发卡行授权码"),
    0x9F79: ("Electronic cash balance", "电子现金余额"),
    0xDF31: ("Issuer script results", "发卡行脚本结果"),
    0xDF32: ("Chip serial number", "芯片序列号"),
}
UNKNOWN = ("unknown object", "未知数据对象")
_HIDDEN = frozenset({Tag.TRACK2, Tag.NAME, Tag.EXPIRY, 0x56, 0x9F1F, 0x9F20, 0x9F6B})


def title_of(tag: int) -> tuple[str, str]:
    """The name of a data object."""
    return TITLES.get(tag, UNKNOWN)


def mask_of(tag: int) -> Mask:
    """Account number, tracks and the holder's name are personal, whatever message carries them."""
    if tag == Tag.PAN:
        return Mask.PAN
    return Mask.HIDDEN if tag in _HIDDEN else Mask.OPEN
