"""A date that an officer names must have come: a deadline or waiting period of tomorrow takes no right away today.

Offices act by the business dates that they are told, so that a past day can be worked up later; the clock is asked for
this alone. One day is let through, for zones. What was done in the past under an earlier date is seen in the audit
logs, whose times are the clock's.
"""

from __future__ import annotations

import datetime as dt

from jinka.kit import Clock, Refused
from jinka.node.system import SystemClock

_ZONES = dt.timedelta(days=1)


def require_reached(on: dt.date, clock: Clock | None = None) -> None:
    """Raise `Refused` for a date that lies in the future."""
    now = dt.datetime.fromtimestamp((clock or SystemClock()).now_micros() // 1_000_000, dt.UTC).date()
    if on > now + _ZONES:
        raise Refused(f"{on} has not come", where="on", fix="act on the day, or set the clock")


__all__ = ["require_reached"]
