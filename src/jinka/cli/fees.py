"""`jinka fees`: price lists, checked, shown, and asked what a transaction costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, put_table
from jinka.kit import format_minor, parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.fee_quote import Quote
    from jinka.clearing import FeeLine

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Price lists. Example: [bold]jinka fees quote fees.toml --amount 100000 --product debit[/bold]",
)
Prices = Annotated[Path, typer.Argument(help="The price list (TOML).", metavar="FILE")]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
Date = Annotated[str | None, typer.Option(help="The business date, YYYY-MM-DD; today without it.")]
_LINES = {
    Language.EN: ("line", "title", "per", "payers", "payees", "rate", "cap", "from"),
    Language.ZH: ("条目", "名称", "计费单位", "付费方", "收费方", "费率", "封顶", "生效日"),
}
_QUOTE = {
    Language.EN: ("line", "title", "payer", "payee", "amount", "of it tax"),
    Language.ZH: ("条目", "名称", "付费方", "收费方", "金额", "其中税额"),
}


@app.command()
@command
def example(as_json: Json = False) -> None:
    """Print a price list to begin with: what China's bank cards cost since 2016 (发改价格〔2016〕557号).

    Example: [bold]jinka fees example > fees.toml[/bold]
    """
    from jinka.clearing import CHINA_2016

    put_either({"toml": CHINA_2016}, CHINA_2016, as_json=as_json)


@app.command()
@command
def check(prices: Prices, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Check a price list, and show its lines in the order in which they are tried.

    Example: [bold]jinka fees check fees.toml --lang zh[/bold]
    """
    from jinka.app.fee_quote import load_fees
    from jinka.clearing import rate_text

    fees = load_fees(prices)
    if as_json:
        put_json([_plain(line) for line in fees.lines])
        return
    chinese = lang is Language.ZH
    table = _table(_LINES[lang])
    for line in fees.lines:
        bands = ", ".join(
            rate_text(rate) + ("" if limit is None else f" ≤ {format_minor(limit)}")
            for limit, rate in line.bands
        )
        sides = [", ".join(party.value[chinese] for party in side) for side in (line.payers, line.payees)]
        cap = "" if line.cap is None else format_minor(line.cap)
        title = line.title_zh if chinese else line.title_en
        table.add_row(line.name, title, line.per.value[chinese], *sides, bands, cap, line.begins.isoformat())
    put_table(table)


@app.command()
@command
def quote(
    prices: Prices,
    amount: Annotated[int, typer.Option(help="In minor units: 100000 is 1,000 yuan.", min=0)],
    product: Annotated[str, typer.Option(help="The product, such as debit.")] = "",
    operator: Annotated[str, typer.Option(help="The merchant's code, as in the price list.")] = "operator",
    date: Date = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Say what one transaction costs, and who pays whom.

    Example: [bold]jinka fees quote fees.toml --amount 100000 --product debit[/bold]
    """
    from jinka.app.fee_quote import load_fees, quote_fees

    fees = load_fees(prices)
    day = None if date is None else parse_date(date, where="--date")
    found = quote_fees(fees, date=day, amount=amount, product=product, operator=operator)
    if as_json:
        put_json(found.as_list())
    elif found.rows:
        put_table(_quoted(found, lang))
    else:
        put("no fee" if lang is Language.EN else "免费")


def _quoted(found: Quote, lang: Language) -> Table:
    table = _table(_QUOTE[lang])
    for code, english, chinese, payer, payee, amount, tax in found.rows:
        title = chinese if lang is Language.ZH else english
        table.add_row(code, title, payer, payee, format_minor(amount), format_minor(tax) if tax else "")
    return table


def _plain(line: FeeLine) -> dict[str, object]:
    return {
        "line": line.name,
        "title_en": line.title_en,
        "title_zh": line.title_zh,
        "per": line.per.value[0],
        "payers": {party.value[0]: weight for party, weight in line.payers.items()},
        "payees": {party.value[0]: weight for party, weight in line.payees.items()},
        "bands_ppm": [list(band) for band in line.bands],
        "fixed_minor": line.fixed,
        "floor_minor": line.floor,
        "cap_minor": line.cap,
        "tax_ppm": line.tax_ppm,
        "from": line.begins.isoformat(),
        "until": line.ends.isoformat(),
    }


def _table(headings: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
