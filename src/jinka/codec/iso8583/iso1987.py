"""ISO 8583:1987, the messages that most networks still speak: one table of fields, three ways to write it.

ASCII with a bitmap in hexadecimal, ASCII with a binary bitmap, packed decimals with a binary bitmap, and EBCDIC.
Attributes are those of clause 4.3.11; fields 47, 48 and 56 to 63, 105 to 127 belong to networks and are text here. A
network that differs changes single rows (`spec.merge_rows`).
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
_PAN, _HIDDEN, _KEYS = Mask.PAN, Mask.HIDDEN, Mask.KEYS

ORIGINAL = Composite(
    parts=(
        Part(key="type", title=("Original message type", "原始报文类型"), size=4, content=N),
        Part(key="trace", title=("Original trace number", "原始系统跟踪号"), size=6, content=N),
        Part(key="time", title=("Original transmission time", "原始传输时间"), size=10, content=N),
        Part(key="acquirer", title=("Original acquiring institution", "原始受理机构"), size=11, content=N),
        Part(key="forwarder", title=("Original forwarding institution", "原始发送机构"), size=11, content=N),
    )
)
_CARD = (
    Row(2, ("Primary account number", "主账号"), N, 19, 2, _PAN),
    Row(3, ("Processing code", "交易处理码"), N, 6),
    Row(4, ("Amount, transaction", "交易金额"), N, 12),
    Row(5, ("Amount, settlement", "清算金额"), N, 12),
    Row(6, ("Amount, cardholder billing", "持卡人扣账金额"), N, 12),
    Row(7, ("Transmission date and time", "交易传输时间"), N, 10),
    Row(8, ("Amount, cardholder billing fee", "持卡人扣账手续费"), N, 8),
    Row(9, ("Conversion rate, settlement", "清算汇率"), N, 8),
    Row(10, ("Conversion rate, cardholder billing", "持卡人扣账汇率"), N, 8),
    Row(11, ("System trace audit number", "系统跟踪号"), N, 6),
    Row(12, ("Time, local transaction", "受卡方所在地时间"), N, 6),
    Row(13, ("Date, local transaction", "受卡方所在地日期"), N, 4),
    Row(14, ("Date, expiration", "卡有效期"), N, 4, 0, _HIDDEN),
    Row(15, ("Date, settlement", "清算日期"), N, 4),
    Row(16, ("Date, conversion", "兑换日期"), N, 4),
    Row(17, ("Date, capture", "受理日期"), N, 4),
    Row(18, ("Merchant type", "商户类型"), N, 4),
    Row(19, ("Acquiring institution country code", "收单机构国家代码"), N, 3),
    Row(20, ("Primary account number country code", "主账号国家代码"), N, 3),
    Row(21, ("Forwarding institution country code", "发送机构国家代码"), N, 3),
    Row(22, ("Point of service entry mode", "服务点输入方式码"), N, 3),
    Row(23, ("Card sequence number", "卡序列号"), N, 3),
    Row(24, ("Network international identifier", "网络国际标识"), N, 3),
    Row(25, ("Point of service condition code", "服务点条件码"), N, 2),
    Row(26, ("Point of service PIN capture code", "服务点PIN获取码"), N, 2),
    Row(27, ("Authorisation identification response length", "授权码长度"), N, 1),
    Row(28, ("Amount, transaction fee", "交易手续费"), XN, 8),
    Row(29, ("Amount, settlement fee", "清算手续费"), XN, 8),
    Row(30, ("Amount, transaction processing fee", "交易处理费"), XN, 8),
    Row(31, ("Amount, settlement processing fee", "清算处理费"), XN, 8),
    Row(32, ("Acquiring institution identification code", "受理机构标识码"), N, 11, 2),
    Row(33, ("Forwarding institution identification code", "发送机构标识码"), N, 11, 2),
    Row(34, ("Primary account number, extended", "扩展主账号"), ANS, 28, 2, _PAN),
    Row(35, ("Track 2 data", "第二磁道数据"), Z, 37, 2, _HIDDEN),
    Row(36, ("Track 3 data", "第三磁道数据"), Z, 104, 3, _HIDDEN),
    Row(37, ("Retrieval reference number", "检索参考号"), AN, 12),
    Row(38, ("Authorisation identification response", "授权标识应答码"), AN, 6),
    Row(39, ("Response code", "应答码"), AN, 2),
    Row(40, ("Service restriction code", "服务限制码"), AN, 3),
    Row(41, ("Card acceptor terminal identification", "受卡机终端标识码"), ANS, 8),
    Row(42, ("Card acceptor identification code", "受卡方标识码"), ANS, 15),
    Row(43, ("Card acceptor name and location", "受卡方名称地址"), ANS, 40),
    Row(44, ("Additional response data", "附加响应数据"), ANS, 25, 2),
    Row(45, ("Track 1 data", "第一磁道数据"), ANS, 76, 2, _HIDDEN),
    Row(46, ("Additional data, ISO", "附加数据（国际标准）"), ANS, 999, 3),
    Row(47, ("Additional data, national", "附加数据（国家）"), ANS, 999, 3),
    Row(48, ("Additional data, private", "附加数据（私有）"), ANS, 999, 3, _KEYS),
    Row(49, ("Currency code, transaction", "交易货币代码"), AN, 3),
    Row(50, ("Currency code, settlement", "清算货币代码"), AN, 3),
    Row(51, ("Currency code, cardholder billing", "持卡人账户货币代码"), AN, 3),
    Row(52, ("Personal identification number data", "个人标识码数据"), B, 8, 0, _HIDDEN),
    Row(53, ("Security related control information", "安全控制信息"), N, 16),
    Row(54, ("Additional amounts", "附加金额"), ANS, 120, 3),
    Row(55, ("Integrated circuit card data", "IC卡数据域"), B, 999, 3, nested=Tlv()),
)  # fmt: skip
_RESERVED = (
    *(
        Row(number, ("Reserved", "保留域"), ANS, 999, 3)
        for number in (56, 57, 59, 60, 62, 63, *range(105, 128))
    ),
    Row(58, ("Purse data", "电子钱包标准交易信息"), ANS, 999, 3, _HIDDEN),
    Row(61, ("Cardholder authentication", "持卡人身份认证信息"), ANS, 999, 3, _HIDDEN),
)
_TOTALS = (
    Row(64, ("Message authentication code", "报文鉴别码"), B, 8),
    Row(66, ("Settlement code", "清算代码"), N, 1),
    Row(67, ("Extended payment code", "扩展支付代码"), N, 2),
    Row(68, ("Receiving institution country code", "接收机构国家代码"), N, 3),
    Row(69, ("Settlement institution country code", "清算机构国家代码"), N, 3),
    Row(70, ("Network management information code", "网络管理信息码"), N, 3),
    Row(71, ("Message number", "报文编号"), N, 4),
    Row(72, ("Message number, last", "末报文编号"), N, 4),
    Row(73, ("Date, action", "动作日期"), N, 6),
    Row(74, ("Credits, number", "贷记笔数"), N, 10),
    Row(75, ("Credits, reversal number", "贷记冲正笔数"), N, 10),
    Row(76, ("Debits, number", "借记笔数"), N, 10),
    Row(77, ("Debits, reversal number", "借记冲正笔数"), N, 10),
    Row(78, ("Transfer, number", "转账笔数"), N, 10),
    Row(79, ("Transfer, reversal number", "转账冲正笔数"), N, 10),
    Row(80, ("Inquiries, number", "查询笔数"), N, 10),
    Row(81, ("Authorisations, number", "授权笔数"), N, 10),
    Row(82, ("Credits, processing fee amount", "贷记处理费金额"), N, 12),
    Row(83, ("Credits, transaction fee amount", "贷记交易费金额"), N, 12),
    Row(84, ("Debits, processing fee amount", "借记处理费金额"), N, 12),
    Row(85, ("Debits, transaction fee amount", "借记交易费金额"), N, 12),
    Row(86, ("Credits, amount", "贷记金额"), N, 16),
    Row(87, ("Credits, reversal amount", "贷记冲正金额"), N, 16),
    Row(88, ("Debits, amount", "借记金额"), N, 16),
    Row(89, ("Debits, reversal amount", "借记冲正金额"), N, 16),
    Row(90, ("Original data elements", "原始数据元"), N, 42, nested=ORIGINAL),
    Row(91, ("File update code", "文件更新码"), AN, 1),
    Row(92, ("File security code", "文件安全码"), AN, 2),
    Row(93, ("Response indicator", "响应指示符"), N, 5),
    Row(94, ("Service indicator", "服务指示码"), AN, 7),
    Row(95, ("Replacement amounts", "替换金额"), AN, 42),
    Row(96, ("Message security code", "报文安全码"), B, 8, 0, _HIDDEN),
    Row(97, ("Amount, net settlement", "净清算金额"), XN, 16),
    Row(98, ("Payee", "收款人"), ANS, 25),
    Row(99, ("Settlement institution identification code", "清算机构标识码"), N, 11, 2),
    Row(100, ("Receiving institution identification code", "接收机构标识码"), N, 11, 2),
    Row(101, ("File name", "文件名"), ANS, 17, 2),
    Row(102, ("Account identification 1", "账户标识1"), ANS, 28, 2, _PAN),
    Row(103, ("Account identification 2", "账户标识2"), ANS, 28, 2, _PAN),
    Row(104, ("Transaction description", "交易描述"), ANS, 100, 3),
    Row(128, ("Message authentication code", "报文鉴别码"), B, 8),
)  # fmt: skip
ROWS_1987 = (*_CARD, *_RESERVED, *_TOTALS)

ASCII_HEX = Style(bitmap=Coding.HEX, binary=Coding.HEX)
ASCII_BINARY = Style()
PACKED = Style(mti=Coding.BCD, numeric=Coding.BCD, track=Coding.BCD_LEFT, length=LengthCoding.BCD)
EBCDIC = Style(
    mti=Coding.EBCDIC,
    numeric=Coding.EBCDIC,
    track=Coding.EBCDIC,
    text=Coding.EBCDIC,
    length=LengthCoding.EBCDIC,
)

ISO1987_ASCII = make_spec(
    "iso1987-ascii", ("ISO 8583:1987, ASCII", "ISO 8583:1987，ASCII"), ROWS_1987, ASCII_HEX
)
ISO1987_BINARY = make_spec(
    "iso1987-binary",
    ("ISO 8583:1987, ASCII, binary bitmap", "ISO 8583:1987，ASCII，二进制位图"),
    ROWS_1987,
    ASCII_BINARY,
)
ISO1987_BCD = make_spec("iso1987-bcd", ("ISO 8583:1987, BCD", "ISO 8583:1987，BCD"), ROWS_1987, PACKED)
ISO1987_EBCDIC = make_spec(
    "iso1987-ebcdic", ("ISO 8583:1987, EBCDIC", "ISO 8583:1987，EBCDIC"), ROWS_1987, EBCDIC
)
