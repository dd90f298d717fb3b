"""What payers see: the payment page of an order, and the self-service page for bills. Rendered here, without script.

The page's key is what opens it: 128 random bits. A form repeats the number of attempts that it saw, so that pressing
twice is one payment. The policy allows the page's own style sheet by hash and its own forms, nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from jinka.acquirer import CardFacts, Entry, Keyed, Merchant, Order, OrderState, order_code
from jinka.acquirer.currency import currency_of, to_text
from jinka.acquirer.vault import require_pan
from jinka.api.pictures import qr_svg
from jinka.api.problems import TooMany
from jinka.api.services import Services
from jinka.api.words import state_word, words
from jinka.kit import JinkaError, NotFound, Usage
from jinka.reports import Language

router = APIRouter(include_in_schema=False)
_EXPIRY = re.compile(r"(0[1-9]|1[0-2]) ?/? ?([0-9]{2})", re.ASCII)
_PAID = frozenset({OrderState.CAPTURED, OrderState.AUTHORISED})
_DOUBT = frozenset({OrderState.UNKNOWN, OrderState.PENDING})
_FIELDS_MAX = 10


@router.get("/pay/{key}")
def payment(key: str, request: Request) -> Response:
    """The page of an order."""
    try:
        order, merchant = _inside(request).page(key)
    except JinkaError as error:
        return _refused(request, error)
    return _payment(request, order, merchant)


@router.post("/pay/{key}")
async def pay(key: str, request: Request) -> Response:
    """The form of a payment page; answered by the page again, so that reloading sends nothing."""
    body = await request.body()
    return await run_in_threadpool(_pay, key, request, body)


@router.get("/bills")
def bills(request: Request) -> Response:
    """The form in which a bill is looked up."""
    return _bills(request)


@router.post("/bills")
async def look_up(request: Request) -> Response:
    """Find a bill; the way goes on to its payment page."""
    body = await request.body()
    return await run_in_threadpool(_look_up, request, body)


def _pay(key: str, request: Request, body: bytes) -> Response:
    inside = _inside(request)
    try:
        order, merchant = inside.page(key)
    except JinkaError as error:
        return _refused(request, error)
    try:
        form = _form(body)
        card = _card(form)
        keyed = Keyed(
            key=f"page-{order.id.hex()}-{form.get('attempt', '')[:4]}",
            what={"pan": card.pan, "to": card.expiry4},
        )
        if form.get("attempt") != str(order.attempts):
            return _again(request, key)
        seen = inside.gateway.pay(merchant, order.id, card, keyed)
    except JinkaError:
        now, _ = inside.page(key)
        note = words(_language(request))["wrong"] if now.state is OrderState.CREATED else ""
        return _payment(request, now, merchant, note=note, status=422)
    if seen["state"] == OrderState.CREATED.word:
        now, _ = inside.page(key)
        return _payment(request, now, merchant, note=words(_language(request))["declined"], status=402)
    return _again(request, key)


def _look_up(request: Request, body: bytes) -> Response:
    language, inside = _language(request), _inside(request)
    said = words(language)
    try:
        form = _form(body)
        merchant = inside.biller(form.get("biller", ""))
        _, order = inside.order_of_bill(merchant, form.get("number", ""))
    except TooMany as error:
        return _refused(request, error)
    except (NotFound, Usage):
        return _bills(request, note=said["no_bill"], status=404)
    if order is None:
        return _bills(request, good=said["bill_paid"], biller=merchant.id)
    return RedirectResponse(f"/pay/{order.page_key.hex()}?lang={language.value}", 303)


def _payment(
    request: Request, order: Order, merchant: Merchant, *, note: str = "", status: int = 200
) -> Response:
    language, now = _language(request), _inside(request).clock.now_micros()
    name = merchant.local_name if language is Language.ZH and merchant.local_name else merchant.name
    payable = order.state is OrderState.CREATED and now < order.expires_micros
    state = OrderState.EXPIRED if order.state is OrderState.CREATED and not payable else order.state
    return _page(
        request,
        "pay.html.j2",
        status,
        order=order,
        name=name,
        amount=to_text(order.amount_minor, currency_of(order.currency)),
        state=state_word(state, language),
        paid=order.state in _PAID,
        doubt=order.state in _DOUBT,
        payable=payable,
        note=note,
        picture=Markup(qr_svg(order_code(order, merchant))) if payable else "",  # noqa: S704 drawn here
    )


def _bills(
    request: Request, *, note: str = "", good: str = "", biller: str | None = None, status: int = 200
) -> Response:
    found = request.query_params.get("biller", "")[:40] if biller is None else biller
    return _page(request, "bills.html.j2", status, note=note, good=good, biller=found)


def _refused(request: Request, error: JinkaError) -> Response:
    said = words(_language(request))
    busy = isinstance(error, TooMany)
    return _page(
        request,
        "bills.html.j2",
        429 if busy else 404,
        note=said["busy" if busy else "gone"],
        good="",
        biller="",
    )


def _page(request: Request, template: str, status: int, /, **values: Any) -> Response:
    language = _language(request)
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    html = _environment().get_template(template).render(
        style=Markup(style), language=language.value, words=words(language), more="", **values  # noqa: S704 our own
    )  # fmt: skip
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def _again(request: Request, key: str) -> Response:
    return RedirectResponse(f"/pay/{key}?lang={_language(request).value}", 303)


def _inside(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    if asked in ("en", "zh"):
        return Language(asked)
    first = request.headers.get("accept-language", "").strip().lower()
    return Language.EN if first.startswith("en") else Language.ZH


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; `Usage` for what is none."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), max_num_fields=_FIELDS_MAX, keep_blank_values=True, errors="strict"
        )
    except ValueError:
        raise Usage("not a form", where="body") from None
    return dict(pairs)


def _card(form: dict[str, str]) -> CardFacts:
    pan = form.get("number", "").replace(" ", "")
    require_pan(pan)
    found = _EXPIRY.fullmatch(form.get("expiry", "").strip())
    value = form.get("value", "")
    if found is None or (value and not re.fullmatch("[0-9]{3,4}", value, re.ASCII)):
        raise Usage("not as on the card", where="card.expiry", fix="MM/YY")
    return CardFacts(pan=pan, expiry4=found[2] + found[1], entry=Entry.TYPED, card_value=value)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("jinka.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


@cache
def _style() -> str:
    loader, environment = _environment().loader, _environment()
    assert loader is not None
    return loader.get_source(environment, "page.css")[0]
