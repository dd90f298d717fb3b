"""Credit records: two entries about a person, one of them disputed and put right, the other confirmed.

征信业管理条例 (国务院令第631号), Art. 13, 15, 17, 25.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import Agree, CreditReport, Dispute, Journey, Keep, ReportCredit, Tell, Withdraw

_BUREAU = "credit-bureau"
CREDIT = Journey(
    name="credit", title_en="A credit entry is disputed", title_zh="征信异议", date=dt.date(2026, 3, 19),
    steps=(
        Keep("qian", "person", "public-security", {"identity_number": "440301198506124213", "name": "钱芳"},
             at="09:00"),
        ReportCredit("card", "qian", "bank", "信用卡逾期", 350_000, since="2026-01-05"),
        ReportCredit("loan", "qian", "bank", "贷款逾期", 80_000, since="2025-06-05", ended="2025-07-05"),
        CreditReport("qian", {}, department="bank", refused="NO_GROUND"),
        Agree("qian", "bank", "loan-review", ("entries",), kind="credit", separate=True),
        CreditReport("qian", {"card": False, "loan": False}, department="bank"),
        CreditReport("qian", {"card": False, "loan": False}),
        Dispute("card", "qian", "file", "当日已还款"),
        Dispute("card", "qian", "file", "当日已还款", refused="REFUSED"),
        CreditReport("qian", {"card": True, "loan": False}, department="bank"),
        Tell("Only the bureau decides, and it calls nothing corrected that stands as it was.",
             "异议由征信机构核查；信息未更正前不得结案为已更正。"),
        Dispute("card", "qian", "correct", "还款入账延迟", by="bank", refused="REFUSED"),
        Dispute("card", "qian", "correct", "还款入账延迟", by=_BUREAU, refused="REFUSED"),
        ReportCredit("card put right", "qian", "bank", "按期还款", 0, since="2026-01-05", sign="good", replaces="card"),
        Dispute("card", "qian", "correct", "还款入账延迟", by=_BUREAU),
        Dispute("loan", "qian", "file", "未逾期"),
        Dispute("loan", "qian", "confirm", "扣款记录无误", by=_BUREAU),
        Dispute("loan", "qian", "complain", "不认可核查结果"),
        CreditReport("qian", {"card put right": False, "loan": True}),
        Dispute("loan", "qian", "dismiss", "核查属实", by="supervision", at="+5 09:00"),
        CreditReport("qian", {"card put right": False, "loan": False}, department="bank"),
        CreditReport("qian", {"card put right": False, "loan": False}, fee=True),
        Withdraw("qian", "bank"),
        CreditReport("qian", {}, department="bank", refused="WITHDRAWN"),
    ),
)  # fmt: skip
