"""The ground floor: money, dates, ids, findings, errors, and the clock and randomness protocols.

Nothing here does I/O, reads a clock or draws a random number; whoever calls passes them in.
"""

from jinka.kit.dates import (
    BEIJING,
    FIRST_DATE,
    LAST_DATE,
    bcd_date,
    bcd_time,
    local_datetime,
    parse_date,
    utc_micros,
)
from jinka.kit.errors import Fault, JinkaError, NotFound, Refused, Usage
from jinka.kit.findings import Finding, Severity
from jinka.kit.ids import make_id
from jinka.kit.money import MAX_MINOR, Unit, apportion, check_minor, format_minor
from jinka.kit.ports import Clock, Randomness

__all__ = [
    "BEIJING",
    "FIRST_DATE",
    "LAST_DATE",
    "MAX_MINOR",
    "Clock",
    "Fault",
    "Finding",
    "JinkaError",
    "NotFound",
    "Randomness",
    "Refused",
    "Severity",
    "Unit",
    "Usage",
    "apportion",
    "bcd_date",
    "bcd_time",
    "check_minor",
    "format_minor",
    "local_datetime",
    "make_id",
    "parse_date",
    "utc_micros",
]
