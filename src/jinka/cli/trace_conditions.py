"""`jinka trace conditions` and `storage`: were things kept as they should, and may goods lie beside one another."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put_either
from jinka.cli.trace_lineage import At, Lang
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.app.trace_conditions import Conditions
    from jinka.trace.conditions import Course

app = typer.Typer(rich_markup_mode="rich")
_FINDINGS = 6
_W = {
    "kept": ("kept", "符合"), "broken": ("not kept", "不符合"), "readings": ("reports", "条读数"),
    "gap": ("nobody knows", "无数据"), "outside": ("outside", "超限"), "worst": ("worst", "最严重"),
    "open": ("and still is", "至今未恢复"), "none": ("nothing to object to", "未发现问题"), "seal": ("seal", "封志"),
}  # fmt: skip


@app.command()
@command
def conditions(
    thing: Annotated[
        str, typer.Argument(help="A URN, a Digital Link or an element string.", metavar="THING")
    ],
    limits: Annotated[Path, typer.Option(help="A file of limits (docs/recall.md).")],
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold a thing, with all that it lay in, to limits of temperature and the like. Code 6 where one was not kept.

    Example: [bold]jinka trace conditions urn:epc:id:sscc:0614141.1234567890 --limits cold.toml[/bold]
    """
    from jinka.app.trace_conditions import conditions_of

    found = conditions_of(at, thing, limits)
    put_either(_facts(found), _text(found, zh=lang is Language.ZH), as_json=as_json)
    return 0 if found.good else _FINDINGS


@app.command()
@command
def storage(
    file: Annotated[Path, typer.Argument(help="Zones and goods (docs/recall.md).", metavar="FILE")],
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold dangerous goods to the table of segregation and to the limits of their zones. Code 6 where one is broken.

    Example: [bold]jinka trace storage zones.toml --lang zh[/bold]
    """
    from jinka.app.trace_conditions import check_storage

    faults = check_storage(file)
    facts = [
        {
            "zone": f.zone,
            "goods": list(f.goods),
            "what": f.what,
            "needs": f.needs.words[0] if f.needs else None,
        }
        for f in faults
    ]
    zh = lang is Language.ZH
    lines = [
        f"{f.zone}: {', '.join(f.goods)}: {f.what}" + (f" ({f.needs.words[1]})" if zh and f.needs else "")
        for f in faults
    ]
    put_either(facts, "\n".join(lines) or _W["none"][zh], as_json=as_json)
    return _FINDINGS if faults else 0


def _text(found: Conditions, *, zh: bool) -> str:
    lines = []
    for course in found.courses:
        word = _W["kept" if course.kept else "broken"][zh]
        lines.append(f"{course.limit.name}: {word} ({course.readings} {_W['readings'][zh]})")
        for each in course.excursions:
            more = f", {_W['open'][zh]}" if each.open else ""
            lines.append(
                f"  {'!' if each.breach else ' '} {_W['outside'][zh]} {_time(each.since_us)} – {_time(each.until_us)}"
                f"{more}, {_W['worst'][zh]} {each.worst:g}"
            )
        lines += [f"  ? {_W['gap'][zh]} {_time(gap.since_us)} – {_time(gap.until_us)}" for gap in course.gaps]
    lines += [
        f"{_W['seal'][zh]}: {s.sign.value[zh]} ({s.before} → {s.now}) {_time(s.at_us)}" for s in found.seals
    ]
    return "\n".join(lines)


def _facts(found: Conditions) -> dict[str, object]:
    return {
        "thing": found.thing,
        "good": found.good,
        "limits": [_course_facts(course) for course in found.courses],
        "seals": [
            {"sign": s.sign.value[0], "at": _time(s.at_us), "before": s.before, "now": s.now}
            for s in found.seals
        ],
    }


def _course_facts(course: Course) -> dict[str, object]:
    return {
        "limit": course.limit.name, "kept": course.kept, "readings": course.readings, "unread": course.unread,
        "lowest": course.lowest, "highest": course.highest,
        "excursions": [
            {"since": _time(e.since_us), "until": _time(e.until_us), "worst": e.worst, "breach": e.breach,
             "open": e.open}
            for e in course.excursions
        ],
        "gaps": [{"since": _time(g.since_us), "until": _time(g.until_us)} for g in course.gaps],
    }  # fmt: skip


def _time(at_us: int) -> str:
    return dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat().replace("+00:00", "Z")
