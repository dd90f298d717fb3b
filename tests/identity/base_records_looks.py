"""Looks at base records, as tests ask for them."""

from __future__ import annotations

import datetime as dt

from jinka.identity.base_records import Catalogue, Look
from jinka.sectors.state_records import PART

NOW = 1_780_000_000_000_000
TODAY = dt.date(2026, 6, 1)
KNOWN = Catalogue([PART])


def ask(department: str = "bank", purpose: str = "loan-review", *fields: str, **more: object) -> Look:
    values: dict[str, object] = {"kind": "person", "officer": "zhao-liu"} | more
    return Look(department=department, purpose=purpose, fields=fields or ("name",), **values)  # type: ignore[arg-type]
