"""Plans of a sector, and the steps of subscriptions: begun, billed, paid, served, charged, ended."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is offered: a price for a period of ``months`` or ``days``, and the services that are open meanwhile.

    A bill is due ``due_days`` after it was made; services close ``grace_days`` later. ``payee`` is the account that is
    paid. Small payments may go onto the bill up to ``each_fen`` at once, ``day_fen`` and ``month_fen`` in all. A plan
    with ``main`` may be had only by who has that plan, and is open only while it is.
    """

    code: str
    title_en: str
    title_zh: str
    price_fen: int
    services: tuple[str, ...]
    payee: str
    months: int = 0
    days: int = 0
    due_days: int = 0
    grace_days: int = 0
    each_fen: int = 0
    day_fen: int = 0
    month_fen: int = 0
    main: str = ""


@dataclass(frozen=True, slots=True)
class Subscribe(Step):
    """Somebody takes a plan; the subscription is known as ``name``. ``under`` names that of the main plan."""

    name: str
    plan: str
    _: KW_ONLY
    under: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Bill(Step):
    """The next period is billed, with all small payments so far."""

    name: str
    amount: int
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PayBill(Step):
    """The oldest open bill is paid from an account."""

    name: str
    payer: str
    amount: int
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Serve(Step):
    """Is the service open now? ``state`` is what the subscription must be in: active, in arrears, suspended, ended."""

    name: str
    service: str
    _: KW_ONLY
    state: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Charge(Step):
    """A small payment to a merchant's account, which the operator advances and puts onto the bill."""

    name: str
    merchant: str
    amount: int
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class EndSubscription(Step):
    """No further periods."""

    name: str
