"""UnionPay terminals: packed decimals, one bitmap, field 64 for the MAC.

No text of the specification is public; the form is that of published terminals and of their messages, one of which is
a test vector with its MAC (tests/vectors). Digits with a length prefix, and field 22, are justified to the left, other
digits to the right; lengths count digits of packed fields. What stands in field 62 depends on the transaction (keys at
sign-in), so it is bytes. A MAC is made by `jinka.crypto.unionpay_mac` over the bytes from the type to field 63.
"""

from __future__ import annotations

from jinka.codec.iso8583.spec import (
    Coding,
    Composite,
    Content,
    LengthCoding,
    Mask,
    Part,
    Row,
    Style,
    Tlv,
    make_spec,
)

A, N, AN, ANS, Z, XN, B = Content


def _digits(key: str, en: str, zh: str, size: int) -> Part:
    return Part(key=key, title=(en, zh), size=size, content=N)


_CUSTOM = Composite(
    parts=(
        _digits("type", "Transaction type", "交易类型码", 2),
        _digits("batch", "Batch number", "批次号", 6),
        _digits("network", "Network management code", "网络管理信息码", 3),
        _digits("capability", "Terminal's reading capability", "终端读取能力", 1),
        _digits("fallback", "Chip condition code", "IC卡条件代码", 1),
        _digits("partial", "Partial approval", "部分扣款标志", 1),
        _digits("account", "Account type", "账户类型", 3),
        _digits("rest", "Further digits", "其他", 0),
    ),
    required=2,
)
_ORIGINAL = Composite(
    parts=(
        _digits("batch", "Original batch number", "原始批次号", 6),
        _digits("trace", "Original trace number", "原始POS流水号", 6),
        _digits("date", "Original date", "原始交易日期", 4),
        _digits("rest", "Authorisation mode and institution", "授权方式及机构", 0),
    ),
    required=2,
)
_BALANCE = Composite(
    parts=(
        _digits("account", "Account type", "账户类型", 2),
        _digits("kind", "Amount type", "余额类型", 2),
        _digits("currency", "Currency", "货币代码", 3),
        Part(key="sign", title=("Sign", "借贷标志"), size=1, content=A),
        _digits("amount", "Amount", "金额", 12),
    )
)

ROWS_POS = (
    Row(2, ("Primary account number", "主账号"), N, 19, 2, Mask.PAN),
    Row(3, ("Processing code", "交易处理码"), N, 6),
    Row(4, ("Amount, transaction", "交易金额"), N, 12),
    Row(11, ("System trace audit number", "受卡方系统跟踪号"), N, 6),
    Row(12, ("Time, local transaction", "受卡方所在地时间"), N, 6),
    Row(13, ("Date, local transaction", "受卡方所在地日期"), N, 4),
    Row(14, ("Date, expiration", "卡有效期"), N, 4, 0, Mask.HIDDEN),
    Row(15, ("Date, settlement", "清算日期"), N, 4),
    Row(22, ("Point of service entry mode", "服务点输入方式码"), N, 3, coding=Coding.BCD_LEFT),
    Row(23, ("Card sequence number", "卡序列号"), N, 3),
    Row(24, ("Network international identifier", "网络国际标识"), N, 3),
    Row(25, ("Point of service condition code", "服务点条件码"), N, 2),
    Row(26, ("Point of service PIN capture code", "服务点PIN获取码"), N, 2),
    Row(32, ("Acquiring institution", "受理方标识码"), N, 11, 2),
    Row(35, ("Track 2 data", "2磁道数据"), Z, 37, 2, Mask.HIDDEN),
    Row(36, ("Track 3 data", "3磁道数据"), Z, 104, 3, Mask.HIDDEN),
    Row(37, ("Retrieval reference number", "检索参考号"), AN, 12),
    Row(38, ("Authorisation code", "授权标识应答码"), AN, 6),
    Row(39, ("Response code", "应答码"), AN, 2),
    Row(41, ("Terminal", "受卡机终端标识码"), ANS, 8),
    Row(42, ("Merchant", "受卡方标识码"), ANS, 15),
    Row(44, ("Additional response data", "附加响应数据"), ANS, 25, 2),
    Row(48, ("Totals and private data", "附加数据（私有）"), N, 322, 3),
    Row(49, ("Currency", "交易货币代码"), AN, 3),
    Row(52, ("PIN block", "个人标识码数据"), B, 8, 0, Mask.HIDDEN),
    Row(53, ("Security control information", "安全控制信息"), N, 16),
    Row(54, ("Balance", "附加金额"), ANS, 20, 3, nested=_BALANCE),
    Row(55, ("Integrated circuit card data", "IC卡数据域"), B, 255, 3, nested=Tlv()),
    Row(57, ("Private data", "自定义域"), ANS, 999, 3, coding=Coding.GB18030),
    Row(58, ("Purse data", "电子钱包标准交易信息"), ANS, 100, 3, Mask.HIDDEN),
    Row(59, ("Private data", "自定义域"), B, 999, 3),
    Row(60, ("Private data: type, batch", "自定义域：类型、批次"), N, 99, 3, nested=_CUSTOM),
    Row(61, ("Original transaction", "原始信息域"), N, 29, 3, Mask.OPEN, _ORIGINAL),
    Row(62, ("Private data", "自定义域"), B, 512, 3, Mask.KEYS),
    Row(63, ("Operator and texts", "操作员及附加信息"), ANS, 163, 3, coding=Coding.GB18030),
    Row(64, ("Message authentication code", "报文鉴别码"), B, 8),
)
_STYLE = Style(
    mti=Coding.BCD,
    numeric=Coding.BCD,
    variable_numeric=Coding.BCD_LEFT,
    track=Coding.BCD_LEFT,
    length=LengthCoding.BCD,
)
UNIONPAY_POS = make_spec(
    "unionpay-pos", ("UnionPay terminal", "银联POS终端"), ROWS_POS, _STYLE, bitmaps_max=1
)
