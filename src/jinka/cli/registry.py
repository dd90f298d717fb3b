"""`jinka registry`: numbers applied for, reviewed by a second officer, granted, suspended, ended."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table
from jinka.kit import Usage, parse_date
from jinka.reports import Language

if TYPE_CHECKING:  # its tables are Arrow's, and help loads no engine
    from jinka.registry import Kind, Registration

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Register issuers, ranges, AIDs, centres, devices, tag owners, organisations and citizens; grant what an "
    "issue rests on, and enter what was issued. "
    "Example: [bold]jinka registry list --dir out/bureau[/bold]",
)
KIND_NAMES = (
    "issuer-number", "card-range", "rid", "aid", "centre", "terminal", "psam", "tag-owner", "organisation", "citizen",
    "maker-licence", "product-certificate", "card-approval", "key-issue",
)  # fmt: skip
_ONE_OF = "One of " + ", ".join(KIND_NAMES) + "."
Directory = Annotated[Path, typer.Option("--dir", help="The folder of the register and its audit log.")]
Officer = Annotated[str, typer.Option(help="Who acts: a code such as li-si.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Papers = Annotated[
    list[Path] | None, typer.Option("--document", help="A document; its SHA-256 is kept, once for each.")
]
Number = Annotated[int, typer.Argument(help="The registration's number, as list shows it.", min=1)]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]


@app.callback()
def root() -> None:
    """Register what may be issued and admitted."""


@app.command()
@command
def apply(
    kind: Annotated[str, typer.Argument(help=f"What is applied for. {_ONE_OF}")],
    value: Annotated[str, typer.Argument(help="The number; for a range FIRST-LAST.")],
    directory: Directory,
    officer: Officer,
    holder: Annotated[str, typer.Option(help="Whom it is for: a participant's or organisation's code.")],
    under: Annotated[str, typer.Option(help="The centre of a terminal or PSAM.")] = "",
    valid_from: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today by default.")] = "",
    valid_to: Annotated[str, typer.Option("--to", help="Last day; ten years on by default.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What a grant covers, NAME=VALUE,VALUE, once for each name; * for any value."),
    ] = None,
    quantity: Annotated[int, typer.Option(help="How many may be issued on a grant; 0: no limit.")] = 0,
    fees: Annotated[
        str, typer.Option(help="Fees approved with a card: RULE,COST_FEN,NEW_FEN,AGAIN_FEN[,CARD].")
    ] = "",
    document: Papers = None,
    reason: Reason = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Apply for a number. A second officer reviews it.

    Example: [bold]jinka registry apply rid A000000333 --holder org.a --officer li-si --dir out/register[/bold]
    """
    from jinka.app.register_papers import digests, terms_of
    from jinka.app.registrar import Registrar

    wanted = _kind(kind)
    with Registrar(directory) as registrar:
        found = registrar.apply(
            wanted,
            value,
            holder=holder,
            officer=officer,
            under=under,
            valid_from=parse_date(valid_from, where="--from") if valid_from else None,
            valid_to=parse_date(valid_to, where="--to") if valid_to else None,
            reason=reason,
            terms=terms_of(scope or (), quantity, fees),
            documents=digests(document or ()),
        )
    _show(found, as_json=as_json, lang=lang)


def _verb(name: str, sentence: str) -> Callable[..., None]:
    """A command that does one act on one registration."""

    def run(
        number: Number,
        directory: Directory,
        officer: Officer,
        reason: Reason = "",
        document: Papers = None,
        as_json: Json = False,
        lang: Lang = Language.EN,
    ) -> None:
        from jinka.app.register_papers import digests
        from jinka.app.registrar import Registrar
        from jinka.registry import Act

        with Registrar(directory) as registrar:
            papers = digests(document or ())
            found = registrar.act(number, Act(name), officer=officer, reason=reason, documents=papers)
        _show(found, as_json=as_json, lang=lang)

    example = f"jinka registry {name} 1 --officer wang-wu --dir out/register"
    run.__doc__ = f"{sentence}\n\nExample: [bold]{example}[/bold]"
    run.__name__ = name
    return command(run)


for _name, _sentence in (
    ("review", "Review an application; not by whoever applied."),
    ("grant", "Grant what was reviewed; not by whoever applied."),
    ("refuse", "Refuse an application; say why."),
    ("suspend", "Suspend what was granted; say why."),
    ("resume", "Resume what was suspended; not by whoever suspended it; say why."),
    ("expire", "Close what is over by its date."),
    ("withdraw", "End a registration before its date, for good; say why."),
    ("appeal", "Appeal against a refusal or a withdrawal, within 60 days; say why."),
    ("allow", "Allow an appeal: it is decided anew; say why."),
    ("dismiss", "Dismiss an appeal, for good; say why."),
):
    app.command(name=_name)(_verb(_name, _sentence))


@app.command(name="list")
@command
def list_(
    directory: Directory,
    kind: Annotated[str, typer.Option(help=f"Only of this kind. {_ONE_OF}")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List registrations.

    Example: [bold]jinka registry list --dir out/bureau --lang zh[/bold]
    """
    from rich.table import Table

    from jinka.app.registrar import read_register
    from jinka.registry.words import KINDS, LABELS, STATES

    found = read_register(directory, _kind(kind) if kind else None)
    if as_json:
        put_json([_as_dict(registration) for registration in found])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("number", "kind", "value", "holder", "state", "validity"):
        table.add_column(_word(LABELS[name], lang), overflow="fold")
    for item in found:
        table.add_row(
            str(item.number),
            _word(KINDS[item.kind], lang),
            item.masked,
            item.holder,
            _word(STATES[item.state], lang),
            f"{item.valid_from} – {item.valid_to}",
        )
    put_table(table)


@app.command()
@command
def show(number: Number, directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Show one registration and what was done about it.

    Example: [bold]jinka registry show 1 --dir out/bureau[/bold]
    """
    from jinka.app.registrar import read_register
    from jinka.kit import NotFound

    found = next((item for item in read_register(directory) if item.number == number), None)
    if found is None:
        raise NotFound(f"no registration {number}", where=str(directory), fix="see jinka registry list")
    _show(found, as_json=as_json, lang=lang)


def _kind(name: str) -> Kind:
    from jinka.registry import Kind

    try:
        return Kind(name)
    except ValueError:
        raise Usage(f"no kind {name!r}", where="kind", fix=_ONE_OF) from None


def _show(found: Registration, *, as_json: bool, lang: Language) -> None:
    if as_json:
        put_json(_as_dict(found))
        return
    from jinka.registry.words import ACTS, KINDS, STATES

    put(
        f"{found.number}  {_word(KINDS[found.kind], lang)}  {found.masked}  {found.holder}  "
        f"{_word(STATES[found.state], lang)}  {found.valid_from} – {found.valid_to}"
    )
    if found.terms is not None:
        put(f"    {found.terms.to_text()}")
    for deed in found.deeds:
        line = f"    {_time(deed.at_micros)}  {_word(ACTS[deed.act], lang)}  {deed.officer}  {deed.reason}"
        put(line.rstrip())
        for digest in deed.documents:
            put(f"        SHA-256 {digest}")


def _as_dict(found: Registration) -> dict[str, Any]:
    told = {} if found.terms is None else {"terms": json.loads(found.terms.to_text())}
    return told | {
        "number": found.number,
        "kind": found.kind.value,
        "value": found.masked,
        "holder": found.holder,
        "under": found.under,
        "state": found.state.value,
        "valid_from": str(found.valid_from),
        "valid_to": str(found.valid_to),
        "acts": [
            {"act": d.act.value, "officer": d.officer, "at": _time(d.at_micros), "reason": d.reason}
            | ({"documents": list(d.documents)} if d.documents else {})
            for d in found.deeds
        ],
    }


def _time(micros: int) -> str:
    return f"{dt.datetime.fromtimestamp(micros // 1_000_000, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _word(pair: tuple[str, str], lang: Language) -> str:
    return pair[1] if lang is Language.ZH else pair[0]
