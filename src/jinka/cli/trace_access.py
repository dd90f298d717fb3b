"""`jinka trace access`: who takes part in a repository's chain, what each shares, and who looked at what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put_either
from jinka.reports import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Participants and what they see. Example: [bold]jinka trace access list trace.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The repository's file (docs/epcis.md).", metavar="FILE")]
Who = Annotated[str, typer.Argument(help="The participant.", metavar="ID")]
Lang = Annotated[Language, typer.Option(help="Language of what is said.")]
_WORDS = {
    Language.EN: {
        "line": "{id}: {owns}; up {up}, down {down}", "nothing": "nothing of its own", "captures": "captures for",
        "sees_all": "sees all", "signs": "signs", "stopped": "stopped", "nobody": "nobody",
        "no looks": "nobody looked", "whole": "whole", "redacted": "redacted", "none": "nothing", "and": ", ",
        "look": "{at}  {participant}: {what} ({shown} shown, {hidden} hidden)", "mark": "; ",
    },
    Language.ZH: {
        "line": "{id}：{owns}；对上游{up}，对下游{down}", "nothing": "无自有标识", "captures": "可代报",
        "sees_all": "可见全部", "signs": "须签名", "stopped": "已停用", "nobody": "尚无参与方",
        "no looks": "尚无查阅记录", "whole": "全部可见", "redacted": "脱敏可见", "none": "不可见", "and": "、",
        "look": "{at}  {participant}：{what}（可见 {shown}，隐藏 {hidden}）", "mark": "；",
    },
}  # fmt: skip


@app.command("put")
@command
def put_one(
    file: File,
    id_: Who,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    owns: Annotated[
        list[str] | None,
        typer.Option(
            help="A place, a party, or a GS1 company prefix of its own; once for each. '': nothing."
        ),
    ] = None,
    up: Annotated[
        str | None, typer.Option(help="What those before it see: nothing, redacted (at first), whole.")
    ] = None,
    down: Annotated[str | None, typer.Option(help="What those behind it see.")] = None,
    captures: Annotated[
        list[str] | None,
        typer.Option(help="A place or prefix of another's, whose events it captures too; once for each."),
    ] = None,
    certificate: Annotated[str | None, typer.Option(help="The common name in its certificate.")] = None,
    sees_all: Annotated[
        bool | None, typer.Option("--sees-all/--sees-its-part", help="An authority sees everything.")
    ] = None,
    signs: Annotated[
        bool | None, typer.Option("--signs/--no-signs", help="What it captures must be signed.")
    ] = None,
    new_token: Annotated[bool, typer.Option("--new-token", help="Give it another token.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Add a participant, or change what is named of it. A new token is shown once, and kept only as a hash.

    Example: [bold]jinka trace access put trace.toml mill --owns 6901234 --down whole[/bold]
    """
    from jinka.app.trace_access import put_participant

    facts = put_participant(
        file, id_, name=name, owns=[own for own in owns if own] if owns else None, up=up, down=down,
        sees_all=sees_all, signs=signs, certificate=certificate, new_token=new_token,
        captures=[one for one in captures if one] if captures else None,
    )  # fmt: skip
    token = f"\n{facts['token']}" if "token" in facts else ""
    put_either(facts, _line(facts, lang) + token, as_json=as_json)


@app.command()
@command
def stop(file: File, id_: Who, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Let a participant in no more. What it captured stays its own.

    Example: [bold]jinka trace access stop trace.toml mill[/bold]
    """
    from jinka.app.trace_access import stop_participant

    facts = stop_participant(file, id_)
    put_either(facts, _line(facts, lang), as_json=as_json)


@app.command("list")
@command
def list_all(file: File, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List the participants and what each shares.

    Example: [bold]jinka trace access list trace.toml[/bold]
    """
    from jinka.app.trace_access import list_participants

    found = list_participants(file)
    lines = [_line(each, lang) for each in found]
    put_either(found, "\n".join(lines) or _WORDS[lang]["nobody"], as_json=as_json)


@app.command()
@command
def looks(
    file: File,
    participant: Annotated[str, typer.Option("--by", help="Of this participant alone.")] = "",
    most: Annotated[int, typer.Option(help="Looks at most.", min=1)] = 100,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show who looked at what, the newest first.

    Example: [bold]jinka trace access looks trace.toml --by mill[/bold]
    """
    from jinka.app.trace_access import list_looks

    found = list_looks(file, participant, most)
    words = _WORDS[lang]
    lines = [words["look"].format(**look) for look in found]
    put_either(found, "\n".join(lines) or words["no looks"], as_json=as_json)


def _line(facts: Mapping[str, Any], lang: Language) -> str:
    words = _WORDS[lang]
    levels = {way: words["none" if facts[way] == "nothing" else facts[way]] for way in ("up", "down")}
    owns = words["and"].join(facts["owns"]) or words["nothing"]
    parts = [words["line"].format(id=facts["id"], owns=owns, **levels)]
    if facts["captures"]:
        parts.append(f"{words['captures']} {words['and'].join(facts['captures'])}")
    parts += [words[mark] for mark in ("sees_all", "signs") if facts[mark]]
    return words["mark"].join(parts if facts["active"] else [*parts, words["stopped"]])
