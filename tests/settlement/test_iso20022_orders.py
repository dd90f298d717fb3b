"""Orders become messages that the published schemas accept. Goal: a bank pays exactly what was cleared, once.

Method: hostile values first; then bytes against the XSDs of the data folder, and check digits against python-stdnum.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from stdnum import iban

from jinka.kit import Usage
from jinka.settlement import SettlementOrder
from jinka.settlement.iso20022 import (
    Agent,
    Charset,
    Method,
    OrderMessage,
    PaymentBook,
    Transfer,
    plan_messages,
    uetr,
    write_message,
)
from jinka.settlement.iso20022.parties import check_iban
from tests.settlement.iso20022_case import BOOK, BUS, FEE, FLOAT, ICBC, LOAD, ORDERS, PARTIES, order
from tests.shared_data import DATA

CREATED = dt.datetime(2018, 9, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
MONDAY = dt.date(2018, 9, 3)


def written(message: OrderMessage, book: PaymentBook = BOOK) -> bytes:
    return write_message(message, book, created_at=CREATED, settle_on=MONDAY)


def texts(raw: bytes, name: str) -> list[str | None]:
    return [found.text for found in ElementTree.fromstring(raw).iter() if found.tag.endswith("}" + name)]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: plan_messages([BUS, BUS], BOOK), "twice"),
        (lambda: plan_messages([replace(BUS, amount=0)], BOOK), "no amount"),
        (lambda: plan_messages([replace(BUS, amount=-5)], BOOK), "no amount"),
        (lambda: plan_messages([replace(BUS, unit="Wh")], BOOK), "no bank transfers"),
        (lambda: plan_messages([replace(BUS, creditor="op.nobody")], BOOK), "no bank details"),
        (lambda: Agent(), "neither BIC nor member"),
        (lambda: Agent(bic="PCBCCNBJ\n"), "not a BIC"),
        (lambda: Agent(member="10210009999"), "member number of CNAPS"),
        (lambda: Agent(bic="PCBCCNBJ", clearing="x<y"), "code of a clearing system"),
        (lambda: replace(PARTIES["acq"], iban="DE88370400440532013000"), "check digits"),
        (lambda: replace(PARTIES["acq"], iban="DE89 3704"), "not an IBAN"),
        (lambda: replace(PARTIES["acq"], account="1"), "one of them"),
        (lambda: replace(PARTIES["agent"], account="1</Id>"), "account number"),
    ],
)
def test_what_no_bank_could_pay_is_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(Usage, match=says):
        make()


@pytest.mark.parametrize("name", ["巴士", "A_B", "a\nb", "Müller", "-Bus", "A//B", " ", "B" * 141])
def test_a_name_that_the_network_cannot_carry_is_refused_and_not_changed(name: str) -> None:
    book = replace(
        BOOK, charset=Charset.X, parties=PARTIES | {"op.bus": replace(PARTIES["op.bus"], name_en=name)}
    )
    [message] = plan_messages([BUS], book)
    with pytest.raises(Usage, match=r"op\.bus"):
        written(message, book)


def test_a_control_character_is_no_xml_and_a_time_needs_its_zone() -> None:
    book = replace(BOOK, parties=PARTIES | {"op.bus": replace(PARTIES["op.bus"], name_zh="巴士\x00")})
    [message] = plan_messages([BUS], book)
    with pytest.raises(Usage, match="XML"):
        written(message, book)
    with pytest.raises(Usage, match="zone"):
        write_message(message, BOOK, created_at=CREATED.replace(tzinfo=None), settle_on=MONDAY)


def test_institutions_and_customers_get_their_own_message() -> None:
    customers, institutions = plan_messages(ORDERS, BOOK)
    assert (customers.kind, customers.orders) == (Transfer.PACS_008, (BUS, LOAD))
    assert (institutions.kind, institutions.orders) == (Transfer.PACS_009, (FEE,))
    raw = written(customers)
    assert texts(raw, "IntrBkSttlmAmt") == ["1234.56", "9000.00"]
    assert (texts(raw, "CtrlSum"), texts(raw, "NbOfTxs")) == (["10234.56"], ["2"])
    assert texts(raw, "EndToEndId") == [BUS.reference, LOAD.reference]
    assert texts(raw, "Nm") == [
        "发卡机构：客户备付金",
        "巴士集团 & 子公司",
        "充值代理点",
        "发卡机构：客户备付金",
    ]
    assert texts(raw, "Ustrd")[0] == "JINKA 2018-09-01 CYCLE 1 OPERATOR PAYABLE"
    assert texts(written(institutions), "IBAN") == ["DE89370400440532013000"]


def test_the_same_orders_are_the_same_bytes_in_any_sequence() -> None:
    ahead = [written(message) for message in plan_messages(ORDERS, BOOK)]
    assert [written(message) for message in plan_messages(ORDERS[::-1], BOOK)] == ahead
    other = plan_messages([replace(BUS, amount=123_457), FEE, LOAD], BOOK)
    assert other[0].id != plan_messages(ORDERS, BOOK)[0].id


def test_a_uetr_is_a_version_4_uuid_that_follows_from_the_order() -> None:
    found = uuid.UUID(uetr(BUS.reference))
    assert (found.version, found.variant) == (4, uuid.RFC_4122)
    assert uetr(BUS.reference) == str(found) != uetr(FEE.reference)


def test_many_orders_are_split_and_none_is_lost() -> None:
    orders = [order(number, FLOAT, "op.bus", number) for number in range(1, 8)]
    messages = plan_messages(orders, BOOK, most=3)
    assert [len(message.orders) for message in messages] == [3, 3, 1]
    assert sum(message.total for message in messages) == sum(order.amount for order in orders)
    assert len({message.id for message in messages}) == 3


@given(st.from_regex(r"[A-Z]{2}[0-9]{14}", fullmatch=True))
def test_iban_check_digits_as_python_stdnum_sees_them(text: str) -> None:
    right = text[:2] + iban.calc_check_digits(text) + text[4:]
    check_iban(right, where="iban")
    wrong = right[:2] + f"{(int(right[2:4]) + 1) % 97:02d}" + right[4:]
    with pytest.raises(Usage):
        check_iban(wrong, where="iban")


SCHEMAS = DATA / "iso20022"
needs_schemas = pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason="shared data folder absent: iso20022 is not at JINKA_DATA"
)


@pytest.mark.data
@needs_schemas
@pytest.mark.parametrize(
    "book",
    [
        BOOK,
        replace(BOOK, charset=Charset.X, method=Method.INGA, receiver=ICBC),
        replace(BOOK, currency="JPY", system="CNAPS-BEPS"),
        replace(BOOK, currency="KWD"),
    ],
)
def test_the_published_schemas_accept_what_is_written(book: PaymentBook) -> None:
    large: SettlementOrder = order(99, FLOAT, "op.bus", 10**15 - 1)
    for message in plan_messages([*ORDERS, large], book):
        schema = etree.XMLSchema(etree.parse(SCHEMAS / f"{message.kind.message_name}.xsd"))
        document = etree.fromstring(written(message, book))
        schema.assertValid(document)
        amount = next(document.iter("{*}CdtTrfTxInf"))
        amount.remove(amount[0])
        assert not schema.validate(document)  # the schema does look at it
