"""UnionPay members (interbank): characters with a binary bitmap, field 128 for the MAC.

No text of the specification is public; the table is that of ISO 8583:1987 with the fields that published members are
known to use otherwise. Their header of 46 bytes is `jinka.codec.framing.InterbankHeader`. Which fields field 128 covers
is known from programs alone, so it is a setting (`mac_fields`); the MAC itself is `jinka.crypto.unionpay_mac`.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinka.codec.iso8583.iso1987 import ASCII_BINARY, ROWS_1987
from jinka.codec.iso8583.message import Message
from jinka.codec.iso8583.spec import Coding, Composite, Content, Mask, Part, Row, Tlv, make_spec, merge_rows

A, N, AN, ANS, Z, XN, B = Content
_REASON = Composite(
    parts=(
        Part(key="reason", title=("Message reason code", "报文原因代码"), size=4, content=N),
        Part(key="rest", title=("Point of service, further", "服务点附加信息"), size=0),
    ),
    required=1,
)
_CHANGED = (
    Row(43, ("Card acceptor name and location", "受卡方名称地址"), ANS, 40, coding=Coding.GB18030),
    Row(48, ("Additional data, private", "附加数据（私有）"), ANS, 512, 3, Mask.KEYS, coding=Coding.GB18030),
    Row(55, ("Integrated circuit card data", "IC卡数据域"), B, 255, 3, nested=Tlv()),
    Row(57, ("Additional data, private", "附加交易信息"), ANS, 100, 3, coding=Coding.GB18030),
    Row(59, ("Detail inquiry", "明细查询数据"), ANS, 600, 3, coding=Coding.GB18030),
    Row(60, ("Reserved: reason and point of service", "自定义域"), ANS, 100, 3, nested=_REASON),
    Row(
        61,
        ("Cardholder authentication", "持卡人身份认证信息"),
        ANS,
        200,
        3,
        Mask.HIDDEN,
        coding=Coding.GB18030,
    ),
    Row(62, ("Switching data", "交换中心数据"), ANS, 200, 3, coding=Coding.GB18030),
    Row(63, ("Financial network data", "金融网络数据"), ANS, 512, 3, coding=Coding.GB18030),
    Row(121, ("Reserved for the centre", "CUPS保留"), ANS, 100, 3, coding=Coding.GB18030),
    Row(122, ("Reserved for the acquirer", "受理方保留"), ANS, 100, 3, coding=Coding.GB18030),
    Row(123, ("Reserved for the issuer", "发卡方保留"), ANS, 100, 3, coding=Coding.GB18030),
)
UNIONPAY_INTERBANK = make_spec(
    "unionpay-interbank",
    ("UnionPay interbank", "银联联网联合"),
    merge_rows(ROWS_1987, _CHANGED),
    ASCII_BINARY,
)
MAC_FIELDS = (2, 3, 4, 7, 11, 18, 25, 28, 32, 33, 38, 39, 41, 42, 90)  # of transactions
MAC_FIELDS_MANAGEMENT = (7, 11, 39, 53, 70, 100)  # of x8xx


def mac_fields(
    message: Message, numbers: Sequence[int] | None = None, *, lengths: bool = False
) -> tuple[str, ...]:
    """What field 128 covers: the type and these fields, in this order, where they are present.

    Members differ in the list, and in whether the length of a variable field is covered (``lengths``).
    """
    if numbers is None:
        numbers = MAC_FIELDS_MANAGEMENT if message.mti[1:2] == "8" else MAC_FIELDS
    found = [message.mti]
    for number in numbers:
        if number in message.fields:
            text, prefix = message.text(number), UNIONPAY_INTERBANK.fields[number].prefix
            found.append(f"{len(text):0{prefix.width}d}{text}" if lengths and prefix else text)
    return tuple(found)
