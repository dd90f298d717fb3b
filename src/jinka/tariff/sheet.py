"""A sheet: a rule of law or a tariff as named lines of whole numbers, each a small expression over facts and lines
above.

A bill split between fund and patient, a step tariff, a toll, a pension, a tax, a penalty: each is a sheet, so each
result can be explained line by line. Numbers are minor units (fen, Wh, minutes, days); rounding is half up to one
unit unless a line says otherwise (GB/T 8170 leaves the choice to each rule). A line below zero is refused: use
`Less`, which ends at zero, or `Minus` inside a `Most`. Nothing here knows what a line means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from jinka.kit import MAX_MINOR, Unit, Usage, format_minor

Fact = int | str
DEPTH_MAX = 32


class Rounding(Enum):
    """How a fraction of a unit ends."""

    HALF_UP = "half up"
    DOWN = "down"
    UP = "up"

    def divide(self, numerator: int, denominator: int) -> int:
        if self is Rounding.DOWN:
            return numerator // denominator
        if self is Rounding.UP:
            return -(-numerator // denominator)
        return (2 * numerator + denominator) // (2 * denominator)


@dataclass(frozen=True, slots=True)
class Sum:
    """All parts together."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Minus:
    """``whole`` less ``part``; may lie below zero inside a `Most`."""

    whole: Expression
    part: Expression


@dataclass(frozen=True, slots=True)
class Less:
    """``whole`` less ``part``, at least zero."""

    whole: Expression
    part: Expression


@dataclass(frozen=True, slots=True)
class Times:
    """``of`` times ``numerator`` by ``denominator``: a percentage, a price for each unit, a month's twelfth.

    A denominator that comes to zero or below is refused.
    """

    of: Expression
    numerator: Expression
    denominator: Expression = 1
    rounding: Rounding = Rounding.HALF_UP


def _at_least_one(number: int, where: str) -> None:
    if not isinstance(number, int) or number < 1:
        raise Usage(f"{number!r} is no number of units", where=where, fix="1 or more")


def percent(of: Expression, rate: Expression, *, rounding: Rounding = Rounding.HALF_UP) -> Times:
    """``rate`` hundredths of ``of``."""
    return Times(of, rate, 100, rounding)


@dataclass(frozen=True, slots=True)
class Begun:
    """How many units of ``size`` are begun in ``of``: 61 minutes are 2 begun hours."""

    of: Expression
    size: int

    def __post_init__(self) -> None:
        _at_least_one(self.size, "Begun.size")


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest of the parts: a ceiling."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Most:
    """The largest of the parts: a floor."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Marginal:
    """Bands, each (up to, rate for the part inside it); the last is open (None). Rates are by ``per`` units.

    ``Marginal("kwh", ((240, 4883), (400, 5383), (None, 7883)), per=100)`` charges 48.83 fen for each of the first 240.
    ``start`` is what has been used before: bands go on from there. Rounded once, at the end.
    """

    of: Expression
    bands: tuple[tuple[Expression | None, Expression], ...]
    per: int = 1
    start: Expression = 0
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        _at_least_one(self.per, "Marginal.per")


@dataclass(frozen=True, slots=True)
class Step:
    """The value of the band that ``of`` falls into: (up to and with, value); the last is open (None)."""

    of: Expression
    bands: tuple[tuple[int | None, Expression], ...]


@dataclass(frozen=True, slots=True)
class Choose:
    """The value beside a word or a number: a hospital's grade, a class of vehicle. Others are refused."""

    of: str
    cases: tuple[tuple[Fact, Expression], ...]


Expression = (
    int | str | Sum | Minus | Less | Times | Begun | Least | Most | Marginal | Step | Choose
)  # str: a fact or a line above


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. Where it is money that moves, ``payer`` and ``payee`` name accounts of the sector."""

    code: str
    title_en: str
    title_zh: str
    value: Expression
    unit: Unit = Unit.FEN
    payer: str = ""
    payee: str = ""
    shown: bool = True  # False: a working line, which a bill leaves out


class Unordered(Enum):
    """Why a result neither grows nor shrinks with any fact: (value, Chinese)."""

    ONE_AMOUNT = ("one amount for all", "统一定额")
    WORDS = ("a table by words", "按类别列表，无大小之分")
    CHECK_CHARACTER = ("a check character", "校验码，无大小之分")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Lines in their order. ``facts`` are what must be given.

    The result does not fall when one of ``rising`` grows, and does not rise when one of ``falling`` does; a sheet
    without either says why in ``unordered``. ``shown`` are facts that an earlier step of a journey must have found,
    ``spends`` those that one payment must have brought, which is used up then: nobody may type them.
    """

    name: str
    title_en: str
    title_zh: str
    source: str  # document, number, date, clause
    facts: tuple[str, ...]
    lines: tuple[Line, ...]
    result: str  # the line that is the answer
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    unordered: Unordered | None = None
    shown: tuple[str, ...] = ()
    spends: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.facts)
        for line in self.lines:
            if line.code in known:
                raise Usage(
                    "a name stands twice", where=f"{self.name}.{line.code}", fix="name each line once"
                )
            unknown = sorted(set(names(line.value)) - known)
            if unknown:
                raise Usage(f"no fact or line above {unknown[0]!r}", where=f"{self.name}.{line.code}")
            known.add(line.code)
        if odd := {*self.shown, *self.spends} - set(self.facts):
            raise Usage(f"{min(odd)} is no fact", where=self.name, fix="what is shown or spent is a fact")
        lines = {line.code for line in self.lines}
        ordered = {*self.rising, *self.falling}
        if self.result not in lines or ordered - set(self.facts):
            raise Usage("the result is no line, or what it rises or falls with no fact", where=self.name)
        if len(ordered) < len(self.rising) + len(self.falling) or (ordered and self.unordered):
            raise Usage("it rises, or falls, or has no order", where=self.name, fix="one of them for a fact")

    def line(self, code: str) -> Line:
        """Find a line; `Usage` when there is none."""
        for line in self.lines:
            if line.code == code:
                return line
        raise Usage(f"no line {code!r}", where=f"sheet {self.name}")

    def asks(self, code: str) -> set[str]:
        """The facts that a line depends on, through the lines above it as well."""
        found = set(names(self.line(code).value))
        return {name for name in found if name in self.facts} | {
            fact for name in found if name not in self.facts for fact in self.asks(name)
        }

    def fill(self, facts: Mapping[str, Fact]) -> dict[str, int]:
        """The value of each line. `Usage` for facts that are missing, unknown, below zero or of no case."""
        if set(facts) != set(self.facts):
            odd = sorted(set(facts) ^ set(self.facts))
            raise Usage(
                f"the facts are {', '.join(self.facts)}", where=f"{self.name}.{odd[0]}", fix="give these"
            )
        values: dict[str, Fact] = {}
        for name, fact in facts.items():
            if isinstance(fact, int) and not 0 <= fact <= MAX_MINOR:
                raise Usage(f"{fact} is no whole number from zero", where=f"{self.name}.{name}")
            values[name] = fact
        made: dict[str, int] = {}
        for line in self.lines:
            value = _value(line.value, values, f"{self.name}.{line.code}")
            if not 0 <= value <= MAX_MINOR:
                raise Usage(
                    f"{line.title_en} comes to {format_minor(value, line.unit)}",
                    where=f"{self.name}.{line.code}",
                    fix="check the facts",
                    zh=f"{line.title_zh}为{format_minor(value, line.unit)}"
                    if line.unit is Unit.FEN
                    else f"“{line.title_zh}”不满足",
                )
            made[line.code] = values[line.code] = value
        return made


def names(expression: Expression) -> Iterator[str]:
    """The facts and lines that an expression asks for."""
    for part in _parts(expression):
        if isinstance(part, str):
            yield part
        elif not isinstance(part, int):
            yield from names(part)


def bounds(expression: Expression) -> Iterator[int]:
    """The whole numbers at which a band ends, a case or a floor or a ceiling stands: where a result may turn."""
    match expression:
        case Step(_, steps):
            yield from (limit for limit, _ in steps if limit is not None)
        case Marginal(_, bands, _, _, _):
            yield from (limit for limit, _ in bands if isinstance(limit, int))
        case Choose(_, cases):
            yield from (case for case, _ in cases if isinstance(case, int))
        case Least(parts) | Most(parts):
            yield from (part for part in parts if isinstance(part, int))
        case Less(_, part) if isinstance(part, int):
            yield part
    for part in _parts(expression):
        if not isinstance(part, int | str):
            yield from bounds(part)


def _parts(expression: Expression) -> Iterator[Expression]:
    match expression:
        case int() | str():
            yield expression
        case Sum(parts) | Least(parts) | Most(parts):
            yield from parts
        case Minus(whole, part) | Less(whole, part):
            yield from (whole, part)
        case Times(of, numerator, denominator, _):
            yield from (of, numerator, denominator)
        case Begun(of, _):
            yield of
        case Marginal(of, bands, _, start, _):
            yield from (of, start)
            for limit, rate in bands:
                yield rate
                if limit is not None:
                    yield limit
        case Step(of, steps):
            yield of
            yield from (value for _, value in steps)
        case Choose(of, cases):
            yield of
            yield from (value for _, value in cases)


def _value(expression: Expression, values: Mapping[str, Fact], where: str, depth: int = 0) -> int:
    if depth > DEPTH_MAX:
        raise Usage("too deep", where=where, fix="split the line")

    def of(part: Expression) -> int:
        return _value(part, values, where, depth + 1)

    match expression:
        case int():
            return expression
        case str():
            found = values[expression]
            if not isinstance(found, int):
                raise Usage(f"{expression} is a word, not a number", where=where)
            return found
        case Sum(parts):
            return sum(of(part) for part in parts)
        case Minus(whole, part):
            return of(whole) - of(part)
        case Less(whole, part):
            return max(0, of(whole) - of(part))
        case Times(base, numerator, denominator, rounding):
            by = of(denominator)
            if by <= 0:
                raise Usage(f"divided by {by}", where=where, fix="check the facts")
            return rounding.divide(of(base) * of(numerator), by)
        case Begun(base, size):
            return Rounding.UP.divide(of(base), size)
        case Least(parts):
            return min(of(part) for part in parts)
        case Most(parts):
            return max(of(part) for part in parts)
        case Marginal():
            return _marginal(expression, of)
        case Step(base, bands):
            asked = of(base)
            return of(next(value for limit, value in bands if limit is None or asked <= limit))
        case Choose(name, cases):
            fact = values[name]
            for case, value in cases:
                if case == fact:
                    return of(value)
            raise Usage(
                f"no case {fact!r}",
                where=where,
                fix="one of " + ", ".join(str(c) for c, _ in cases),
                zh=f"{fact}不在规定情形之内",
            )


def _marginal(expression: Marginal, of: Callable[[Expression], int]) -> int:
    begin = of(expression.start)
    end = begin + of(expression.of)
    whole, below = 0, 0
    for limit, rate in expression.bands:
        upper = end if limit is None else of(limit)
        part = max(0, min(upper, end) - max(below, begin))
        whole += part * of(rate)
        below = max(below, upper)
    return expression.rounding.divide(whole, expression.per)
