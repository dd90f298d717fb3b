"""Payment codes. Vectors: the samples of EMV QRCPS Merchant-Presented Mode 1.1 and Consumer-Presented Mode 1.1."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec.emv_qr import (
    Application,
    ConsumerCode,
    Initiation,
    MerchantCode,
    QrError,
    consumer_code,
    crc,
    merchant_code,
    open_objects,
    parse_consumer_code,
    parse_merchant_code,
    seal_objects,
)

# EMV QRCPS Merchant-Presented Mode 1.1, the sample of its annex
MERCHANT = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***"
    "0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
# EMV QRCPS Consumer-Presented Mode 1.1: one application with a track 2; two applications with a cryptogram
CONSUMER_TRACK = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
CONSUMER_TWO = (
    "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIv"
    "RU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw=="
)


def test_the_published_merchant_code() -> None:
    assert seal_objects(open_objects(MERCHANT)) == MERCHANT
    code = parse_merchant_code(MERCHANT)
    assert code.initiation is Initiation.DYNAMIC
    assert (code.category, code.currency, code.amount, code.country) == ("4111", "156", "23.72", "CN")
    assert (code.name, code.city, code.local_name, code.local_city) == (
        "BEST TRANSPORT", "BEIJING", "最佳运输", "北京",
    )  # fmt: skip
    assert code.additional == {"store": "1234", "customer": "***", "terminal": "A6008667", "asked": "ME"}
    assert code.tip == (("55", "01"),)
    assert code.unreserved == (("91", "0016A011223344998877070812345678"),)
    assert parse_merchant_code(merchant_code(code)) == code


def test_the_check_value_of_the_crc() -> None:
    assert crc("123456789") == "29B1"  # the catalogue of CRCs, CRC-16/IBM-3740 (once named CCITT-FALSE)


def test_the_published_consumer_codes() -> None:
    track = parse_consumer_code(CONSUMER_TRACK)
    assert track.applications[0].aid.hex() == "a0000000555555"
    assert track.value(0x57) == bytes.fromhex("1234567890123458D191220112345F")
    assert consumer_code(track) == CONSUMER_TRACK
    two = parse_consumer_code(CONSUMER_TWO)
    assert [found.values[0x50] for found in two.applications] == [b"Product1", b"Product2"]
    assert two.value(0x5A, 1) == bytes.fromhex("1234567890123458")
    assert two.value(0x9F26) == bytes.fromhex("584FD385FA234BCC")
    assert two.common_own[0x9F36] == b"\x00\x01"
    assert two.value(0x99) is None
    assert consumer_code(two) == CONSUMER_TWO


def _resealed(text: str) -> str:
    body = text + "6304"
    return body + crc(body)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "code.00"),
        (MERCHANT[:-1] + "B", "code.63"),
        (MERCHANT[:-8], "code.63"),
        (MERCHANT.replace("BEST", "PEST"), "code.63"),
        (_resealed("0002015802CN0102AA"), "code.01"),
        (_resealed("0002019A0"), "code, offset 6"),
        (_resealed("0002010199A"), "code.01"),
        (_resealed("000201000201"), "code.00"),
        (_resealed("00020100"), "code.00"),
        (_resealed("00020126000"), "code.26"),
        (_resealed("0002012605abcde"), "code.52"),
        (_resealed("00020152041234"), "code.53"),
        (_resealed("000201520412a4"), "code.52"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B54010"), "code.54"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B5403-10"), "code.54"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B54031.."), "code.54"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B6203999"), "code.62, offset 0"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B64060002zh"), "code.64"),
        (_resealed("0002012605abcde5204123453031565802CN5901A6001B")[:-4] + "١٢٣٤", "code.63"),
        ("0" * 600, "code"),
        ("00\n2", "code"),
    ],
)
def test_what_is_no_merchant_code(text: str, where: str) -> None:
    with pytest.raises(QrError) as error:
        parse_merchant_code(text)
    assert error.value.where == where


def _b64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "code"),
        ("hQV", "code"),
        ("漢", "code"),
        (_b64("8505 4350563032 6107 4F05 A000000333"), "code.85"),
        (_b64("8505 4350563031"), "code.61"),
        (_b64("8505 4350563031 6105 4F03 A00000"), "code.61.4F"),
        (_b64("8505 4350563031 6107 4F06 A000000333"), "code, offset 2"),
        (_b64("8505 4350563031 6203 5A01 12"), "code.61"),
        (_b64("8505 4350563031 6203 5A0112 6107 4F05A000000333"), "code.61"),
        (_b64("8505 4350563031 6107 4F05A000000333 8501 00"), "code.85"),
        (_b64("8505 4350563031 610E 4F05A000000333 4F05A000000333"), "code.4F"),
        (_b64("8505 4350563031 618107 4F05A000000333"), "code"),  # a length in two bytes where one does
        (_b64("8505 4350563031 6107 4F05A000000333 00"), "code"),  # filling
        (_b64("8505 4350563031 6184FFFFFFFF"), "code, offset 8"),
        ("A" * 513, "code"),
    ],
)
def test_what_is_no_consumer_code(text: str, where: str) -> None:
    with pytest.raises(QrError) as error:
        parse_consumer_code(text)
    assert error.value.where == where


@pytest.mark.parametrize(
    "change",
    [
        {"category": "12"}, {"currency": "CNY"}, {"country": "cn"}, {"name": "x" * 26}, {"name": ""},
        {"amount": "1,5"}, {"amount": "0.00"}, {"accounts": ()}, {"city": "a\nb"},
        {"accounts": tuple((f"{n:02d}", "x" * 99) for n in range(26, 32))},
    ],
)  # fmt: skip
def test_a_wrong_code_is_not_made(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "accounts": (("26", "0008cn.jinka"),), "category": "5311", "currency": "156", "country": "CN",
        "name": "Shop", "city": "Shenzhen",
    }  # fmt: skip
    assert parse_merchant_code(merchant_code(MerchantCode(**good))).name == "Shop"
    with pytest.raises(QrError):
        merchant_code(MerchantCode(**good | change))


@given(st.text(max_size=80), st.text(alphabet="0123456789", max_size=60))
def test_anything_is_read_or_refused(text: str, digits: str) -> None:
    for body in (text, "000201" + digits, MERCHANT[: len(text)] + text):
        for parser in (parse_merchant_code, parse_consumer_code):
            with pytest.raises(QrError):
                parser(body)
        try:
            parse_merchant_code(_resealed(body))
        except QrError:
            continue


@given(
    st.lists(
        st.tuples(st.binary(min_size=5, max_size=16), st.binary(min_size=1, max_size=30)),
        min_size=1,
        max_size=3,
    ),
    st.binary(min_size=1, max_size=60),
)
def test_consumer_codes_come_back(found: list[tuple[bytes, bytes]], cryptogram: bytes) -> None:
    code = ConsumerCode(
        applications=tuple(Application(aid=aid, values={0x50: label}) for aid, label in found),
        common={0x5A: b"\x12\x34"},
        common_own={0x9F26: cryptogram},
    )
    assert parse_consumer_code(consumer_code(code)) == code
