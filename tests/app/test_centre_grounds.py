"""What claims may rest on, by the functions that ask: verdicts and silence that passed here, once, and no more.

Method: the files of rounds are written by hand, one claim is moved by one minor unit, and each side of the bound is
asked for. What whole federations make of liars is in `test_centre_founded`.
"""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jinka.app.centre_claims import hold_claims, require_silence
from jinka.app.centre_files import ArrivedFiles, RoundFiles
from jinka.app.centre_founded import hold_unfounded, require_bounds, require_dates, require_grounds
from jinka.clearing import LineKind
from jinka.clearing.fees import FeeLine, FeeParty, FeeSchedule
from jinka.clearing.routing import CLAIMS
from jinka.clearing.tiers import Neighbour, Surroundings, Tier
from jinka.clearing.verdicts import CROSSING, DEEMED, VERDICTS
from jinka.codec.parcel import Kind
from jinka.kit import MAX_MINOR, Refused
from jinka.sim.travel import SCHEME
from tests.app.centre_rig import DATE, NEXT

OPERATOR = "op.liar"


def _claim(
    kind: LineKind, payer: str, amount: int, *, centre: str = "a", payee: str = OPERATOR, far: str = ""
):
    return {
        "centre": centre, "round": DATE.toordinal(), "kind": kind.value, "payer": payer, "payee": payee,
        "far": far or payer, "amount": amount,
    }  # fmt: skip


AROUND = Surroundings(
    tier=Tier.NATION,
    code="00",
    participants=frozenset({SCHEME}),
    children={
        "44": Neighbour(code="44", centres=frozenset({"44", "a"}), participants=frozenset({"i"})),
        "32": Neighbour(code="32", centres=frozenset({"32", "b"}), participants=frozenset({"j", "b", "k"})),
    },
)


PROVINCE = Surroundings(
    tier=Tier.PROVINCE,
    code="44",
    parent="00",
    children={
        "a": Neighbour(code="a", centres=frozenset({"a"}), participants=frozenset({"i"})),
        "b": Neighbour(code="b", centres=frozenset({"b"}), participants=frozenset({"b"})),
    },
)


def _round(folder: Path, date: dt.date, *verdicts: tuple[int, int, bool]) -> None:
    rows = [
        {
            "centre": "a", "ref": ref, "issuer": "i", "txn_type": 6, "amount": amount, "reason": "ACCEPTED",
            "findings": "", "at_risk": risk, "holder": None,
        }
        for ref, amount, risk in verdicts
    ]  # fmt: skip
    RoundFiles(folder, date).write("up-verdicts-verdicts", pa.Table.from_pylist(rows, schema=VERDICTS))


def _held(folder: Path, date: dt.date, *rows: dict[str, Any], fees: FeeSchedule | None = None) -> list[Any]:
    claims = pa.Table.from_pylist(list(rows), schema=CLAIMS)
    found = hold_unfounded(folder, date, claims, AROUND, issuer="", fees=fees)
    return [(each.kind, each.issuer, each.amount) for each in [*found.home, *found.passing]]


def test_sums_run_over_the_rounds_and_a_verdict_counts_once(tmp_path: Path) -> None:
    """A claim may come after its verdict, not before, and what was held once is not held again."""
    next_, third = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=2)
    risk = _claim(LineKind.RISK, SCHEME, 300, centre="a")
    _round(tmp_path, DATE, (1, 200, True), (1, 200, True), (2, 500, False))
    assert _held(tmp_path, DATE, _claim(LineKind.CHARGE, "i", 500, centre="a")) == []
    _round(tmp_path, next_)
    assert _held(tmp_path, next_, risk) == [(LineKind.RISK, SCHEME, 100)]
    _round(tmp_path, third, (3, 300, True))
    assert _held(tmp_path, third, risk) == []


def test_a_day_that_is_heard_of_when_later_ones_are_in_the_books_has_grounds_of_its_own(
    tmp_path: Path,
) -> None:
    """Its verdicts count for its claims, and for those that come after it, once, however often the round is done."""
    third = DATE + dt.timedelta(days=2)
    claim = _claim(LineKind.CHARGE, "i", 500, centre="a")
    for date in (DATE, third):
        _round(tmp_path, date, (1, 500, False))
        for _ in range(2):
            assert _held(tmp_path, date, claim) == []
    skipped = DATE + dt.timedelta(days=1)
    _round(tmp_path, skipped, (2, 700, False))
    claims = pa.Table.from_pylist([claim | {"amount": 700}], schema=CLAIMS)
    require_grounds(tmp_path, AROUND, "44", skipped, claims, DEEMED.empty_table(), where="p")
    with pytest.raises(Refused, match="1700 were accepted"):
        more = pa.Table.from_pylist([claim | {"amount": 701}], schema=CLAIMS)
        require_grounds(tmp_path, AROUND, "44", skipped, more, DEEMED.empty_table(), where="p")
    for _ in range(2):
        assert _held(tmp_path, skipped, claim | {"amount": 600}) == []
    _round(tmp_path, last := DATE + dt.timedelta(days=3))
    assert _held(tmp_path, last, claim | {"amount": 101}) == [(LineKind.CHARGE, "i", 1)]


def test_a_price_list_bounds_what_others_than_operators_pay(tmp_path: Path) -> None:
    """One per cent of 1,000 and one minor unit of rounding for each record; where there is no list, nothing."""
    line = FeeLine(
        code="x", title_en="X", title_zh="X", payers={FeeParty.SCHEME: 1}, payees={FeeParty.ACQUIRER: 1},
        bands=((None, 10_000),),
    )  # fmt: skip
    fees = FeeSchedule(scheme=SCHEME, lines=(line,))
    claim = _claim(LineKind.INTERCHANGE, SCHEME, 12, centre="a")
    for folder, list_, held in ((tmp_path / "list", fees, 1), (tmp_path / "none", None, 12)):
        _round(folder, DATE, (1, 1000, False))
        assert _held(folder, DATE, claim, fees=list_) == [(LineKind.INTERCHANGE, SCHEME, held)]


def test_the_grounds_run_over_the_rounds_settled_or_not_and_with_silence(tmp_path: Path) -> None:
    """What was accepted is claimed once, whether the round between is in the books yet or not."""
    next_, third = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=2)

    def ask(date: dt.date, amount: int, silent: int = 0) -> None:
        claims = pa.Table.from_pylist([_claim(LineKind.CHARGE, "j", amount, centre="a")], schema=CLAIMS)
        table = _silence(*([(9, silent)] if silent else []))
        require_grounds(tmp_path, AROUND, "44", date, claims, table, where="p")

    _passed(tmp_path, DATE, (9, 30, b"tac4"), (10, 40, None), (11, 50, b"tac"))

    rows = [
        {
            "centre": "a", "ref": 1, "issuer": "j", "txn_type": 6, "amount": 500, "reason": "ACCEPTED",
            "findings": "", "at_risk": False, "holder": None,
        }
    ]  # fmt: skip
    RoundFiles(tmp_path, DATE).write("up-verdicts-verdicts", pa.Table.from_pylist(rows, schema=VERDICTS))
    ask(DATE, 500)
    with pytest.raises(Refused, match="500 were accepted"):
        ask(DATE, 501)
    claims = pa.Table.from_pylist([_claim(LineKind.CHARGE, "j", 400, centre="a")], schema=CLAIMS)
    files = {"claims": claims, "deemed": DEEMED.empty_table()}
    ArrivedFiles(tmp_path).keep("44", Kind.POSITIONS, DATE, files)
    for _ in range(2):
        ask(next_, 100)
        with pytest.raises(Refused):
            ask(next_, 101)
        ask(next_, 130, silent=30)
        with pytest.raises(Refused):
            ask(next_, 131, silent=31)  # another amount than the record's
        hold_unfounded(tmp_path, DATE, claims, AROUND, issuer="", fees=None)  # now it is in the books
    RoundFiles(tmp_path, next_).note("up-records", {})
    with pytest.raises(Refused):
        ask(third, 101)
    require_grounds(tmp_path, AROUND, "00", third, claims, DEEMED.empty_table(), where="the parent's word")


def _passed(folder: Path, date: dt.date, *records: tuple[int, int, bytes | None], txn_type: int = 6) -> None:
    """Records of issuer ``j`` that ``a`` sent through this centre."""
    blank = {pa.string(): "", pa.date32(): date}
    row = {
        field.name: None if field.nullable else blank.get(field.type, bytes(16) if "binary" in str(field.type) else 0)
        for field in CROSSING
    } | {"centre": "a", "issuer": "j", "txn_type": txn_type}  # fmt: skip
    sized = {field.name: bytes(field.type.byte_width) for field in CROSSING if "fixed" in str(field.type)}
    rows = [row | sized | {"ref": ref, "amount": amount, "tac": tac} for ref, amount, tac in records]
    table = pa.Table.from_pylist(rows, schema=CROSSING)
    RoundFiles(folder, date).write("up-records-records", table)
    RoundFiles(folder, date).note("heard-records", {"44": [date.isoformat()]})
    ArrivedFiles(folder).keep("44", Kind.RECORDS, date, {"records": table})


def _silence(*records: tuple[int, int]) -> pa.Table:
    rows = [{"centre": "a", "ref": ref, "issuer": "j", "amount": amount} for ref, amount in records]
    return pa.Table.from_pylist(rows, schema=DEEMED)


@pytest.mark.parametrize("tac", [None, b"", b"tac", b"five5"])
def test_silence_proves_nothing_of_a_record_without_a_whole_tac(tac: bytes | None, tmp_path: Path) -> None:
    """A torn tap is never answered, so its centre would be paid by waiting: no centre on the way counts it."""
    later, told = DATE + dt.timedelta(days=3), _silence((1, 500))
    claim = _claim(LineKind.CHARGE, "j", 500, centre="a")
    claims = pa.Table.from_pylist([claim], schema=CLAIMS)
    for folder, found, good in ((tmp_path / "torn", tac, False), (tmp_path / "whole", b"tac4", True)):
        _passed(folder, DATE, (1, 500, found))
        asked = partial(require_silence, folder, AROUND, "44", later, told, where="p")
        grounds = partial(require_grounds, folder, AROUND, "44", later, claims, told, where="p")
        for check in (asked, grounds):
            with nullcontext() if good else pytest.raises(Refused):
                check()
        RoundFiles(folder, later).write("up-positions-deemed", told)
        assert _held(folder, later, claim) == ([] if good else [(LineKind.CHARGE, "j", 500)])
        assert _city_holds(folder, tmp_path / folder.name / "city", later, told, claims) == (
            0 if good else 500
        )


def _city_holds(above: Path, folder: Path, date: dt.date, told: pa.Table, claims: pa.Table) -> int:
    """What the cards' own centre holds of claims on what its parent says there was silence."""
    arrived = ArrivedFiles(folder)
    arrived.keep(
        "44", Kind.RECORDS, DATE, {"records": RoundFiles(above, DATE).read("up-records-records", CROSSING)}
    )
    arrived.keep("44", Kind.POSITIONS, date, {"deemed": told})
    RoundFiles(folder, date).note("intake", {})
    return sum(each.amount for each in hold_claims(folder, date, claims, issuer="j", parent="44").excess)


def test_one_silence_counts_once(tmp_path: Path) -> None:
    """Not for each row that names it, not in each round, and not once more for the yes that comes afterwards."""
    first, second = DATE + dt.timedelta(days=3), DATE + dt.timedelta(days=4)
    _passed(tmp_path, DATE, (1, 500, b"tac4"))
    twice = _silence((1, 500), (1, 500))
    with pytest.raises(Refused, match="2 times on a 1"):
        require_silence(tmp_path, AROUND, "44", first, twice, where="p")

    def ask(date: dt.date, amount: int, told: pa.Table) -> None:
        claims = pa.Table.from_pylist([_claim(LineKind.CHARGE, "j", amount, centre="a")], schema=CLAIMS)
        require_grounds(tmp_path, AROUND, "44", date, claims, told, where="p")

    with pytest.raises(Refused, match="500 were accepted"):
        ask(first, 501, twice)
    ask(first, 500, twice)
    claim = _claim(LineKind.CHARGE, "j", 500, centre="a")
    RoundFiles(tmp_path, first).write("up-positions-deemed", twice)
    for _ in range(2):
        assert _held(tmp_path, first, claim) == []
    with pytest.raises(Refused):
        ask(second, 1, _silence((1, 500)))
    row = {
        "centre": "a", "ref": 1, "issuer": "j", "txn_type": 6, "amount": 500, "reason": "ACCEPTED",
        "findings": "", "at_risk": False, "holder": None,
    }  # fmt: skip
    RoundFiles(tmp_path, second).write("up-verdicts-verdicts", pa.Table.from_pylist([row], schema=VERDICTS))
    RoundFiles(tmp_path, second).write("up-positions-deemed", _silence((1, 500)))
    assert _held(tmp_path, second, claim | {"amount": 7}) == [(LineKind.CHARGE, "j", 7)]


def test_silence_of_a_parcel_that_waits_for_its_round_is_ground_for_its_own_claims(tmp_path: Path) -> None:
    """What a late round has not taken in yet must not be taken for an invention when the next parcel comes."""
    day, next_ = DATE + dt.timedelta(days=3), DATE + dt.timedelta(days=4)
    _passed(tmp_path, DATE, (1, 500, b"tac4"), (2, 60, b"tac4"))
    claims = pa.Table.from_pylist([_claim(LineKind.CHARGE, "j", 500, centre="a")], schema=CLAIMS)
    RoundFiles(tmp_path, day).note("up-records", {})
    ArrivedFiles(tmp_path).keep("44", Kind.POSITIONS, day, {"claims": claims, "deemed": _silence((1, 500))})
    for amount, good in ((60, True), (61, False)):
        more = pa.Table.from_pylist([_claim(LineKind.CHARGE, "j", amount, centre="a")], schema=CLAIMS)
        with nullcontext() if good else pytest.raises(Refused):
            require_grounds(tmp_path, AROUND, "44", next_, more, _silence((2, 60)), where="p")


def test_a_round_that_no_calendar_has_is_refused(tmp_path: Path) -> None:
    """Also where it comes from the parent, whom everything else is believed."""
    city = Surroundings(tier=Tier.CITY, code="b", parent="44", participants=frozenset({"i"}))
    claim = _claim(LineKind.CHARGE, "i", 1, centre="a") | {"round": 2**62}
    with pytest.raises(Refused, match="no such round"):
        require_bounds(tmp_path, city, "44", DATE, pa.Table.from_pylist([claim], schema=CLAIMS), where="p")
    require_dates(CROSSING.empty_table(), DATE, where="p")


@pytest.mark.parametrize(
    "rows",
    [
        [_claim(LineKind.FEE, "j", 5_000_000, centre="a")],
        [_claim(LineKind.FEE, SCHEME, 1, centre="a")],
        [_claim(LineKind.CHARGE, "j", MAX_MINOR, centre="a")],
        [_claim(LineKind.RISK, SCHEME, MAX_MINOR - 1, centre="a")],
        [_claim(LineKind.LOAD, OPERATOR, MAX_MINOR, centre="a", payee="j", far="j")],
        [_claim(LineKind.RISK, SCHEME, 10**13, centre="a")] * 3,
        [_claim(LineKind.CHARGE, "i", 1, centre="a")],
        [_claim(LineKind.RISK, "j", 10**9, centre="a")],
        [_claim(LineKind.RISK, "ghost", 1, centre="a")],
        [_claim(LineKind.FEE, OPERATOR, 1, centre="a", payee="j", far="j")] * 10_001,
        [_claim(LineKind.LOAD, OPERATOR, 1, centre="a", payee="ghost", far="ghost")],
    ],
    ids=[
        "fee",
        "scheme",
        "huge",
        "huge risk",
        "huge gift",
        "huge together",
        "of its own",
        "risk of an issuer",
        "risk of nobody",
        "flood",
        "gift to nobody",
    ],
)
def test_what_no_record_explains_is_refused(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """A centre that sent nothing takes nothing; what it gives is bounded too."""
    with pytest.raises(Refused):
        require_bounds(
            tmp_path, AROUND, "44", DATE, pa.Table.from_pylist(rows, schema=CLAIMS), where="parcel"
        )


def _verdict(ref: int, issuer: str, amount: int, *, centre: str = "a", txn_type: int = 6) -> dict[str, Any]:
    return {
        "centre": centre, "ref": ref, "issuer": issuer, "txn_type": txn_type, "amount": amount,
        "reason": "ACCEPTED", "findings": "", "at_risk": False, "holder": None,
    }  # fmt: skip


def _grounds(folder: Path, around: Surroundings, sender: str, *rows: dict[str, Any]) -> None:
    claims = pa.Table.from_pylist(list(rows), schema=CLAIMS)
    require_grounds(folder, around, sender, DATE, claims, DEEMED.empty_table(), where="p")


def test_risk_is_the_schemes_alone(tmp_path: Path) -> None:
    """At the nation its own party's; a province cannot know its name, but knows who issued cards."""
    risk = partial(_claim, LineKind.RISK, centre="a")
    for name, around, sender in (("nation", AROUND, "44"), ("province", PROVINCE, "a")):
        folder = tmp_path / name
        found = pa.Table.from_pylist([_verdict(1, "j", 500)], schema=VERDICTS)
        RoundFiles(folder, DATE).write("up-verdicts-verdicts", found)
        _grounds(folder, around, sender, risk(SCHEME, 900))
        for payer in ("j", "b"):
            with pytest.raises(Refused, match=r"\(risk\)"):
                _grounds(folder, around, sender, risk(payer, 1))
    _round(tmp_path, DATE, (1, 300, True))
    assert _held(tmp_path, DATE, risk("j", 100)) == [(LineKind.RISK, "j", 100)], (
        "also where parents were careless"
    )


def test_interchange_is_bounded_in_sum_whoever_is_to_pay(tmp_path: Path) -> None:
    """What was accepted is the ground of one sum, not of one for each name."""
    take = partial(_claim, LineKind.INTERCHANGE, centre="a")
    found = pa.Table.from_pylist([_verdict(1, "j", 500)], schema=VERDICTS)
    RoundFiles(tmp_path, DATE).write("up-verdicts-verdicts", found)
    _grounds(tmp_path, AROUND, "44", take("j", 300), take("b", 200))
    with pytest.raises(Refused, match="claims 501"):
        _grounds(tmp_path, AROUND, "44", take("j", 300), take("b", 201))
    held = _held(tmp_path, DATE, take("j", 300), take("b", 300))
    assert sum(amount for _, _, amount in held) == 100
    with pytest.raises(Refused):
        _grounds(tmp_path, AROUND, "44", take("k", 101))


def test_what_is_given_follows_from_verdicts_too(tmp_path: Path) -> None:
    """Who gives and does not pay takes it from those in between: a load is one that was accepted, a charge likewise."""
    load = partial(_claim, LineKind.LOAD, OPERATOR, centre="a", payee="j", far="j")
    charge = partial(_claim, LineKind.CHARGE, "i", centre="a", payee="k", far="k")
    said = [_verdict(1, "j", 500, txn_type=2), _verdict(2, "j", 70), _verdict(1, "i", 30, centre="b")]
    for name, around, sender in (("nation", AROUND, "44"), ("province", PROVINCE, "a")):
        folder, files = tmp_path / name, RoundFiles(tmp_path / name, DATE)
        files.write("up-verdicts-verdicts", pa.Table.from_pylist(said, schema=VERDICTS))
        _grounds(folder, around, sender, load(amount=500))
        for too_much in ([load(amount=501)], [load(amount=500), load(amount=1)], [charge(amount=31)]):
            with pytest.raises(Refused, match="gives"):
                _grounds(folder, around, sender, *too_much)
    _grounds(tmp_path / "nation", AROUND, "44", charge(amount=30))
    with pytest.raises(
        Refused, match="0 were accepted"
    ):  # it was the neighbour's, and the nation does not know of it
        _grounds(tmp_path / "province", PROVINCE, "a", charge(amount=30))
    for _ in range(2):
        assert _held(tmp_path / "nation", DATE, load(amount=503)) == [(LineKind.LOAD, "j", 3)]
    _round(tmp_path / "nation", NEXT)
    assert _held(tmp_path / "nation", NEXT, load(amount=5)) == [(LineKind.LOAD, "j", 5)]


def test_a_province_judges_as_the_nation_will(tmp_path: Path) -> None:
    """What was accepted between its own cities is no ground beyond them: the nation would park all that it sends."""
    take = partial(_claim, LineKind.INTERCHANGE, centre="a")
    found = pa.Table.from_pylist([_verdict(1, "b", 500), _verdict(2, "j", 40)], schema=VERDICTS)
    RoundFiles(tmp_path, DATE).write("up-verdicts-verdicts", found)
    _grounds(tmp_path, PROVINCE, "a", take("j", 40), take("b", 500))
    with pytest.raises(Refused, match="40 were accepted"):
        _grounds(tmp_path, PROVINCE, "a", take("j", 41))
