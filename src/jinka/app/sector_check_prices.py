"""The walker's part for numbers: prices and rules keep their order, worked cases give what was published.

A sheet is tried over a range of each fact that it rises or falls with, and beside every number that one of its lines
names as a bound, from every set of facts that a worked case or
a played journey gave it, also those that a step remembered for a later one; a fare as well from every pair of stops,
at every hour. What has no order says why. Nothing here knows what a sheet means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from jinka.app.sector_codes import check_character
from jinka.app.sector_run import Played
from jinka.declaration import Fare, Sector, WorkedCase
from jinka.kit import JinkaError, Unit
from jinka.tariff import HolderClass, Tariff
from jinka.tariff.sheet import Fact, Sheet, Unordered, bounds

Complain = Callable[[str, str, str], None]
Facts = Mapping[str, Fact]
_SAMPLES = 200
_NEAR = 20  # around a known value every whole number is tried
_MINUTES = 3 * 1_440
_CHECK_CHARACTER_MOST = 10
_HOURS = range(24)
_KNOWN_TO_TERMINALS = ("minutes", "gross")  # numbers that a fare may ask for without a measure


def check_sheet(sector: Sector, sheet: Sheet, played: Iterable[Played], complain: Complain) -> None:
    """It says what its result rises or falls with, or why with nothing, and keeps to it wherever it is filled."""
    fills = [case.facts for case in sector.worked_cases if case.sheet == sheet.name]
    fills += [facts for done in played for filled, facts in done.filled if filled == sheet]
    fills += [facts for fare in sector.fares if fare.sheet == sheet for facts in _at_stops(fare)]
    fills = [facts for facts in fills if set(facts) == set(sheet.facts)]  # others are refused elsewhere
    asked = sheet.asks(sheet.result)
    if not (sheet.rising or sheet.falling or sheet.unordered):
        complain(
            "PRICES", sheet.name, "says neither what its result rises or falls with, nor why with nothing"
        )
    if not fills:
        complain("PRICES", sheet.name, "no case and no step fills the sheet, so nothing is shown")
    if sheet.unordered is not None and (wrong := _has_order(sheet, sheet.unordered, asked, fills)):
        complain("PRICES", sheet.name, wrong)
    for name in (*sheet.rising, *sheet.falling):
        numbers = [(facts, fact) for facts in fills if isinstance(fact := facts[name], int)]
        if name not in asked:
            complain("PRICES", f"{sheet.name}.{name}", "the result does not depend on it")
        elif fills and not numbers:
            complain("PRICES", f"{sheet.name}.{name}", "is a number in no case and no step")
        for facts, values in _ranges(name, numbers, sheet):
            _keeps_order(sheet, facts, name, values, complain)


def _has_order(sheet: Sheet, why: Unordered, asked: set[str], fills: Iterable[Facts]) -> str:
    """What contradicts the reason that a sheet gives for having no order."""
    if why is Unordered.ONE_AMOUNT and asked:
        return f"is not one amount: it depends on {sorted(asked)[0]}"
    for facts in fills:
        numbers = sorted(name for name in asked if isinstance(facts[name], int))
        if why is Unordered.WORDS and numbers:
            return f"is no table by words: it depends on the number {numbers[0]}"
        if why is Unordered.CHECK_CHARACTER and sheet.fill(facts)[sheet.result] > _CHECK_CHARACTER_MOST:
            return "is no check character: it is above 10"
    return ""


def _ranges(
    name: str, numbers: Iterable[tuple[Facts, int]], sheet: Sheet
) -> Iterator[tuple[Facts, list[int]]]:
    """For each set of the other facts, the values of one: from 0 to twice the largest, all close to known ones, and
    those on both sides of each number at which a line of the sheet may turn.
    """
    turns = {bound + by for line in sheet.lines for bound in bounds(line.value) for by in (-1, 0, 1)}
    found: dict[tuple[tuple[str, Fact], ...], set[int]] = {}
    for facts, number in numbers:
        others = tuple(sorted((other, fact) for other, fact in facts.items() if other != name))
        found.setdefault(others, set()).add(number)
    for others, known in found.items():
        most = 2 * max(100, *known)
        values = {most * at // _SAMPLES for at in range(_SAMPLES + 1)}
        for number in known:
            values.update(range(max(0, number - _NEAR), number + _NEAR + 1))
        values.update(turn for turn in turns if turn >= 0)
        yield dict(others), sorted(values)


def _keeps_order(sheet: Sheet, facts: Facts, name: str, values: Sequence[int], complain: Complain) -> None:
    sign = -1 if name in sheet.falling else 1
    found: list[tuple[int, int]] = []
    for value in values:
        try:
            found.append((value, sheet.fill({**facts, name: value})[sheet.result]))
        except JinkaError:
            continue  # facts that the rule refuses are no price
    if len(found) < 2:
        complain("PRICES", f"{sheet.name}.{name}", "the sheet refuses all but one value")
    for (_, before), (value, now) in pairwise(found):
        if sign * (now - before) < 0:
            how = "falls" if sign > 0 else "rises"
            complain("PRICES", f"{sheet.name}.{name}", f"the result {how} from {before} to {now} at {value}")
            return


# Fares and tariffs


def check_fare(fare: Fare, complain: Complain) -> None:
    """A terminal can fill it at every stop and hour, and it does not fall with what a terminal measures."""
    moved = [name for name in fare.sheet.facts if name in _KNOWN_TO_TERMINALS and name not in fare.constants]
    moved += sorted(
        {
            name
            for measured in fare.measures.values()
            for name, fact in measured.items()
            if isinstance(fact, int) and name in fare.sheet.facts
        }
    )
    for at_stop in _at_stops(fare):
        missing = [name for name in fare.sheet.facts if name not in at_stop]
        if missing:
            complain("PRICES", f"{fare.name}.{missing[0]}", "neither measured, nor constant, nor known")
            return
        fare.sheet.fill(at_stop)
    for name in moved:
        for facts, values in _ranges(
            name, ((facts, int(facts[name])) for facts in _at_stops(fare)), fare.sheet
        ):
            _keeps_order(fare.sheet, facts, name, values, complain)


def _at_stops(fare: Fare) -> Iterator[dict[str, Fact]]:
    """What a terminal would fill the sheet with: for each pair of stops, at each hour, for each kind of holder."""
    holders = [one.name.lower() for one in HolderClass] if "holder" in fare.sheet.facts else [""]
    for measured in fare.measures.values() or ({},):
        for hour in _HOURS if "hour" in fare.sheet.facts else (0,):
            for holder in holders:
                known: dict[str, Fact] = {
                    "minutes": _MINUTES, "hour": hour, "gross": 10_000, "holder": holder, "spent_today": 0,
                    "spent_month": 0, **fare.constants, **measured,
                }  # fmt: skip
                yield {name: known[name] for name in fare.sheet.facts if name in known}


def check_tariff(tariff: Tariff, complain: Complain) -> None:
    """No product charges less for a higher fare."""
    for product in tariff.products:
        fares = [tariff.gross_max_fen * at // _SAMPLES for at in range(_SAMPLES + 1)]
        charges = [product.rule.price(fare) for fare in fares]
        if any(later < earlier for earlier, later in pairwise(charges)):
            complain("PRICES", product.code, "a higher fare is charged less")


# Worked cases


def check_case(sector: Sector, case: WorkedCase, complain: Complain) -> None:
    """It names its source, demands a result or money, and comes out to the unit."""
    if not case.source:
        complain("WORKED_CASE", case.title_en, "a case without its source")
    if case.check:
        found = check_character(case.check, case.number[:-1])
        if found != case.number[-1]:
            complain(
                "WORKED_CASE", case.check, f"{case.number[:-1]} ends in {found}, published is {case.number}"
            )
        return
    sheet = sector.sheet(case.sheet)
    if sheet.result not in case.gives and not any(sheet.line(code).unit is Unit.FEN for code in case.gives):
        said = f"only {', '.join(case.gives)}" if case.gives else "nothing"
        complain(
            "WORKED_CASE", case.title_en,
            f"demands {said}: name the result of {sheet.name}, {sheet.result}, or a line of money",
        )  # fmt: skip
    lines = sheet.fill(case.facts)
    for code, wanted in case.gives.items():
        if lines[code] != wanted:
            complain("WORKED_CASE", f"{sheet.name}.{code}", f"comes to {lines[code]}, published is {wanted}")
