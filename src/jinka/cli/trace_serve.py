"""`jinka trace serve`, `capture` and `query`: an EPCIS 2.0 repository, and documents and questions for one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import Json, command, put_either, put_json, say
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
At = Annotated[
    str,
    typer.Option(help="A server (http://...), its file (trace.toml) or a database.", metavar="PLACE"),
]
Token = Annotated[Path | None, typer.Option(help="A file with a participant's token.", metavar="FILE")]
Key = Annotated[Path | None, typer.Option(help="Sign with this private key (PEM).", metavar="FILE")]
Chain = Annotated[
    Path | None, typer.Option(help="The signer's certificate and those above it (PEM).", metavar="FILE")
]
Lang = Annotated[Language, typer.Option(help="Language of what is said.")]
_CAPTURED = {
    Language.EN: "{file}: {accepted} accepted, {duplicate} duplicate, {refused} refused",
    Language.ZH: "{file}：接收 {accepted}，重复 {duplicate}，拒绝 {refused}",
}
_FOUND = {Language.EN: "{} events", Language.ZH: "{} 个事件"}
_MORE = {
    Language.EN: "there are more: --most N, or --all",
    Language.ZH: "还有更多：请用 --most N 或 --all",
}
_MORE_CODE = 6

_FOLDER = Path("out/trace")
_MADE = {
    Language.EN: "made {file}: an empty repository. {folder} will hold its database and its secret: keep both.",
    Language.ZH: "已创建 {file}：空的事件库。{folder} 将保存数据库与密钥文件，请一并妥善保管。",
}
_NEXT = {
    Language.EN: (
        "capture documents:   jinka trace capture events.jsonld --at {at}\n"
        "ask for events:      jinka trace query EQ_bizStep=shipping --at {at}\n"
        "check a code:        {at}/check\n"
        "let participants in: jinka trace access put {file} farm --owns 4012345, and [access] in {file}"
    ),
    Language.ZH: (
        "采集文档：   jinka trace capture events.jsonld --at {at}\n"
        "查询事件：   jinka trace query EQ_bizStep=shipping --at {at}\n"
        "编码核验：   {at}/check\n"
        "登记参与方： jinka trace access put {file} farm --owns 4012345，并在 {file} 中启用 [access]"
    ),
}


@app.command()
@command
def serve(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The repository's file (docs/epcis.md); without it that of --dir, made if there is none.",
            metavar="FILE",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help=f"Where a repository is, or is made; {_FOLDER} without it."),
    ] = None,
    lang: Lang = Language.EN,
) -> None:
    """Serve EPCIS 2.0 until SIGTERM or Ctrl-C. JSON on standard output says where.

    Without a file it makes an empty repository first, and says what to do next.

    Example: [bold]jinka trace serve --dir out/trace[/bold]
    """
    from jinka.app.trace_open import open_repository
    from jinka.app.trace_serving import serve_trace

    path, made = open_repository(file, directory, _FOLDER)
    if made:
        say(_MADE[lang].format(file=path, folder=path.parent))

    def listening(facts: dict[str, Any]) -> None:
        put_json({"file": str(path), **facts})
        if made:
            say(_NEXT[lang].format(file=path, at=str(facts["epcis"]).rstrip("/")))

    serve_trace(path, listening=listening)


@app.command()
@command
def capture(
    files: Annotated[list[Path], typer.Argument(help="EPCIS documents, JSON or XML.", metavar="FILES")],
    at: At = "http://127.0.0.1:8490",
    proceed: Annotated[
        bool, typer.Option(help="Keep what is good of a document, even if some is not.")
    ] = False,
    token: Token = None,
    key: Key = None,
    certificate: Chain = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Capture documents, each all or nothing. Sending one again changes nothing. Code 4 if an event was refused.

    Example: [bold]jinka trace capture events.jsonld --at trace.toml[/bold]
    """
    from jinka.app.trace_serving import capture_files
    from jinka.app.trace_signing import read_token, signer_of

    jobs = capture_files(
        at, files, proceed=proceed, token=read_token(token), sign=signer_of(key, certificate)
    )
    lines = []
    for job in jobs:
        lines.append(_CAPTURED[lang].format(file=job["file"], **job["counts"]))
        lines += [f"  {error['detail']}" for error in job["errors"]]
    put_either(jobs, "\n".join(lines), as_json=as_json)
    return 0 if all(job["success"] for job in jobs) else 4


@app.command()
@command
def query(
    parameters: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=VALUE as in a URL: EQ_bizStep=shipping.", metavar="PARAMETERS"),
    ] = None,
    at: At = "http://127.0.0.1:8490",
    epc_format: Annotated[
        str, typer.Option(help="Always_GS1_Digital_Link, Always_EPC_URN or Never_Translates.")
    ] = "Always_GS1_Digital_Link",
    most: Annotated[int, typer.Option(help="Events at most.", min=1)] = 1_000,
    everything: Annotated[bool, typer.Option("--all", help="Every event, however many there are.")] = False,
    token: Token = None,
    as_json: Json = False,  # noqa: ARG001 it is JSON anyway
    lang: Lang = Language.EN,
) -> int:
    """Print the events that pass every parameter, as one EPCIS query document. Code 6 where there are more of them.

    Example: [bold]jinka trace query MATCH_anyEPC=urn:epc:id:sscc:0614141.1234567890 --at trace.toml[/bold]
    """
    from jinka.app.trace_serving import query_events
    from jinka.app.trace_signing import read_token

    found, more = query_events(
        at, parameters or [], epc_format=epc_format, most=None if everything else most, token=read_token(token)
    )  # fmt: skip
    put_json(found)
    say(_FOUND[lang].format(len(found["epcisBody"]["queryResults"]["resultsBody"]["eventList"])))
    if more:
        say(_MORE[lang])
    return _MORE_CODE if more else 0
