"""ISO 8583:1993: longer dates, a point of service code of twelve characters, action codes of three digits.

What differs from the table of 1987. Amounts keep their form; fields 105 to 110 count chargebacks and fees.
"""

from __future__ import annotations

from jinka.codec.iso8583.iso1987 import ASCII_BINARY, ASCII_HEX, PACKED, ROWS_1987
from jinka.codec.iso8583.spec import Content, Mask, Row, Tlv, make_spec, merge_rows

A, N, AN, ANS, Z, XN, B = Content

_CHANGED = (
    Row(5, ("Amount, reconciliation", "清算金额"), N, 12),
    Row(9, ("Conversion rate, reconciliation", "清算汇率"), N, 8),
    Row(12, ("Date and time, local transaction", "受卡方所在地日期时间"), N, 12),
    Row(13, ("Date, effective", "卡生效日期"), N, 4),
    Row(15, ("Date, settlement", "清算日期"), N, 6),
    Row(22, ("Point of service data code", "服务点数据码"), AN, 12),
    Row(24, ("Function code", "功能码"), N, 3),
    Row(25, ("Message reason code", "报文原因码"), N, 4),
    Row(26, ("Card acceptor business code", "受卡方行业代码"), N, 4),
    Row(27, ("Approval code length", "授权码长度"), N, 1),
    Row(28, ("Date, reconciliation", "对账日期"), N, 6),
    Row(29, ("Reconciliation indicator", "对账指示符"), N, 3),
    Row(30, ("Amounts, original", "原始金额"), N, 24),
    Row(31, ("Acquirer reference data", "收单参考数据"), ANS, 99, 2),
    Row(38, ("Approval code", "授权码"), AN, 6),
    Row(39, ("Action code", "动作码"), N, 3),
    Row(40, ("Service code", "服务码"), N, 3),
    Row(43, ("Card acceptor name and location", "受卡方名称地址"), ANS, 99, 2),
    Row(44, ("Additional response data", "附加响应数据"), ANS, 99, 2),
    Row(46, ("Amounts, fees", "费用金额"), ANS, 204, 3),
    Row(50, ("Currency code, reconciliation", "清算货币代码"), AN, 3),
    Row(53, ("Security related control information", "安全控制信息"), B, 48, 2, Mask.HIDDEN),
    Row(55, ("Integrated circuit card data", "IC卡数据域"), B, 255, 3, nested=Tlv()),
    Row(56, ("Original data elements", "原始数据元"), N, 35, 2),
    Row(57, ("Authorisation life cycle code", "授权生命周期码"), N, 3),
    Row(58, ("Authorising agent institution", "授权代理机构标识码"), N, 11, 2),
    Row(59, ("Transport data", "传输数据"), ANS, 999, 3),
    Row(66, ("Amounts, original fees", "原始费用金额"), ANS, 204, 3),
    Row(67, ("Extended payment data", "扩展支付数据"), N, 2),
    Row(70, ("Country code, authorising agent", "授权代理机构国家代码"), N, 3),
    Row(71, ("Message number", "报文编号"), N, 8),
    Row(72, ("Data record", "数据记录"), ANS, 999, 3),
    Row(82, ("Inquiries, reversal number", "查询冲正笔数"), N, 10),
    Row(83, ("Payments, number", "支付笔数"), N, 10),
    Row(84, ("Payments, reversal number", "支付冲正笔数"), N, 10),
    Row(85, ("Fee collections, number", "收费笔数"), N, 10),
    Row(90, ("Authorisations, reversal number", "授权冲正笔数"), N, 10),
    Row(91, ("Country code, destination", "交易目的国家代码"), N, 3),
    Row(92, ("Country code, originator", "交易发起国家代码"), N, 3),
    Row(93, ("Transaction destination institution", "交易目的机构标识码"), N, 11, 2),
    Row(94, ("Transaction originator institution", "交易发起机构标识码"), N, 11, 2),
    Row(95, ("Card issuer reference data", "发卡方参考数据"), ANS, 99, 2),
    Row(96, ("Key management data", "密钥管理数据"), B, 999, 3, Mask.HIDDEN),
    Row(97, ("Amount, net reconciliation", "净对账金额"), XN, 16),
    Row(99, ("Settlement institution", "清算机构标识码"), AN, 11, 2),
    Row(105, ("Credits, chargeback amount", "贷记退单金额"), N, 16),
    Row(106, ("Debits, chargeback amount", "借记退单金额"), N, 16),
    Row(107, ("Credits, chargeback number", "贷记退单笔数"), N, 10),
    Row(108, ("Debits, chargeback number", "借记退单笔数"), N, 10),
    Row(109, ("Credits, fee amounts", "贷记费用金额"), ANS, 84, 2),
    Row(110, ("Debits, fee amounts", "借记费用金额"), ANS, 84, 2),
)
ROWS_1993 = merge_rows(ROWS_1987, _CHANGED)

ISO1993_ASCII = make_spec(
    "iso1993-ascii", ("ISO 8583:1993, ASCII", "ISO 8583:1993，ASCII"), ROWS_1993, ASCII_HEX
)
ISO1993_BINARY = make_spec(
    "iso1993-binary",
    ("ISO 8583:1993, ASCII, binary bitmap", "ISO 8583:1993，ASCII，二进制位图"),
    ROWS_1993,
    ASCII_BINARY,
)
ISO1993_BCD = make_spec("iso1993-bcd", ("ISO 8583:1993, BCD", "ISO 8583:1993，BCD"), ROWS_1993, PACKED)
