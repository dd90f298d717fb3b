"""The magnetic stripe beside the chip: track 2, service code, and when a swipe may stand for a chip that failed.

ISO/IEC 7813 (track 2, service code), ISO/IEC 7812-1 annex B (check digit), EMV Book 4 (a chip card in a stripe reader),
JR/T 0025.6. Decisions are one table; the first rule that holds decides, and its reason is recorded. Authorising the
swipe, which is always online or refused, is the acquirer's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from jinka.kit import Fault, JinkaError
from jinka.registry.check_digits import luhn_digit

_DIGITS_MAX = 19
_TRACK_MAX = 40
_CHIP_CODES, _TEST_CODE, _PRIVATE = frozenset("26"), "9", "7"
_KNOWN_FIRST, _KNOWN_SECOND, _KNOWN_THIRD = frozenset("125679"), frozenset("024"), frozenset("01234567")
_PIN_WANTED = frozenset("035")
_PIN_WHERE_POSSIBLE = frozenset("67")
_NO_GOODS = frozenset("34")  # cash only
_ATM_ONLY = "3"


class TrackError(JinkaError):
    """The bytes are no track 2; the number is never part of the message."""

    fault = Fault.PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class Track2:
    """What a track says. ``expiry`` is YYMM; its repr masks the number."""

    pan: str = field(repr=False)
    expiry: str
    service_code: str
    discretionary: str = field(default="", repr=False)

    @property
    def masked(self) -> str:
        """First six and last four digits."""
        return self.pan[:6] + "*" * (len(self.pan) - 10) + self.pan[-4:]

    @property
    def has_chip(self) -> bool:
        """Whether the service code says that the card carries a chip."""
        return self.service_code[0] in _CHIP_CODES

    def expired(self, today: dt.date) -> bool:
        """Whether the month of expiry has passed."""
        return (2000 + int(self.expiry[:2]), int(self.expiry[2:])) < (today.year, today.month)


def parse_track2(text: str) -> Track2:
    """Read ``;number=YYMMSSS...?`` with or without its sentinels and check character; D counts as the separator."""
    if len(text) > _TRACK_MAX:
        raise TrackError("longer than a track", where="track 2", fix="swipe again")
    body = text.removeprefix(";").split("?")[0].replace("D", "=").rstrip("F")
    number, separator, rest = body.partition("=")
    decimal = number.isascii() and number.isdigit() and rest.isascii() and rest.isdigit()
    if not separator or not decimal:
        raise TrackError("not a number, a separator and digits", where="track 2", fix="swipe again")
    if not 12 <= len(number) <= _DIGITS_MAX or len(rest) < 7 or not luhn_ok(number):
        raise TrackError("lengths or check digit", where="track 2", fix="swipe again")
    expiry, code = rest[:4], rest[4:7]
    if not 1 <= int(expiry[2:]) <= 12:
        raise TrackError("no such month", where="track 2", fix="swipe again")
    if code[0] not in _KNOWN_FIRST or code[1] not in _KNOWN_SECOND or code[2] not in _KNOWN_THIRD:
        raise TrackError("no such service code", where="track 2", fix="use another card")
    return Track2(pan=number, expiry=expiry, service_code=code, discretionary=rest[7:])


def track2_of_chip(value: bytes) -> Track2:
    """The track 2 equivalent data of a chip, tag 57."""
    return parse_track2(value.hex().upper())


def luhn_ok(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return luhn_digit(number[:-1]) == number[-1]


class Chip(Enum):
    """What became of the chip before the swipe."""

    NOT_TRIED = "not tried"
    FAILED = "failed"  # no answer to reset, or it broke off before it said what it is
    NO_APPLICATION = "no application"
    REFUSED = "refused"  # it answered: declined, blocked, or ended by a rule


class StripeVerdict(Enum):
    """What the terminal does with the swipe."""

    ACCEPT = "accept"
    USE_CHIP = "use chip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swipe:
    """One swipe with its circumstances."""

    track: Track2
    today: dt.date
    chip: Chip = Chip.NOT_TRIED
    chip_reader: bool = True
    fallback_allowed: bool = True
    online: bool = True
    atm: bool = False
    cash: bool = False
    pin_pad: bool = True
    test_terminal: bool = False
    private_agreed: bool = False  # the card's issuer and this acquirer have an agreement of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict, its one reason, and how the entry is recorded: 90 a stripe, 80 a stripe in place of a chip."""

    verdict: StripeVerdict
    reason: str
    entry_mode: str = ""
    pin_wanted: bool = False


Rule = tuple[str, Callable[[Swipe], bool], StripeVerdict, str]
# In this order; the first that holds decides.
RULES: tuple[Rule, ...] = (
    ("expired", lambda s: s.track.expired(s.today), StripeVerdict.REFUSE, ""),
    (
        "test card",
        lambda s: (s.track.service_code[0] == _TEST_CODE) != s.test_terminal,
        StripeVerdict.REFUSE,
        "",
    ),
    (
        "private card, no agreement",
        lambda s: s.track.service_code[0] == _PRIVATE and not s.private_agreed,
        StripeVerdict.REFUSE,
        "",
    ),
    (
        "cash only",
        lambda s: s.track.service_code[2] in _NO_GOODS and not s.cash,
        StripeVerdict.REFUSE,
        "",
    ),
    (
        "teller machines only",
        lambda s: s.track.service_code[2] == _ATM_ONLY and not s.atm,
        StripeVerdict.REFUSE,
        "",
    ),
    ("no cash", lambda s: s.track.service_code[2] in "257" and s.cash, StripeVerdict.REFUSE, ""),
    (
        "PIN wanted, no PIN pad",
        lambda s: s.track.service_code[2] in _PIN_WANTED and not s.pin_pad,
        StripeVerdict.REFUSE,
        "",
    ),
    ("the chip said no", lambda s: s.chip is Chip.REFUSED, StripeVerdict.REFUSE, ""),
    (
        "chip card: insert it",
        lambda s: s.track.has_chip and s.chip_reader and s.chip is Chip.NOT_TRIED,
        StripeVerdict.USE_CHIP,
        "",
    ),
    ("a stripe is never paid offline", lambda s: not s.online, StripeVerdict.REFUSE, ""),
    (
        "fallback not allowed here",
        lambda s: s.track.has_chip and s.chip_reader and not s.fallback_allowed,
        StripeVerdict.REFUSE,
        "",
    ),
    (
        "chip failed: stripe instead",
        lambda s: s.track.has_chip and s.chip_reader and s.chip is Chip.FAILED,
        StripeVerdict.ACCEPT,
        "80",
    ),
    (
        "chip without our applications: stripe instead",
        lambda s: s.track.has_chip and s.chip_reader and s.chip is Chip.NO_APPLICATION,
        StripeVerdict.ACCEPT,
        "80",
    ),
    ("chip card, no chip reader", lambda s: s.track.has_chip, StripeVerdict.ACCEPT, "90"),
    ("stripe card", lambda _: True, StripeVerdict.ACCEPT, "90"),
)


def decide(swipe: Swipe) -> Decision:
    """What to do with a swipe, by the rules."""
    reason, _, verdict, mode = next(rule for rule in RULES if rule[1](swipe))
    third = swipe.track.service_code[2]
    pin = third in _PIN_WANTED or (third in _PIN_WHERE_POSSIBLE and swipe.pin_pad)
    return Decision(
        verdict=verdict, reason=reason, entry_mode=mode, pin_wanted=pin and verdict is StripeVerdict.ACCEPT
    )
