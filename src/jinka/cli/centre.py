"""`jinka centre`: one data centre of a federation: made, certified, loaded, served, asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.app.options import TARIFF_DEFAULT
from jinka.cli.frame import Json, command, json_command, put, put_json, put_table
from jinka.kit import Usage, format_minor, parse_date
from jinka.reports import Language

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="A city's, province's or the nation's data centre. Example: [bold]jinka centre status out/4403[/bold]",
)
Directory = Annotated[Path, typer.Argument(help="The centre's folder.", metavar="DIR")]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
FINDINGS = 6
_HEADS = {
    Language.EN: ("day", "state", "due from parent", "children", "books"),
    Language.ZH: ("营业日", "状态", "应收上级", "下级头寸", "账务"),
}
_WORDS = {
    Language.EN: {
        "settled": "settled",
        "waits": "waits for {}",
        "stopped": "STOPPED",
        "holds": "hold",
        "broken": "DO NOT HOLD",
        "cap": "cap at {parent}: owed {owed} of {limit} on {date}, {waiting} wait",
    },
    Language.ZH: {
        "settled": "已结算",
        "waits": "等待 {}",
        "stopped": "已停止",
        "holds": "相符",
        "broken": "不符",
        "cap": "上级 {parent} 净借记限额：{date} 已用 {owed}，限额 {limit}，待下场 {waiting}",
    },
}


@app.command()
@json_command
def init(
    directory: Directory,
    tier: Annotated[str, typer.Option(help="city, province or nation.")],
    code: Annotated[str, typer.Option(help="The centre's code in the federation.")],
    region: Annotated[str, typer.Option(help="GB/T 2260.")] = "440300",
    first_date: Annotated[str, typer.Option(help="First business day, YYYY-MM-DD.")] = "2018-09-03",
    parent: Annotated[str, typer.Option(help="The parent's address, https://HOST:PORT.")] = "",
    parent_code: Annotated[str, typer.Option(help="The parent's code.")] = "",
    listen: Annotated[str, typer.Option(help="HOST:PORT where children come to.")] = "",
    participant: Annotated[
        list[str] | None, typer.Option(help="Whose books it keeps; once for each.")
    ] = None,
    issuer: Annotated[str, typer.Option(help="Of a city: whose cards it judges.")] = "",
    government: Annotated[str, typer.Option(help="Of a city: who bears declared discounts.")] = "",
    scheme: Annotated[str, typer.Option(help="Of a city: who earns the scheme's fee.")] = "scheme.jinka",
    tariff: Annotated[str, typer.Option(help="Of a city: what its records are priced by.")] = TARIFF_DEFAULT,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Draw keys too, with all shares in the folder.")
    ] = False,
) -> dict[str, Any]:
    """Make a centre's folder. Without --simulated, keys come from jinka keys ceremony in the same folder.

    Example: [bold]jinka centre init out/00 --tier nation --code 00 --simulated[/bold]
    """
    from jinka.app.centre_folder import NewCentre, hold_simulated, make_centre, summary
    from jinka.clearing.tiers import Tier

    if tier not in {each.value for each in Tier}:
        raise Usage(f"no tier {tier!r}", where="--tier", fix="city, province or nation")
    if bool(parent) != bool(parent_code):
        raise Usage("one without the other", where="--parent", fix="give --parent and --parent-code")
    make_centre(
        directory,
        NewCentre(
            tier=Tier(tier), code=code, region=region, zone="Asia/Shanghai",
            first_date=parse_date(first_date, where="--first-date"),
            participants=[*(participant or []), *([issuer] if issuer else [])],
            parent=(parent_code, parent) if parent else None, listen=listen, issuer=issuer,
            government=government, scheme=scheme, tariff=tariff, fees_bp={"scheme": 20, "issuer": 10, "acquirer": 20},
        ),
    )  # fmt: skip
    if simulated:
        hold_simulated(directory, date=first_date)
    return summary(directory)


@app.command()
@json_command
def admit(
    directory: Directory,
    code: Annotated[str, typer.Argument(help="The child's code.", metavar="CODE")],
    below: Annotated[list[str] | None, typer.Option(help="A centre below the child; once for each.")] = None,
    participant: Annotated[
        list[str] | None, typer.Option(help="A participant below it that others pay or are paid by.")
    ] = None,
) -> dict[str, Any]:
    """Admit a child, for the centres and participants that it may speak for.

    Example: [bold]jinka centre admit out/44 4403 --participant issuer.4403[/bold]
    """
    from jinka.app.centre_folder import admit as admit_child
    from jinka.app.centre_folder import summary

    admit_child(directory, code, centres=below or [], participants=participant or [])
    return summary(directory)


@app.command()
@json_command
def request(
    directory: Directory,
    organisation: Annotated[str, typer.Option(help="Who runs the centre.")],
    organisation_code: Annotated[str, typer.Option(help="Its unified social credit code.")],
    dns_name: Annotated[str, typer.Option(help="The host in the address at which others reach it.")],
    renew: Annotated[
        bool, typer.Option("--renew", help="Ask for a new TLS key beside the one in use.")
    ] = False,
) -> dict[str, Any]:
    """Write the requests for its certificates. The line's authority answers them (jinka certificate).

    Example: [bold]jinka centre request out/44 --organisation "Centre" --organisation-code 91350100M000100Y43
    --dns-name localhost[/bold]
    """
    from jinka.app.centre_config import read_config
    from jinka.app.centre_folder import request_papers
    from jinka.app.centre_papers import CentreName

    code = read_config(directory).around.code
    papers = request_papers(
        directory,
        CentreName(
            code=code, organisation=organisation, organisation_code=organisation_code, dns_name=dns_name
        ),
        renew=renew,
    )
    return {"tls": str(papers.tls_request), "sign": str(papers.sign_request)}


@app.command()
@json_command
def install(
    directory: Directory,
    tls: Annotated[Path, typer.Option(help="The TLS certificate with those above it (PEM).")],
    sign: Annotated[Path, typer.Option(help="The signing certificate with those above it.")],
    above: Annotated[Path, typer.Option(help="The line's authority and its root.")],
    crl: Annotated[Path | None, typer.Option(help="Their revocation lists.")] = None,
) -> dict[str, Any]:
    """Take in the certificates that were issued for the requests here.

    Example: [bold]jinka centre install out/44 --tls tls.pem --sign sign.pem --above above.pem[/bold]
    """
    from jinka.app.centre_serving import install_papers

    install_papers(directory, tls=tls, sign=sign, above=above, lists=crl)
    return {"installed": str(directory)}


@app.command()
@json_command
def load(
    directory: Directory,
    source: Annotated[
        Path, typer.Argument(help="A folder with a Parquet file for each table.", metavar="FOLDER")
    ],
) -> dict[str, Any]:
    """Replace a city's registry: participants, terminals, psams, cards, listings, acknowledgements.

    Example: [bold]jinka centre load out/4403 registry/[/bold]
    """
    from jinka.app.centre_folder import load_registry_files

    return load_registry_files(directory, source)


@app.command()
@json_command
def close(
    directory: Directory,
    date: Annotated[str, typer.Argument(help="The business day, YYYY-MM-DD.", metavar="DAY")],
) -> dict[str, Any]:
    """Say that all deliveries of a day are in the city's inbox; its round begins.

    Example: [bold]jinka centre close out/4403 2018-09-03[/bold]
    """
    from jinka.app.centre_folder import close_day

    close_day(directory, parse_date(date, where="DAY"))
    return {"closed": date}


@app.command()
@json_command
def suspend(
    directory: Directory,
    code: Annotated[str, typer.Argument(help="The neighbour's code.", metavar="CODE")],
    officer: Annotated[str, typer.Option(help="Who says so.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> dict[str, Any]:
    """Let a neighbour's parcels wait, and no round wait for it.

    Example: [bold]jinka centre suspend out/44 4403 --officer chen --reason audit[/bold]
    """
    from jinka.app.centre_serving import suspend_neighbour

    return suspend_neighbour(directory, code, officer=officer, reason=reason, suspended=True)


@app.command()
@json_command
def resume(
    directory: Directory,
    code: Annotated[str, typer.Argument(help="The neighbour's code.", metavar="CODE")],
    officer: Annotated[str, typer.Option(help="Another one than who suspended it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> dict[str, Any]:
    """Let a suspended neighbour's parcels in again.

    Example: [bold]jinka centre resume out/44 4403 --officer li --reason settled[/bold]
    """
    from jinka.app.centre_serving import suspend_neighbour

    return suspend_neighbour(directory, code, officer=officer, reason=reason, suspended=False)


@app.command()
@command
def up(directory: Directory) -> None:
    """Serve until SIGTERM or Ctrl-C. One line of JSON on standard output says where.

    Example: [bold]jinka centre up out/44[/bold]
    """
    from jinka.app.centre_serving import serve_centre

    serve_centre(directory, ready=put_json)


@app.command()
@command
def status(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> int:
    """Say where a centre's rounds stand, also while it is up. It ends with 6 when something has to be done.

    A round that was stopped, books that do not hold, a parcel of this centre that another one parked or refused.

    Example: [bold]jinka centre status out/44 --lang zh[/bold]
    """
    from jinka.app.centre_serving import centre_status

    found = centre_status(directory)
    code = 0 if all(map(_well, found["rounds"])) and not _held_elsewhere(found) else FINDINGS
    if as_json:
        put_json(found)
        return code
    from rich.table import Table

    table, words = Table(box=None, pad_edge=False, header_style="bold"), _WORDS[lang]
    for head in _HEADS[lang]:
        table.add_column(head, overflow="fold")
    for each in found["rounds"]:
        if each.get("stopped"):
            table.add_row(each["date"], words["stopped"], "", "", "")
            continue
        if "position" not in each:
            table.add_row(each["date"], words["waits"].format(each["waits_for"]), "", "", "")
            continue
        position = each["position"]
        children = ", ".join(f"{code} {_signed(amount)}" for code, amount in position["children"].items())
        books = words["holds" if each["proof"]["holds"] and each["trial"]["balances"] else "broken"]
        table.add_row(each["date"], words["settled"], _signed(position["due"]), children, books)
    put(f"{found['tier']} {found['code']}")
    put_table(table)
    if (cap := found["cap_above"]) is not None:
        amounts = {name: _signed(cap[name]) for name in ("limit", "owed", "waiting")}
        put(words["cap"].format(parent=cap["parent"], date=cap["date"], **amounts))
    for each in [*found["findings"], *(one for row in found["rounds"] for one in row.get("findings", []))]:
        put(f"{each['code']}  {each['where']}: {each['what']}")
    return code


def _well(row: dict[str, Any]) -> bool:
    if row.get("stopped"):
        return False
    return "position" not in row or bool(row["proof"]["holds"] and row["trial"]["balances"])


def _held_elsewhere(found: dict[str, Any]) -> bool:
    return any(each["state"] not in ("released", "resent") for each in found["own_parcels"])


def _signed(amount: int) -> str:
    return ("-" if amount < 0 else "") + format_minor(abs(amount))
