"""Payment codes of the gateway: an order as a merchant's code, and a payer's code as what the network needs of a card.

A merchant's code (EMV QRCPS Merchant-Presented Mode) carries the order under the scheme's identifier in object 26. A
payer's code (Consumer-Presented Mode) comes from the chip of a tokenised card in a phone: its track 2 and the
cryptogram. What it does not show, the chip was told as zeros and the reader puts the same in field 55 (`FIXED`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jinka.acquirer.currency import currency_of, from_text, to_text
from jinka.acquirer.orders import Order
from jinka.acquirer.ports import CardFacts, Entry, Merchant
from jinka.acquirer.vault import require_pan
from jinka.codec import tlv
from jinka.codec.emv_qr import (
    ConsumerCode,
    Initiation,
    MerchantCode,
    merchant_code,
    parse_consumer_code,
    parse_merchant_code,
)
from jinka.codec.emv_tags import Tag
from jinka.kit import Refused, Usage

SCHEME = "cn.jinka.order"
_ACCOUNT = "26"
_ASCII_NAME_MAX, _CITY_MAX, _LOCAL_MAX = 25, 15, 25

# What the phone told its chip where the code does not say it: no amount yet, this country, this currency.
FIXED: Mapping[int, bytes] = MappingProxyType(
    {
        Tag.AMOUNT: bytes(6),
        Tag.AMOUNT_OTHER: bytes(6),
        Tag.COUNTRY_TERMINAL: b"\x01\x56",
        Tag.TVR: bytes(5),
        Tag.CURRENCY: b"\x01\x56",
        Tag.TYPE: b"\x00",
    }
)
_NEEDED = (Tag.TRACK2, Tag.COUNTER, Tag.CRYPTOGRAM, Tag.ISSUER_DATA, Tag.UNPREDICTABLE, Tag.AIP, Tag.DATE)


def order_code(order: Order, merchant: Merchant) -> str:
    """The text of the order's code."""
    currency = currency_of(order.currency)
    local = merchant.local_name[:_LOCAL_MAX]
    return merchant_code(
        MerchantCode(
            accounts=((_ACCOUNT, f"00{len(SCHEME):02d}{SCHEME}0132{order.page_key.hex()}"),),
            category=merchant.category,
            currency=currency.numeric,
            amount=to_text(order.amount_minor, currency),
            country="CN",
            name=merchant.name[:_ASCII_NAME_MAX],
            city=merchant.city[:_CITY_MAX],
            initiation=Initiation.DYNAMIC,
            language="zh" if local else "",
            local_name=local,
            additional={"terminal": merchant.terminal} | ({"bill": order.bill[:25]} if order.bill else {}),
        )
    )


def scanned_order(text: str) -> tuple[bytes, int, str]:
    """(page key, amount, currency) of an order's code that a payer scanned; raises `QrError` and `Usage`."""
    code = parse_merchant_code(text)
    account = dict(code.accounts).get(_ACCOUNT, "")
    head = f"00{len(SCHEME):02d}{SCHEME}0132"
    try:
        key = bytes.fromhex(account.removeprefix(head)) if account.startswith(head) else b""
    except ValueError:
        key = b""
    if len(key) != 16:
        raise Usage("not a code of this scheme", where="code.26", fix="pay it with the scheme that made it")
    currency = currency_of(code.currency, where="code.53")
    return key, from_text(code.amount, currency, where="code.54"), currency.code


def card_of_code(text: str) -> CardFacts:
    """What the network needs of a payer's code; raises `QrError`, and `Refused` when the chip's proof is not whole."""
    code = parse_consumer_code(text)
    found: dict[int, bytes] = {tag: value for tag in _NEEDED if (value := code.value(tag)) is not None}
    if len(found) < len(_NEEDED):
        raise Refused("no cryptogram of a chip", where="code.63", fix="pay with a phone card")
    number, expiry4 = _track(found[Tag.TRACK2])
    require_pan(number)
    amount = code.value(Tag.AMOUNT)
    if amount is not None and not (len(amount) == 6 and amount.hex().isdigit()):
        raise Refused("not an amount", where="code.9F02", fix="6 bytes of BCD")
    return CardFacts(
        pan=number,
        expiry4=expiry4,
        entry=Entry.CODE,
        chip=_field55(code, found),
        signed_minor=None if amount is None else int(amount.hex()),
    )


def _track(track2: bytes) -> tuple[str, str]:
    number, _, rest = track2.hex().partition("d")
    if not (number.isdigit() and len(rest) >= 7 and rest[:4].isdigit() and "01" <= rest[2:4] <= "12"):
        raise Refused("not a track 2", where="code.57")
    return number, rest[:4]


def _field55(code: ConsumerCode, found: Mapping[int, bytes]) -> bytes:
    sequence = code.value(Tag.SEQUENCE)
    extra: dict[int, bytes] = {} if sequence is None else {Tag.SEQUENCE: sequence}
    amount = code.value(Tag.AMOUNT)
    if amount is not None:  # the phone had scanned the order, so its chip signed what it is to pay
        extra[Tag.AMOUNT] = amount
    return b"".join(tlv(tag, value) for tag, value in {**FIXED, **found, **extra}.items())
