"""`jinka files`: daily files of the trade: their layouts, a cleared day written as one, one read, two compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, put_table
from jinka.kit import format_minor
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.trade_diff import Compared
    from jinka.codec.trade_files import Layout

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Daily files of the trade. Example: [bold]jinka files diff ours.txt theirs.txt[/bold]",
)
FINDINGS = 6
LayoutName = Annotated[
    str, typer.Option("--layout", help="Which kind of file; jinka files layouts lists them.")
]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
_KINDS = {
    "a": ("first file", "甲方文件"), "b": ("second file", "乙方文件"), "same": ("the same", "一致"),
    "differs": ("differ", "内容不符"), "only_a": ("only in the first", "仅甲方有"),
    "only_b": ("only in the second", "仅乙方有"), "doubled_a": ("first, key not unique", "甲方主键不唯一"),
    "doubled_b": ("second, key not unique", "乙方主键不唯一"),
}  # fmt: skip
_HEADS = {
    "sums": (("", "records", "total"), ("", "笔数", "金额")),
    "fields": (("field", "records that differ"), ("字段", "不符笔数")),
    "first": (("kind", "record", "key", "what differs"), ("类别", "记录", "主键", "差异")),
    "layout": (
        ("line", "field", "width", "coding", "name", "origin", "source"),
        ("行", "字段", "长度", "编码", "名称", "来源", "依据"),
    ),
}
_OVER = (
    "the second file's amounts exceed the first's by {over} where both have the record",
    "双方均有的记录中，乙方金额比甲方多 {over}",
)


@app.command()
@command
def layouts(
    name: Annotated[str | None, typer.Argument(help="One layout, field by field.", metavar="NAME")] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List the layouts, or the fields of one, each with where it comes from.

    Example: [bold]jinka files layouts city-union[/bold]
    """
    from jinka.app.trade_files import describe, layout_named
    from jinka.codec.trade_files import LAYOUTS

    if name is None:
        rows = [{"layout": one.name, "title_en": one.en, "title_zh": one.zh} for one in LAYOUTS.values()]
        title = "title_zh" if lang is Language.ZH else "title_en"
        put_either(rows, "\n".join(f"{row['layout']:14} {row[title]}" for row in rows), as_json=as_json)
        return
    layout = layout_named(name)
    if as_json:
        put_json(describe(layout))
    else:
        put_table(_layout_table(layout, lang))


@app.command()
@command
def export(
    directory: Annotated[
        Path, typer.Argument(help="Where a day was run (its --dir), or a centre's folder.", metavar="DIR")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    layout: LayoutName = "city-union",
    date: Annotated[str | None, typer.Option(help="Which round of a centre; the last without it.")] = None,
    acquirer: Annotated[str | None, typer.Option(help="Only what this acquirer took in.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Only records of this issuer's cards.")] = None,
    institutions: Annotated[
        Path | None, typer.Option(help="Institution codes of participants (TOML); their own without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a cleared day as a file of the trade. The same day gives the same bytes.

    Example: [bold]jinka files export out/day --out day.txt --issuer issuer.szt[/bold]
    """
    from jinka.app.trade_files import export_day, layout_named

    done = export_day(
        directory, layout_named(layout), out, date=date, acquirer=acquirer, issuer=issuer,
        institutions=institutions,
    )  # fmt: skip
    put_either(
        done.as_dict(), f"{done.path}  {done.records:,}  {format_minor(done.total_minor)}", as_json=as_json
    )


@app.command(name="import")
@command
def import_(
    file: Annotated[Path, typer.Argument(help="The file to read.", metavar="FILE")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    layout: LayoutName = "city-union",
    as_json: Json = False,
) -> None:
    """Read a file of the trade, check all of it, and write its records as Parquet.

    Example: [bold]jinka files import day.txt --out day.parquet[/bold]
    """
    from jinka.app.trade_files import import_file, layout_named

    done = import_file(file, layout_named(layout), out)
    put_either(
        done.as_dict(), f"{done.path}  {done.records:,}  {format_minor(done.total_minor)}", as_json=as_json
    )


@app.command()
@command
def diff(
    first: Annotated[Path, typer.Argument(help="One party's file.", metavar="FIRST")],
    second: Annotated[Path, typer.Argument(help="The other party's file.", metavar="SECOND")],
    layout: LayoutName = "city-union",
    ignore: Annotated[
        list[str] | None, typer.Option(help="A field that may differ; may be repeated.")
    ] = None,
    show: Annotated[int, typer.Option(help="How many differences to list.", min=0, max=100_000)] = 20,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold two parties' files of one day against each other; ends with 6 when they differ.

    Example: [bold]jinka files diff ours.txt theirs.txt --layout unionpay-com --lang zh[/bold]
    """
    from jinka.app.trade_diff import compare_files
    from jinka.app.trade_files import layout_named

    found = compare_files(first, second, layout_named(layout), ignore=ignore or (), first=show)
    if as_json:
        put_json(found.as_dict())
    else:
        _show(found, lang)
    return 0 if found.equal else FINDINGS


def _show(found: Compared, lang: Language) -> None:
    chinese = lang is Language.ZH
    sums = _table("sums", chinese)
    for kind, titles in _KINDS.items():
        records, total = found.sums[kind]
        sums.add_row(titles[chinese], f"{records:,}", format_minor(total))
    put_table(sums)
    if found.fields:
        fields = _table("fields", chinese)
        for name, count in found.fields.items():
            fields.add_row(name, f"{count:,}")
        put_table(fields)
    if found.amount_difference:
        put(_OVER[chinese].format(over=format_minor(found.amount_difference)))
    if found.first:
        put_table(_differences(found, chinese))


def _differences(found: Compared, chinese: bool) -> Table:
    from rich.text import Text

    table = _table("first", chinese)
    for each in found.first:
        numbers = " / ".join("-" if n is None else f"{n:,}" for n in (each.record_a, each.record_b))
        what = ", ".join(f"{name}: {one} | {other}" for name, (one, other) in each.fields.items())
        # What a stranger's file holds may look like markup, and must not be any.
        table.add_row(_KINDS[each.kind][chinese], numbers, Text(" ".join(each.key.values())), Text(what))
    return table


def _layout_table(layout: Layout, lang: Language) -> Table:
    table = _table("layout", lang is Language.ZH)
    parts = (
        (("header", "文件头"), layout.header),
        (("record", "记录"), layout.fields),
        (("trailer", "文件尾"), layout.trailer),
    )
    for names, fields in parts:
        for f in fields:
            table.add_row(
                names[lang is Language.ZH],
                f.name,
                str(f.width),
                f.coding.title,
                f.zh,
                f.origin.value,
                f.source,
            )
    return table


def _table(name: str, chinese: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADS[name][chinese]:
        table.add_column(heading, overflow="fold")
    return table
