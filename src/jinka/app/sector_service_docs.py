"""The tables of plans, meters and channels on a sector's page."""

from __future__ import annotations

from collections.abc import Iterator

from jinka.declaration import Commodity, MeterKind, Sector
from jinka.kit import format_minor

_Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]

_ZH = {
    MeterKind.CARD: "插卡",
    MeterKind.KEYPAD: "键盘代码",
    MeterKind.REMOTE: "远程抄表",
    Commodity.ELECTRICITY: "电",
    Commodity.WATER: "水",
    Commodity.GAS: "燃气",
    Commodity.HEAT: "热",
}


def service_tables(sector: Sector, *, zh: bool) -> Iterator[_Table]:
    """(heading, columns, rows) of each that the sector has."""

    def word(en: str, chinese: str) -> str:
        return chinese if zh else en

    rows: list[tuple[str, ...]]
    columns: tuple[str, ...]
    if sector.plans:
        rows = []
        for plan in sector.plans:
            period = word(f"{plan.months} months", f"{plan.months}个月") if plan.months else word(
                f"{plan.days} days", f"{plan.days}天"
            )  # fmt: skip
            limits = " / ".join(format_minor(most) for most in (plan.each_fen, plan.day_fen, plan.month_fen))
            rows.append(
                (f"{word(plan.title_en, plan.title_zh)} (`{plan.code}`)", format_minor(plan.price_fen), period,
                 ", ".join(plan.services), f"{plan.due_days} + {plan.grace_days}", limits if plan.each_fen else "-")
            )  # fmt: skip
        columns = (
            word("Plan", "套餐"), word("Price", "价格"), word("Period", "账期"), word("Services", "业务"),
            word("Days until due + grace", "缴费期+宽限（天）"),
            word("Small payments: one, day, month", "小额支付：单笔、日、月"),
        )  # fmt: skip
        yield word("Plans", "套餐"), columns, rows
    if sector.meters:
        rows = [
            (f"{word(one.title_en, one.title_zh)} (`{one.name}`)", word(one.kind.value, _ZH[one.kind]),
             word(one.commodity.name.lower(), _ZH[one.commodity]), str(one.number))
            for one in sector.meters
        ]  # fmt: skip
        columns = (
            word("Meter", "表具"),
            word("Fed", "方式"),
            word("Commodity", "品种"),
            word("Number", "表号"),
        )
        yield word("Meters", "表具"), columns, rows
    if sector.channels:
        rows = [
            (f"{word(one.title_en, one.title_zh)} (`{one.code}`)", str(one.slot),
             word("a day", "一天") if one.on_demand else word("a month", "一个月"))
            for one in sector.channels
        ]  # fmt: skip
        columns = (word("Channel", "频道"), word("Key slot", "密钥槽"), word("Key is good for", "密钥有效期"))
        yield word("Channels", "频道"), columns, rows
