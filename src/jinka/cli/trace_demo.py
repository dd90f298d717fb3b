"""`jinka trace demo`: something to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put_either
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
_TOLD = {
    Language.EN: (
        "{accepted} simulated events in {file} ({duplicate} were told twice, {refused} refused)\n"
        "where a biscuit comes from:   jinka trace back {item} --at {file} --svg back.svg\n"
        "where its wheat went:         jinka trace forward {lot} --at {file}\n"
        "recall that wheat:            jinka trace recall draft 'mould' {lot} --by li --at {file}\n"
        "serve it (EPCIS 2.0, /check): jinka trace serve {file}"
    ),
    Language.ZH: (
        "{file} 中有 {accepted} 个模拟事件（重复上报 {duplicate}，拒绝 {refused}）\n"
        "饼干来自哪里：   jinka trace back {item} --at {file} --lang zh --svg back.svg\n"
        "小麦去了哪里：   jinka trace forward {lot} --at {file} --lang zh\n"
        "召回这批小麦：   jinka trace recall draft 霉变 {lot} --by li --at {file} --lang zh\n"
        "对外提供查询（EPCIS 2.0、/check）： jinka trace serve {file}"
    ),
}


@app.command()
@command
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="A new folder for it.")] = Path("out/trace"),
    items: Annotated[int, typer.Option(min=120, max=1_000_000, help="Packs of biscuits.")] = 1_200,
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it.")] = 1,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of what is said.")] = Language.EN,
) -> None:
    """Make a repository with a simulated chain from wheat to biscuits, and say what to ask of it.

    Example: [bold]jinka trace demo --dir out/trace[/bold]
    """
    from jinka.app.trace_demo import make_demo

    facts = make_demo(directory, items=items, seed=seed).facts()
    put_either(facts, _TOLD[lang].format(**facts), as_json=as_json)
