"""`jinka federation`: a whole federation of data centres on this machine, to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, progress, put, put_json, put_table, say
from jinka.kit import format_minor
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="City, province and national centres together. Example: [bold]jinka federation demo[/bold]",
)
FINDINGS = 6
_WORDS = {
    Language.EN: {
        "heads": ("centre", "tier", "children", "own parties, scheme", "parent", "sum",
                  "debits = credits", "cards covered"),
        "own": "paid to (+), by (-):",
        "proven": "tap of card {card}, batch {batch} record {batch_seq}, {amount}: {outcome}, "
        "proven by centre {centre} at place {place}: {document}",
        "nation": "nation", "province": "province", "city": "city", "yes": "yes", "no": "NO",
        "cross": ("cards of", "used in", "records", "yuan"), "answer": ("city", "sent", "answers", "judged for others"),
        "positions_add_up": "positions add up from city to nation", "neighbours_agree": "neighbours' books agree",
        "books_balance": "every centre's books balance", "funds_cover_cards": "every issuer's funds cover its cards",
        "tap_proven": "a foreign tap is proven at both ends",
        "simulated": "Keys, cards, riders and officers are simulated.",
    },
    Language.ZH: {
        "heads": ("中心", "层级", "下级头寸", "本级参与方与清算组织", "上级头寸", "合计", "借贷平衡", "备付覆盖"),
        "own": "收（+）付（-）：",
        "proven": "卡 {card} 批次 {batch} 第 {batch_seq} 笔 {amount}：{outcome}，"
        "中心 {centre} 已证明，位置 {place}：{document}",
        "nation": "国家", "province": "省", "city": "城市", "yes": "是", "no": "否",
        "cross": ("发卡城市", "用卡城市", "笔数", "元"), "answer": ("城市", "送出", "答复", "为他方核验"),
        "positions_add_up": "头寸自城市至国家逐级相加相符", "neighbours_agree": "相邻中心账务一致",
        "books_balance": "各中心账务借贷平衡", "funds_cover_cards": "各发卡方备付金覆盖卡内余额",
        "tap_proven": "异地交易两端均可证明", "simulated": "密钥、卡片、乘客与人员均为模拟。",
    },
}  # fmt: skip


@app.callback()
def root() -> None:
    """City, province and national centres together."""


@app.command()
@command
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where the seven centres are made.")] = Path(
        "out/federation"
    ),
    seed: Annotated[int, typer.Option(help="Everything random follows from it.", min=0)] = 1,
    riders: Annotated[int, typer.Option(help="Riders of each city.", min=1, max=20_000)] = 60,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the tables.")] = Language.EN,
) -> int:
    """Bring up a nation, two provinces and four cities, let cards travel, and show how it is cleared.

    Example: [bold]jinka federation demo --riders 60 --lang zh[/bold]
    """
    from jinka.app.federation import run_demo

    with progress() as steps:
        found = run_demo(directory, riders=riders, seed=seed, progress=steps)
    if as_json:
        put_json(found)
    else:
        _show(found, lang)
    say(f"centres: {directory}")
    return 0 if all(found["holds"].values()) else FINDINGS


def _show(found: dict[str, Any], lang: Language) -> None:
    words: dict[str, Any] = dict(_WORDS[lang])
    names = {
        code: city["name_zh" if lang is Language.ZH else "name_en"] for code, city in found["cities"].items()
    }
    put(words["simulated"])
    table = _table(words["cross"])
    for card, terminal, records, amount in found["flows"]:
        table.add_row(names[card], names[terminal], str(records), format_minor(amount))
    put_table(table)
    table = _table(words["answer"])
    for code, city in found["cities"].items():
        said = ", ".join(f"{reason} {count}" for reason, count, _ in city["answers"])
        table.add_row(names[code], str(city["sent"]), said, str(city["said"]))
    put_table(table)
    table = _table(words["heads"])
    for code, centre in found["centres"].items():
        position = centre["position"]
        children, own, due = position["children"], position["own"], position["due"]
        table.add_row(
            code, words[centre["tier"]],
            ", ".join(f"{child} {_signed(amount)}" for child, amount in children.items()),
            _signed(own), _signed(-due) if centre["parent"] else "", _signed(sum(children.values()) + own - due),
            words["yes" if centre["trial"]["balances"] else "no"], words["yes" if centre["proof"]["holds"] else "no"],
        )  # fmt: skip
    put(words["own"])
    put_table(table)
    for end in found["tap"]:
        put(words["proven"].format(**end | {"amount": format_minor(end["amount"])}))
    for name, holds in found["holds"].items():
        put(f"{words[name]}: {words['yes' if holds else 'no']}")


def _table(heads: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _signed(amount: int) -> str:
    return ("-" if amount < 0 else "") + format_minor(abs(amount))
