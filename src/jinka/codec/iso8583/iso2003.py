"""ISO 8583:2003: amounts with their currency inside, a trace number of twelve digits, fields of four length digits.

The attributes of fields 2 to 49 are those of the published table of data elements. From 50 on no complete table is
public; the fields below are those on which implementations agree, and all others are left out: a message with one of
them is refused, and a network that uses it adds a row (`spec.merge_rows`). A third bitmap is read where a
network adds rows above 128.
"""

from __future__ import annotations

from jinka.codec.iso8583.iso1987 import ASCII_BINARY, ASCII_HEX
from jinka.codec.iso8583.spec import Composite, Content, Mask, Part, Row, Tlv, make_spec

A, N, AN, ANS, Z, XN, B = Content
_AMOUNT = Composite(
    parts=(
        Part(key="currency", title=("Currency", "货币代码"), size=3, content=N),
        Part(key="minor", title=("Digits of the minor unit", "小数位数"), size=1, content=N),
        Part(key="value", title=("Amount", "金额"), size=12, content=N),
    )
)
_PRIVATE = tuple(Row(number, ("Reserved", "保留域"), B, 9999, 4) for number in range(111, 128))

ROWS_2003 = (
    Row(2, ("Primary account number", "主账号"), N, 19, 2, Mask.PAN),
    Row(3, ("Processing code", "交易处理码"), AN, 6),
    Row(4, ("Amount, transaction", "交易金额"), N, 16, nested=_AMOUNT),
    Row(5, ("Amount, reconciliation", "清算金额"), N, 16, nested=_AMOUNT),
    Row(6, ("Amount, cardholder billing", "持卡人扣账金额"), N, 16, nested=_AMOUNT),
    Row(7, ("Date and time, transmission", "交易传输时间"), N, 10),
    Row(8, ("Amount, cardholder billing fee", "持卡人扣账手续费"), N, 12),
    Row(9, ("Conversion rate, reconciliation", "清算汇率"), N, 8),
    Row(10, ("Conversion rate, cardholder billing", "持卡人扣账汇率"), N, 8),
    Row(11, ("System trace audit number", "系统跟踪号"), N, 12),
    Row(12, ("Date and time, local transaction", "受卡方所在地日期时间"), N, 14),
    Row(13, ("Date, effective", "卡生效日期"), N, 6),
    Row(14, ("Date, expiration", "卡有效期"), N, 4, 0, Mask.HIDDEN),
    Row(15, ("Date, settlement", "清算日期"), N, 8),
    Row(16, ("Date, conversion", "兑换日期"), N, 4),
    Row(17, ("Date, capture", "受理日期"), N, 4),
    Row(18, ("Message error indicator", "报文错误指示"), B, 140, 3),
    Row(19, ("Country code, acquiring institution", "收单机构国家代码"), N, 3),
    Row(20, ("Country code, primary account number", "主账号国家代码"), N, 3),
    Row(21, ("Transaction life cycle identification", "交易生命周期标识"), ANS, 22),
    Row(22, ("Point of service data code", "服务点数据码"), B, 12),
    Row(23, ("Card sequence number", "卡序列号"), N, 3),
    Row(24, ("Function code", "功能码"), N, 3),
    Row(25, ("Message reason code", "报文原因码"), N, 4),
    Row(26, ("Merchant category code", "商户类型"), N, 4),
    Row(27, ("Point of service capability", "服务点能力"), B, 25),
    Row(28, ("Date, reconciliation", "对账日期"), N, 8),
    Row(29, ("Reconciliation indicator", "对账指示符"), N, 3),
    Row(30, ("Amounts, original", "原始金额"), N, 32),
    Row(31, ("Acquirer reference number", "收单参考号"), N, 23),
    Row(32, ("Acquiring institution", "受理机构标识码"), N, 11, 2),
    Row(33, ("Forwarding institution", "发送机构标识码"), N, 11, 2),
    Row(34, ("Electronic commerce data", "电子商务数据"), B, 9999, 4, Mask.HIDDEN),
    Row(35, ("Track 2 data", "第二磁道数据"), Z, 37, 2, Mask.HIDDEN),
    Row(36, ("Track 3 data", "第三磁道数据"), Z, 104, 3, Mask.HIDDEN),
    Row(37, ("Retrieval reference number", "检索参考号"), AN, 12),
    Row(38, ("Approval code", "授权码"), AN, 6),
    Row(39, ("Action code", "动作码"), N, 4),
    Row(40, ("Service code", "服务码"), N, 3),
    Row(41, ("Card acceptor terminal identification", "受卡机终端标识码"), ANS, 16),
    Row(42, ("Card acceptor identification code", "受卡方标识码"), ANS, 35, 2),
    Row(43, ("Card acceptor name and location", "受卡方名称地址"), B, 9999, 4),
    Row(44, ("Additional response data", "附加响应数据"), B, 9999, 4),
    Row(45, ("Track 1 data", "第一磁道数据"), ANS, 76, 2, Mask.HIDDEN),
    Row(46, ("Amounts, fees", "费用金额"), ANS, 216, 3),
    Row(47, ("Additional data, national", "附加数据（国家）"), ANS, 999, 3),
    Row(48, ("Additional data, private", "附加数据（私有）"), ANS, 999, 3, Mask.KEYS),
    Row(49, ("Verification data", "验证数据"), B, 9999, 4, Mask.HIDDEN),
    Row(52, ("Personal identification number data", "个人标识码数据"), B, 8, 0, Mask.HIDDEN),
    Row(53, ("Security related control information", "安全控制信息"), B, 48, 2, Mask.HIDDEN),
    Row(54, ("Amounts, additional", "附加金额"), ANS, 126, 3),
    Row(55, ("Integrated circuit card data", "IC卡数据域"), B, 9999, 4, nested=Tlv()),
    Row(56, ("Original data elements", "原始数据元"), N, 41, 2),
    Row(59, ("Transport data", "传输数据"), ANS, 999, 3),
    Row(63, ("Display message", "显示信息"), ANS, 999, 3),
    Row(64, ("Message authentication code", "报文鉴别码"), B, 8),
    Row(72, ("Data record", "数据记录"), B, 9999, 4),
    Row(93, ("Transaction destination institution", "交易目的机构标识码"), N, 11, 2),
    Row(94, ("Transaction originator institution", "交易发起机构标识码"), N, 11, 2),
    Row(99, ("Settlement institution", "清算机构标识码"), AN, 11, 2),
    Row(100, ("Receiving institution", "接收机构标识码"), N, 11, 2),
    Row(101, ("File name", "文件名"), ANS, 99, 2),
    Row(102, ("Account identification 1", "账户标识1"), ANS, 28, 2, Mask.PAN),
    Row(103, ("Account identification 2", "账户标识2"), ANS, 28, 2, Mask.PAN),
    *_PRIVATE,
    Row(128, ("Message authentication code", "报文鉴别码"), B, 8),
)

ISO2003_ASCII = make_spec(
    "iso2003-ascii", ("ISO 8583:2003, ASCII", "ISO 8583:2003，ASCII"), ROWS_2003, ASCII_HEX, bitmaps_max=3
)
ISO2003_BINARY = make_spec(
    "iso2003-binary",
    ("ISO 8583:2003, ASCII, binary bitmap", "ISO 8583:2003，ASCII，二进制位图"),
    ROWS_2003,
    ASCII_BINARY,
    bitmaps_max=3,
)
