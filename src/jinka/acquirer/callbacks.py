"""Callbacks to merchants: their bodies, their signatures, when to try again, and where they may not go.

Signed by Standard Webhooks 1.0.0 (HMAC-SHA256 over id, time and body; header ``v1,BASE64``), which merchants'
libraries check; the time stops replays. At least once: the id is the same at every try, and the order's version tells
which of two is newer. A receiver inside our own network is refused (`require_outside`). `jinka.node` sends.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from dataclasses import replace
from typing import Any

from jinka.acquirer.orders import Order
from jinka.acquirer.ports import Callback
from jinka.kit import Refused, make_id

SECRET_BYTES = 32
TOLERANCE_S = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 the prefix of all secrets
# Seconds between tries: three days in all, then it is given up and stays in the outbox to be sent by hand.
WAITS_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400)
_MICROS = 1_000_000


def order_view(order: Order) -> dict[str, Any]:
    """An order as merchants see it, in answers and callbacks alike. No card number, no token of the vault's inside."""
    return {
        "id": order.id.hex(),
        "reference": order.reference,
        "state": order.state.word,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "authorised_minor": order.authorised_minor,
        "captured_minor": order.captured_minor,
        "refunded_minor": order.refunded_minor,
        "description": order.description,
        "capture_later": order.capture_later,
        "attempts": order.attempts,
        "card": order.masked,
        "code": order.code,
        "created_micros": order.created_micros,
        "expires_micros": order.expires_micros,
        "page": f"/pay/{order.page_key.hex()}",
        "version": order.version,
    }


def order_changed(order: Order, now_micros: int) -> Callback:
    """What the merchant is told of an order's new state; the same change has the same id."""
    id_ = make_id("jinka.gateway.callback", order.id, order.version)
    view = order_view(order)
    del view["page"]  # the page is for the payer
    body = {"type": f"order.{order.state.word}", "timestamp_micros": now_micros, "data": view}
    return Callback(
        id=id_,
        merchant=order.merchant,
        kind=str(body["type"]),
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        created_micros=now_micros,
        next_micros=now_micros,
    )


def secret_text(secret: bytes) -> str:
    """A secret as it is given to a merchant."""
    return _SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, id_: str, at_s: int, body: str) -> str:
    """The value of the header ``webhook-signature``."""
    signed = f"{id_}.{at_s}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def check_signature(secret: bytes, id_: str, at_s: int, body: str, header: str, now_s: int) -> None:
    """What a receiver does; raises `Refused` for a wrong signature or an old time."""
    if abs(now_s - at_s) > TOLERANCE_S:
        raise Refused("too old or too new", where="webhook-timestamp", fix="set the clock")
    wanted = signature(secret, id_, at_s, body).encode()
    if not any(hmac.compare_digest(found.encode(), wanted) for found in header.split()):
        raise Refused("wrong", where="webhook-signature")


def headers(secret: bytes, callback: Callback, now_micros: int) -> dict[str, str]:
    """The headers of one try."""
    at_s, id_ = now_micros // _MICROS, f"msg_{callback.id.hex()}"
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(secret, id_, at_s, callback.body),
    }


def tried(callback: Callback, now_micros: int, *, delivered: bool, outcome: str) -> Callback:
    """The callback after a try: done, to be tried later, or given up."""
    count = callback.attempts + 1
    wait = 0 if delivered or count > len(WAITS_S) else WAITS_S[count - 1]
    return replace(
        callback,
        attempts=count,
        delivered=delivered,
        outcome=outcome[:200],
        next_micros=now_micros + wait * _MICROS if wait else 0,
    )


def require_outside(address: str) -> None:
    """Raise `Refused` for an IP address that is not on the public internet, whatever it is wrapped in."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise Refused("not an IP address", where="callback_url") from None
    if isinstance(found, ipaddress.IPv6Address):
        # 6to4 (RFC 3056), Teredo (RFC 4380) and NAT64 (RFC 6052, 8215) lead to an IPv4 host of the sender's choice
        if found.sixtofour or found.teredo or any(found in net for net in _NAT64):
            raise Refused("the address goes through a tunnel", where="callback_url", fix="a public address")
        if found.is_site_local:  # RFC 3879 ended them; networks that have them still are inside
            raise Refused("the receiver is inside", where="callback_url", fix="a public address")
        found = found.ipv4_mapped or found
    if found in _RELAYS:
        raise Refused("the address goes through a tunnel", where="callback_url", fix="a public address")
    if not found.is_global or found.is_multicast or found.is_reserved:
        raise Refused("the receiver is inside", where="callback_url", fix="a public address")


_RELAYS = ipaddress.IPv4Network("192.88.99.0/24")  # 6to4 relays (RFC 3068, ended by RFC 7526)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
