"""Processing restrictions, terminal risk management, terminal action analysis (EMV Book 3, 10.4, 10.6, 10.7)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from jinka.codec.emv_tags import Tag
from jinka.terminal.emv_data import Aip, Run, Tsi, Tvr
from jinka.terminal.emv_selection import send

_ALL_ONES = 0xFFFFFFFFFF
_CASH, _GOODS, _CASHBACK = 0x01, 0x00, 0x09  # transaction types, 9C


class Request(IntEnum):
    """What GENERATE AC asks for: P1's top bits."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


def _usage_refused(run: Run) -> bool:
    """9F07 against where and what this is; a card without it, or without a country, allows everything."""
    usage, country = run.values.get(Tag.USAGE), run.values.get(Tag.COUNTRY_ISSUER)
    if usage is None or len(usage) != 2:
        return False
    if not usage[0] & (0x02 if run.device.atm else 0x01):
        return True
    if country is None:
        return False
    abroad = country != run.device.country
    if run.sale.type == _CASH:
        return not usage[0] & (0x40 if abroad else 0x80)
    if run.sale.type == _CASHBACK and not usage[1] & (0x40 if abroad else 0x80):
        return True
    return not usage[0] & (0x14 if abroad else 0x28)


def _version_differs(run: Run) -> bool:
    return run.values.get(Tag.VERSION_CARD, run.application.version) != run.application.version


RESTRICTIONS: tuple[tuple[str, Callable[[Run], bool], Tvr], ...] = (
    ("application versions differ", _version_differs, Tvr.VERSIONS_DIFFER),
    ("usage control", _usage_refused, Tvr.SERVICE_NOT_ALLOWED),
    (
        "not yet effective",
        lambda run: run.values.get(Tag.EFFECTIVE, b"") > run.values[Tag.DATE],
        Tvr.NOT_YET_EFFECTIVE,
    ),
    ("expired", lambda run: run.values[Tag.EXPIRY] < run.values[Tag.DATE], Tvr.EXPIRED),
)


def restrict(run: Run) -> None:
    """Set the bits of the restrictions that hold."""
    for _, holds, bit in RESTRICTIONS:
        if holds(run):
            run.mark(bit)


def manage_risk(run: Run) -> None:
    """Exception file, floor limit, random selection, velocity; only when the card asks for it."""
    if run.pan in run.device.exceptions:
        run.mark(Tvr.ON_EXCEPTION_FILE)
    if run.sale.forced_online:
        run.mark(Tvr.FORCED_ONLINE)
    if not run.aip(Aip.RISK):
        return
    run.tsi |= Tsi.TERMINAL_RISK
    if run.cash:  # paid with the cryptogram: no floor, no lot, no count
        return
    application, fen = run.application, run.sale.amount_fen
    if fen >= application.floor_limit_fen:
        run.mark(Tvr.FLOOR_LIMIT)
    elif selected_randomly(
        fen,
        floor=application.floor_limit_fen,
        threshold=application.random_threshold_fen,
        target=application.target_percent,
        most=application.target_percent_max,
        number=int.from_bytes(run.randomness.token_bytes(4), "big") % 99 + 1,
    ):
        run.mark(Tvr.RANDOM)
    _check_velocity(run)


def selected_randomly(fen: int, *, floor: int, threshold: int, target: int, most: int, number: int) -> bool:
    """Whether a transaction below the floor limit goes online; ``number`` is 1 to 99 (Book 3, 10.6.2).

    From the threshold on the target rises evenly to ``most`` at the floor limit.
    """
    if fen < threshold:
        return number <= target
    if floor <= threshold:
        return number <= most
    return number <= target + (most - target) * (fen - threshold) // (floor - threshold)


def _check_velocity(run: Run) -> None:
    """Consecutive offline transactions against 9F14 and 9F23, when the card has both."""
    lower, upper = run.values.get(Tag.OFFLINE_LOWER), run.values.get(Tag.OFFLINE_UPPER)
    if not lower or not upper:
        return
    counter, last = _data_object(run, Tag.COUNTER), _data_object(run, Tag.LAST_ONLINE)
    if counter is None or last is None or counter <= last:
        run.mark(Tvr.LOWER_LIMIT | Tvr.UPPER_LIMIT)
    else:
        if counter - last > lower[0]:
            run.mark(Tvr.LOWER_LIMIT)
        if counter - last > upper[0]:
            run.mark(Tvr.UPPER_LIMIT)
    if last == 0:
        run.mark(Tvr.NEW_CARD)


def offered_cash(run: Run) -> bool:
    """Whether the card offers to pay from its electronic cash: it showed the code that only such a purchase reads.

    Nobody signs that code. Who slips it in makes the terminal leave out its floor limit, up to the limit for electronic
    cash and no further; the card still decides by its own limits, and authentication and denial codes hold.
    """
    code = run.values.get(Tag.ECASH_CODE, b"")
    return run.values.get(Tag.ECASH_TERMINAL) == b"\x01" and len(code) == 6


def wants_load(run: Run) -> bool:
    """Whether the purchase would leave less than the threshold 9F6D, or the card does not tell (JR/T 0025.13)."""
    balance, threshold = _amount_object(run, Tag.ECASH_BALANCE), _amount_object(run, Tag.RESET_THRESHOLD)
    return balance is None or threshold is None or balance - run.sale.amount_fen < threshold


def _amount_object(run: Run, tag: Tag) -> int | None:
    response = send(run.link, b"\x80\xca" + tag.to_bytes(2, "big") + b"\x00")
    head, text = tag.to_bytes(2, "big") + b"\x06", response.data[3:].hex()
    if response.sw != 0x9000 or response.data[:3] != head or len(response.data) != 9 or not text.isdigit():
        return None
    return int(text)


def _data_object(run: Run, tag: Tag) -> int | None:
    response = send(run.link, b"\x80\xca" + tag.to_bytes(2, "big") + b"\x00")
    if (
        response.sw != 0x9000
        or response.data[:3] != tag.to_bytes(2, "big") + b"\x02"
        or len(response.data) != 5
    ):
        return None
    return int.from_bytes(response.data[3:], "big")


def analyse(run: Run) -> Request:
    """The terminal's wish, from the TVR and the two sides' action codes."""
    application, tvr = run.application, int(run.tvr)
    if tvr & (_code(run, Tag.IAC_DENIAL, 0) | application.tac_denial):
        return Request.AAC
    if run.cash and run.device.online and wants_load(run):
        return Request.ARQC
    if run.device.online:
        online = _code(run, Tag.IAC_ONLINE, _ALL_ONES) | application.tac_online
        return Request.ARQC if tvr & online else Request.TC
    return analyse_offline(run)


def analyse_offline(run: Run) -> Request:
    """The wish when nobody can be asked: the default action codes."""
    default = _code(run, Tag.IAC_DEFAULT, _ALL_ONES) | run.application.tac_default
    return Request.AAC if int(run.tvr) & default else Request.TC


def _code(run: Run, tag: Tag, missing: int) -> int:
    raw = run.values.get(tag)
    return missing if raw is None or len(raw) != 5 else int.from_bytes(raw, "big")
