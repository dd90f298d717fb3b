"""An expression of a sheet as people read it, in English and Chinese, for documentation and bills."""

from __future__ import annotations

from collections.abc import Callable

from jinka.tariff.sheet import (
    Begun,
    Choose,
    Expression,
    Least,
    Less,
    Marginal,
    Minus,
    Most,
    Rounding,
    Step,
    Sum,
    Times,
)

_WORDS = {
    "least": ("the least of", "取最小"),
    "most": ("the most of", "取最大"),
    "begun": ("begun units of {} in", "每{}一个计费单位（不足进一）："),
    "up to": ("up to", "至"),
    "beyond": ("beyond", "以上"),
    "after": ("going on after", "接续已用"),
    "floor": ("at least 0", "不低于0"),
    "down": ("rounded down", "舍去尾数"),
    "up": ("rounded up", "进位"),
    "by": ("by", "按"),
}


def expression_text(expression: Expression, *, zh: bool = False, said: Callable[[str], str] = str) -> str:
    """``min(fee, 5000)`` and the like; what ``said`` makes of the codes of facts, lines and cases."""

    def word(name: str) -> str:
        return _WORDS[name][zh]

    def of(part: Expression) -> str:
        return expression_text(part, zh=zh, said=said)

    match expression:
        case int():
            return str(expression)
        case str():
            return said(expression)
        case Sum(parts):
            return " + ".join(of(part) for part in parts)
        case Minus(whole, part):
            return f"{of(whole)} - ({of(part)})"
        case Less(whole, part):
            return f"({of(whole)} - ({of(part)}), {word('floor')})"
        case Times(base, numerator, denominator, rounding):
            plain = isinstance(denominator, int | str)
            below = of(denominator) if plain else f"({of(denominator)})"
            over = f" / {below}" if denominator != 1 else ""
            ending = "" if rounding is Rounding.HALF_UP else f" ({word(rounding.name.lower())})"
            return f"({of(base)}) × {of(numerator)}{over}{ending}"
        case Begun(base, size):
            return f"{word('begun').format(size)} {of(base)}"
        case Least(parts):
            return f"{word('least')} ({', '.join(of(part) for part in parts)})"
        case Most(parts):
            return f"{word('most')} ({', '.join(of(part) for part in parts)})"
        case Marginal(base, bands, per, start, _):
            rates = [
                f"{word('beyond') if limit is None else word('up to') + ' ' + of(limit)}: {of(rate)}"
                for limit, rate in bands
            ]
            after = f", {word('after')} {of(start)}" if start != 0 else ""
            each = f" / {per}" if per != 1 else ""
            return f"{of(base)} [{'; '.join(rates)}]{each}{after}"
        case Step(base, steps):
            rows = [
                f"{word('beyond') if limit is None else word('up to') + ' ' + str(limit)}: {of(value)}"
                for limit, value in steps
            ]
            return f"{word('by')} {of(base)} [{'; '.join(rows)}]"
        case Choose(name, cases):
            rows = [f"{said(str(case))}: {of(value)}" for case, value in cases]
            return f"{word('by')} {said(name)} [{'; '.join(rows)}]"
