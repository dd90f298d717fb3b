"""What goes over the wire, as OpenAPI 3.1 tells it. Amounts are minor units; ids are hexadecimal."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from jinka.acquirer.currency import CURRENCIES
from jinka.acquirer.gateway import LIFE_S, LIFE_S_MAX
from jinka.acquirer.orders import AMOUNT_MAX

_PRINTABLE = r"^[^\x00-\x1F\x7F-\x9F\u2028\u2029]*$"
Hex = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Line = Annotated[str, StringConstraints(max_length=120, pattern=_PRINTABLE)]


def _whole(value: Any) -> Any:
    """JSON has one kind of number, and by JSON Schema 2020-12 (6.1.1) 5.0 is an integer; 5.5 stays what it is."""
    return int(value) if type(value) is float and value.is_integer() else value


Minor = Annotated[int, Field(ge=1, le=AMOUNT_MAX), BeforeValidator(_whole)]
Life = Annotated[int, Field(ge=60, le=LIFE_S_MAX), BeforeValidator(_whole)]
CurrencyCode = Annotated[str, StringConstraints(pattern=f"^({'|'.join(CURRENCIES)})$")]
Expiry = Annotated[str, StringConstraints(pattern="^[0-9]{2}(0[1-9]|1[0-2])$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NewOrder(_In):
    """An order to be paid."""

    amount_minor: Minor
    currency: CurrencyCode = "CNY"
    reference: Line = Field(default="", description="The merchant's own number")
    description: Line = Field(default="", description="What the payer reads")
    capture_later: bool = Field(default=False, description="Authorise only; capture by a second request")
    life_s: Life = Field(default=LIFE_S, description="Seconds in which it can be paid")


class Card(_In):
    """A card that the payer typed. The card value is passed on and kept nowhere."""

    number: str = Field(pattern="^[0-9]{13,19}$", repr=False)
    expiry: Expiry = Field(description="YYMM")
    card_value: str = Field(default="", pattern="^([0-9]{3,4})?$", repr=False)


class CardMeans(_In):
    """By card number."""

    kind: Literal["card"]
    card: Card
    keep_card: bool = Field(default=False, description="The payer agrees that the token may be used again")


class TokenMeans(_In):
    """By a token that was kept."""

    kind: Literal["token"]
    token: Hex
    card_value: str = Field(default="", pattern="^([0-9]{3,4})?$", repr=False)


class CodeMeans(_In):
    """By the code that a payer's phone shows (EMV QRCPS, Consumer-Presented Mode)."""

    kind: Literal["code"]
    code: str = Field(min_length=1, max_length=512, repr=False)


Means = Annotated[CardMeans | TokenMeans | CodeMeans, Field(discriminator="kind")]


class Amount(_In):
    """How much; all that there is without it."""

    amount_minor: Minor | None = None


class OrderOut(BaseModel):
    """An order."""

    id: Hex
    reference: str
    state: Literal[
        "created", "pending", "authorised", "captured", "voided", "refunded_partly", "refunded", "failed",
        "expired", "unknown",
    ]  # fmt: skip
    amount_minor: int
    currency: str
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    description: str
    capture_later: bool
    attempts: int
    card: str = Field(description="Masked; empty until it is paid")
    code: str = Field(description="The network's last response code")
    created_micros: int
    expires_micros: int
    page: str = Field(description="Where the payer can pay it")
    version: int = Field(description="Counts the order's changes")


class OrdersOut(BaseModel):
    """A page of orders, newest first."""

    orders: list[OrderOut]
    next: str = Field(description="Give it as `before` for the next page; empty on the last")


class TokenOut(BaseModel):
    """A card that was kept."""

    token: Hex
    card: str = Field(description="Masked")


class CodeOut(BaseModel):
    """An order's payment code (EMV QRCPS, Merchant-Presented Mode 1.1)."""

    text: str


class CodeIn(_In):
    """A code that was scanned."""

    text: str = Field(min_length=1, max_length=512)


class CodeRead(BaseModel):
    """What a merchant's code says."""

    name: str
    local_name: str
    city: str
    category: str
    currency: str
    amount: str
    initiation: str
    bill: str


class BillIn(_In):
    """What a payer owes under a number."""

    amount_minor: Minor
    currency: CurrencyCode = "CNY"
    title: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_PRINTABLE)]


class BillOut(BaseModel):
    """A bill."""

    number: str
    amount_minor: int
    currency: str
    title: str
    paid: bool
    order: str = Field(description="The order that pays it; empty before")
