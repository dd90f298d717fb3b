"""One small day of orders with invented bank details, for the tests of ISO 20022."""

from __future__ import annotations

from jinka.settlement import AccountCode, SettlementOrder
from jinka.settlement.iso20022 import Agent, Party, PaymentBook

FLOAT = "issuer.float"
ICBC = Agent(bic="JNKACNB0", member="102100099996")
CCB = Agent(member="105584000005")
PARTIES = {
    party.code: party
    for party in (
        Party(code=FLOAT, name_en="Card Issuer: customer funds", name_zh="发卡机构：客户备付金", agent=ICBC,
              account="4000020100000001", institution=True),
        Party(code="op.bus", name_en="Bus Group", name_zh="巴士集团 & 子公司", agent=CCB, account="4420150110000002"),
        Party(code="acq", name_en="City Acquirer", name_zh="城市收单机构", agent=Agent(bic="JNKADEF0"),
              iban="DE89370400440532013000", institution=True),
        Party(code="agent", name_en="Load Agent", name_zh="充值代理点", agent=CCB, account="4420150110000003"),
    )
}  # fmt: skip
BOOK = PaymentBook(parties=PARTIES, sender=ICBC)


def order(number: int, debtor: str, creditor: str, amount: int, **more: object) -> SettlementOrder:
    fields = {
        "reference": f"{number:032x}", "business_date": "2018-09-01", "cycle": 1, "debtor": debtor,
        "creditor": creditor, "amount": amount, "unit": "fen", "account": AccountCode.OPERATOR_PAYABLE,
    }  # fmt: skip
    return SettlementOrder(**fields | more)  # type: ignore[arg-type]


BUS = order(0xB05, FLOAT, "op.bus", 123_456)
FEE = order(0xFEE, FLOAT, "acq", 5, account=AccountCode.FEE_PAYABLE)
LOAD = order(0x10AD, "agent", FLOAT, 900_000, account=AccountCode.LOAD_RECEIVABLE)
ORDERS = (BUS, FEE, LOAD)
