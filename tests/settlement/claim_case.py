"""Claims in few words, for the tests of caps and windows."""

from __future__ import annotations

import datetime as dt

from jinka.kit import make_id
from jinka.settlement import AccountCode, AccountName, BusinessDay, Claim, TransferCode

DAY = BusinessDay(date=dt.date(2026, 11, 20), zone="Asia/Shanghai")


def claim(number: int, payer: str, payee: str, amount: int) -> Claim:
    """A claim whose id follows from its number."""
    return Claim(
        id=make_id("test.claim", number),
        number=number,
        debit=AccountName(code=AccountCode.OPERATOR_PAYABLE, owner=payer),
        credit=AccountName(code=AccountCode.OPERATOR_PAYABLE, owner=payee),
        amount=amount,
        code=TransferCode.CHARGE,
        at_micros=DAY.micros,
    )
