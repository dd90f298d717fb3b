"""`jinka sector`: the uses of cards: listed, shown, checked, documented, begun, and played on virtual cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Finding, NotFound, Usage, format_minor
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Sectors: one declaration each, run on the kernel. Example: [bold]jinka sector run campus --lang zh[/bold]",
)
FINDINGS = 6
Name = Annotated[str, typer.Argument(help="The sector, as `jinka sector list` names it.", metavar="NAME")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
_LIST_HEADS = {
    Language.EN: ("name", "title", "made of", "applications", "journeys"),
    Language.ZH: ("名称", "标题", "构成", "应用", "场景"),
}
_CHECK_HEADS = {Language.EN: ("sector", "tried", "findings"), Language.ZH: ("行业", "已检查", "问题")}
_RUN = {
    Language.EN: {"went": "went as declared", "count": "times", "amount": "amount"},
    Language.ZH: {"went": "与声明一致", "count": "次数", "amount": "金额"},
}
TRIED_ZH = {
    "encodings": "编码", "access rights": "权限", "personal data": "个人信息", "journeys": "场景",
    "torn uses": "中途拔卡", "prices": "价格", "worked cases": "公开算例", "codes and places": "编码与场所",
    "reports": "报表", "documentation": "文档",
}  # fmt: skip


@app.command(name="list")
@command
def list_(as_json: Json = False, lang: Lang = Language.EN) -> int:
    """List every sector, those of installed packages included.

    Example: [bold]jinka sector list --lang zh[/bold]
    """
    from jinka.app.sector_catalogue import all_sectors, left_out
    from jinka.app.sector_docs_words import kind_word

    rows = list(all_sectors().values())
    for refusal in left_out():
        say(_line(refusal.finding))
    if as_json:
        put_json([_facts(sector) for sector in rows])
        return 0
    zh = lang is Language.ZH
    table = _table(_LIST_HEADS[lang])
    for sector in rows:
        kinds = ", ".join(kind_word(kind, zh=zh) for kind in sector.archetypes)
        names = ", ".join(profile.name for profile in sector.profiles)
        table.add_row(
            sector.name, sector.title_zh if zh else sector.title_en, kinds, names, str(len(sector.journeys))
        )
    put_table(table)
    return 0


def _line(finding: Finding) -> str:
    fix = f" ({finding.fix})" if finding.fix else ""
    return f"{finding.code} {finding.where}: {finding.what}{fix}"


def _facts(sector: object) -> dict[str, object]:
    from jinka.declaration import Sector

    assert isinstance(sector, Sector)
    return {
        "name": sector.name, "title_en": sector.title_en, "title_zh": sector.title_zh,
        "authority": sector.authority, "standards": list(sector.standards),
        "archetypes": [kind.value for kind in sector.archetypes],
        "applications": [
            {"name": profile.name, "version": profile.version, "aid": profile.aid.hex().upper()}
            for profile in sector.profiles
        ],
        "composes": list(sector.composes), "journeys": [journey.name for journey in sector.journeys],
        "sheets": [sheet.name for sheet in sector.all_sheets],
        "entitlements": [right.name for right in sector.entitlements],
        "worked_cases": [case.source for case in sector.worked_cases], "no_worked_case": sector.no_worked_case,
    }  # fmt: skip


@app.command()
@command
def show(name: Name, as_json: Json = False, lang: Lang = Language.EN) -> int:
    """Show one sector: its applications, prices, rights and stories.

    Example: [bold]jinka sector show campus --lang zh[/bold]
    """
    from jinka.app.sector_catalogue import find_sector
    from jinka.app.sector_docs import sector_page

    sector = find_sector(name)
    if as_json:
        put_json(_facts(sector))
        return 0
    put(sector_page(sector, (), zh=lang is Language.ZH).rstrip("\n"))
    return 0


@app.command()
@command
def docs(
    name: Annotated[
        str, typer.Argument(help="The sector; all of them without a name.", metavar="[NAME]")
    ] = "",
    to: Annotated[Path | None, typer.Option(help="Write the pages into this folder, both languages.")] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Write the documentation of a sector from its declaration, with its journeys as they went.

    Example: [bold]jinka sector docs campus --to docs/sectors[/bold]
    """
    from jinka.app.sector_catalogue import all_sectors, find_sector
    from jinka.app.sector_docs import sector_page
    from jinka.app.sector_run import play
    from jinka.node import write_durable

    if not name and to is None:
        raise Usage("the pages of all sectors need a folder", where="--to", fix="name one, or a sector")
    if to is not None:
        try:
            to.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Usage(
                f"no folder can be made here: {error.strerror}", where=str(to), fix="another --to"
            ) from None
    known = all_sectors()
    pages: dict[str, str] = {}
    for sector in [find_sector(name)] if name else list(known.values()):
        played = [play(sector, journey, known.values()) for journey in sector.journeys]
        for suffix, language in ((".md", Language.EN), (".zh.md", Language.ZH)):
            if to is not None or language is lang:
                pages[f"{sector.name}{suffix}"] = sector_page(sector, played, zh=language is Language.ZH)
    for file, page in pages.items():
        if to is not None:
            write_durable(to / file, page.encode())
            say(str(to / file))
    if as_json:
        put_json(pages)
    elif to is None:
        put("\n".join(pages.values()).rstrip("\n"))
    return 0


@app.command()
@command
def check(
    name: Annotated[str, typer.Argument(help="The sector to check.", metavar="[NAME]")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Check every sector.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Walk over a sector, or all: encodings, access rights, prices, published results, journeys, reports,
    documentation.

    Code 6 when something is missing or untrue. Example: [bold]jinka sector check --all[/bold]
    """
    from jinka.app.sector_catalogue import all_sectors, find_sector, left_out
    from jinka.app.sector_check import Checked, check_sector

    if bool(name) == all_:
        raise Usage("name a sector, or --all", where="sector check", fix="jinka sector check --all")
    known = all_sectors()
    outside = [one for one in left_out() if all_ or (one.name == name and name not in known)]
    named = [] if outside else [find_sector(name)] if name else []
    results = [check_sector(one, known.values()) for one in (known.values() if all_ else named)]
    results += [Checked(sector=one.name, tried={}, findings=(one.finding,), played=()) for one in outside]
    wrong = any(result.findings for result in results)
    if as_json:
        put_json(
            [
                {
                    "sector": result.sector,
                    "tried": result.tried,
                    "findings": [
                        {"code": f.code, "where": f.where, "what": f.what, "fix": f.fix}
                        for f in result.findings
                    ],
                }
                for result in results
            ]
        )
        return FINDINGS if wrong else 0
    zh = lang is Language.ZH
    table = _table(_CHECK_HEADS[lang])
    for result in results:
        tried = ", ".join(f"{TRIED_ZH[part] if zh else part} {count}" for part, count in result.tried.items())
        table.add_row(result.sector, tried, str(len(result.findings)))
    put_table(table)
    for result in results:
        for finding in result.findings:
            say(_line(finding))
    return FINDINGS if wrong else 0


@app.command()
@command
def run(
    name: Name,
    journey: Annotated[str, typer.Option(help="One journey; all of them without it.")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Play a sector's journeys on virtual cards and say what happened, step by step.

    Example: [bold]jinka sector run campus --lang zh[/bold]
    """
    from jinka.app.sector_catalogue import all_sectors, find_sector
    from jinka.app.sector_run import play, report_rows
    from jinka.app.sector_words import row_title

    sector, zh, words = find_sector(name), lang is Language.ZH, _RUN[lang]
    known = all_sectors()
    names = [one.name for one in sector.journeys]
    if journey and journey not in names:
        raise NotFound(f"no journey {journey!r}", where=sector.name, fix="one of " + ", ".join(names))
    chosen = [sector.journey(journey)] if journey else sector.journeys
    played = [play(sector, one, known.values()) for one in chosen]
    if as_json:
        put_json(
            [
                {
                    "journey": one.journey.name,
                    "steps": [
                        {"at": told.at.isoformat(), "step": told.kind, "en": told.said.en, "zh": told.said.zh}
                        for told in one.told
                    ],
                }
                for one in played
            ]
        )
        return 0
    for one in played:
        put(f"{one.journey.title_zh if zh else one.journey.title_en} ({one.journey.date})")
        for told in one.told:
            put(f"  {told.at:%m-%d %H:%M}  {told.said.zh if zh else told.said.en}")
        put(f"  {words['went']}")
    happenings = [happening for one in played for happening in one.happenings]
    for report in sector.reports:
        rows = report_rows(report, happenings)
        if not rows:  # of the other journeys
            continue
        table = _table((report.title_zh if zh else report.title_en, words["count"], words["amount"]))
        for what, count, amount in rows:
            title = row_title(what, report.by, sector, known.values(), zh=zh)
            table.add_row(
                played[0].masks.hide(title), str(count), format_minor(amount, report.unit) if amount else ""
            )
        put_table(table)
    return 0


@app.command()
@command
def new(
    name: Annotated[
        str, typer.Argument(help="The new sector's name, such as com.example.ski.", metavar="NAME")
    ],
    to: Annotated[Path, typer.Option(help="The folder of the package; it must be new or empty.")] = Path(
        "sector"
    ),
    as_json: Json = False,
) -> int:
    """Begin a sector of your own: a package with a commented declaration that runs and passes the check.

    Example: [bold]jinka sector new com.example.ski --to ski && pip install ./ski && jinka sector check
    com.example.ski[/bold]
    """
    from jinka.app.sector_new import begin_sector

    made = [str(path) for path in begin_sector(name, to)]
    if as_json:
        put_json(made)
        return 0
    for path in made:
        say(path)
    return 0


def _table(heads: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
