"""The merchants' side of the API: orders and what is done with them, codes, cards, bills."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.security import HTTPBearer

from jinka.acquirer import (
    Bill,
    CardFacts,
    Draft,
    Entry,
    Keyed,
    Merchant,
    card_of_code,
    order_code,
    require_order,
)
from jinka.acquirer.vault import require_pan
from jinka.api import models as m
from jinka.api.pictures import qr_svg
from jinka.api.problems import RESPONSES
from jinka.api.services import Services, put_bill, require_bill
from jinka.codec.emv_qr import parse_merchant_code

_LIST_MAX = 100
_bearer = HTTPBearer(auto_error=False, description="The merchant's API key")
router = APIRouter(prefix="/v1", responses=RESPONSES, dependencies=[Depends(_bearer)])


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def _merchant(request: Request) -> Merchant:
    return _services(request).admit(request.headers.get("Authorization", ""))


Caller = Annotated[Merchant, Depends(_merchant)]
Inside = Annotated[Services, Depends(_services)]
OrderId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The order's id")]
Number = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,25}$", description="The bill's number")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=128, pattern="^[!-~]+$",
        description="The same key and body get the first answer; another body is refused",
    ),
]  # fmt: skip


@router.post("/orders", status_code=201, summary="Make an order")
def create(body: m.NewOrder, caller: Caller, inside: Inside, key: Key) -> m.OrderOut:
    """Make an order. Its page and its code are for the payer."""
    made = inside.gateway.create(caller, Draft(**body.model_dump()), _keyed(key, "create", body))
    return m.OrderOut(**made)


@router.get("/orders", summary="List orders")
def listed(
    caller: Caller,
    inside: Inside,
    before: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=_LIST_MAX)] = 20,
) -> m.OrdersOut:
    """Orders, newest first."""
    found = [m.OrderOut(**view) for view in inside.gateway.orders(caller, bytes.fromhex(before), limit)]
    return m.OrdersOut(orders=found, next=found[-1].id if len(found) == limit else "")


@router.get("/orders/{order}", summary="Read an order")
def read(order: OrderId, caller: Caller, inside: Inside) -> m.OrderOut:
    """Read an order: this is how an unknown outcome is followed."""
    return m.OrderOut(**inside.gateway.read(caller, bytes.fromhex(order)))


@router.post("/orders/{order}/pay", summary="Charge a card, a token or a payer's code")
def pay(order: OrderId, body: m.Means, caller: Caller, inside: Inside, key: Key) -> m.OrderOut:
    """Pay an order. The state says what came of it; `unknown` is resolved by itself and told by a callback."""
    id_, keyed = bytes.fromhex(order), _keyed(key, f"pay {order}", body)
    if isinstance(body, m.TokenMeans):
        paid = inside.gateway.pay_by_token(caller, id_, bytes.fromhex(body.token), keyed, body.card_value)
    elif isinstance(body, m.CodeMeans):
        paid = inside.gateway.pay(caller, id_, card_of_code(body.code), keyed)
    else:
        paid = inside.gateway.pay(caller, id_, _card(body.card), keyed, keep=body.keep_card)
    return m.OrderOut(**paid)


@router.post("/orders/{order}/capture", summary="Take what was authorised, or less")
def capture(order: OrderId, body: m.Amount, caller: Caller, inside: Inside, key: Key) -> m.OrderOut:
    """Capture once; the rest of the authorisation is let go."""
    id_, keyed = bytes.fromhex(order), _keyed(key, f"capture {order}", body)
    return m.OrderOut(**inside.gateway.capture(caller, id_, keyed, body.amount_minor or 0))


@router.post("/orders/{order}/refund", summary="Give back what was captured, or a part")
def refund(order: OrderId, body: m.Amount, caller: Caller, inside: Inside, key: Key) -> m.OrderOut:
    """Refund; all refunds together never exceed what was captured."""
    id_, keyed = bytes.fromhex(order), _keyed(key, f"refund {order}", body)
    return m.OrderOut(**inside.gateway.refund(caller, id_, keyed, body.amount_minor or 0))


@router.post("/orders/{order}/void", summary="Take a payment back whole, or cancel an unpaid order")
def void(order: OrderId, caller: Caller, inside: Inside, key: Key) -> m.OrderOut:
    """Void."""
    return m.OrderOut(**inside.gateway.void(caller, bytes.fromhex(order), _keyed(key, f"void {order}", None)))


@router.get("/orders/{order}/code", summary="The order's payment code as text")
def code(order: OrderId, caller: Caller, inside: Inside) -> m.CodeOut:
    """EMV QRCPS, Merchant-Presented Mode 1.1."""
    with inside.books.desk() as desk:
        found = require_order(desk, caller, bytes.fromhex(order))
    return m.CodeOut(text=order_code(found, caller))


@router.get(
    "/orders/{order}/code.svg",
    summary="The order's payment code as a picture",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
def code_picture(order: OrderId, caller: Caller, inside: Inside) -> Response:
    """The same as SVG."""
    return Response(qr_svg(code(order, caller, inside).text), media_type="image/svg+xml")


@router.post("/codes/read", summary="Read a merchant's code that was scanned")
def read_code(body: m.CodeIn, caller: Caller) -> m.CodeRead:  # noqa: ARG001 the caller is admitted
    """What a code says, after its CRC."""
    found = parse_merchant_code(body.text)
    return m.CodeRead(
        name=found.name,
        local_name=found.local_name,
        city=found.city,
        category=found.category,
        currency=found.currency,
        amount=found.amount,
        initiation="" if found.initiation is None else found.initiation.name.lower(),
        bill=found.additional.get("bill", ""),
    )


@router.post("/cards", status_code=201, summary="Keep a card without charging it")
def keep_card(body: m.Card, caller: Caller, inside: Inside) -> m.TokenOut:
    """A token of the card, for this merchant alone; the same card has the same token."""
    kept = inside.gateway.keep_card(caller, _card(body))
    return m.TokenOut(token=kept.id.hex(), card=kept.masked)


@router.delete("/cards/{token}", status_code=204, summary="Forget a card", response_class=Response)
def forget_card(
    token: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], caller: Caller, inside: Inside
) -> Response:
    """The token pays no more; refunds of what it paid go on."""
    inside.gateway.forget_card(caller, bytes.fromhex(token))
    return Response(status_code=204)


@router.put("/bills/{number}", summary="Say what a payer owes")
def put(number: Number, body: m.BillIn, caller: Caller, inside: Inside) -> m.BillOut:
    """A bill for the self-service terminals; it may be said anew until somebody begins to pay it."""
    with inside.books.desk() as desk:
        return _bill(put_bill(desk, Bill(merchant=caller.id, number=number, **body.model_dump())))


@router.get("/bills/{number}", summary="Read a bill")
def bill(number: Number, caller: Caller, inside: Inside) -> m.BillOut:
    """Whether it is paid, and by which order."""
    with inside.books.desk() as desk:
        return _bill(require_bill(desk, caller, number))


def _bill(found: Bill) -> m.BillOut:
    return m.BillOut(
        number=found.number,
        amount_minor=found.amount_minor,
        currency=found.currency,
        title=found.title,
        paid=found.paid,
        order=found.order.hex() if any(found.order) else "",
    )


def _card(card: m.Card) -> CardFacts:
    require_pan(card.number)
    return CardFacts(pan=card.number, expiry4=card.expiry, entry=Entry.TYPED, card_value=card.card_value)


def _keyed(key: str, act: str, body: Any) -> Keyed:
    """The request under its key. The card value is left out: not even a hash of it may be kept."""
    said = None if body is None else body.model_dump(exclude={"card_value": True, "card": {"card_value"}})
    return Keyed(key=key, what={"act": act, "body": said})
