"""`jinka bench NAME`: rates, each beside a peer in the same run, as JSON on standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import Json, command, json_command, put_json, put_table
from jinka.cli.numbers import number
from jinka.kit import Usage

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Measure a rate, beside a peer in the same run. Example: [bold]jinka bench tac[/bold]",
)


@app.command()
@json_command
def tac(
    count: Annotated[int, typer.Option(min=1000, help="Records to check, each of another card.")] = 1_000_000,
) -> dict[str, Any]:
    """TAC checks a second on one core, 3DES and SM4, beside a loop over `cryptography`."""
    from jinka.app.bench_tac import bench_tac

    return bench_tac(count)


@app.command()
@json_command
def purchase(
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to measure.")] = 5.0,
) -> dict[str, Any]:
    """Full purchases a second on one core: card, PSAM, MAC1, MAC2 and TAC, all by APDUs."""
    from jinka.app.bench_purchase import bench_purchase

    return bench_purchase(seconds)


@app.command()
@json_command
def clear(
    records: Annotated[
        list[int] | None,
        typer.Option(
            parser=number, metavar="NUMBER", help="Records to clear, such as 10M; once for each size."
        ),
    ] = None,
    cards: Annotated[
        int | None,
        typer.Option(parser=number, metavar="NUMBER", help="Distinct cards; by default half as many."),
    ] = None,
    memory: Annotated[
        int, typer.Option(min=256, help="MiB that DuckDB may use before it goes to the disk.")
    ] = 5_120,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the files may lie meanwhile.")] = None,
) -> dict[str, Any]:
    """Records a second from Parquet to posted positions, with the TAC check.

    Example: [bold]jinka bench clear --records 1M --records 10M[/bold]
    """
    from jinka.app.bench_clear import bench_clear

    return bench_clear(records or [1_000_000], cards=cards, memory_mib=memory, folder=folder)


@app.command()
@json_command
def card(
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="How long to measure.")] = 10.0,
) -> dict[str, Any]:
    """Purchases, bank transactions and personalised cards a second on one core, and bytes of a card image."""
    from jinka.app.bench_card import bench_card

    return bench_card(seconds)


@app.command()
@command
def keys(
    seconds: Annotated[float, typer.Option(min=0.5, max=3600, help="How long to measure.")] = 30.0,
    rows: Annotated[
        int, typer.Option(min=1000, max=10_000_000, help="Records and cards of a batch.")
    ] = 1_000_000,
    module: Annotated[
        Path | None, typer.Option(help="The SoftHSM2 module to measure; by default one that is found.")
    ] = None,
    token: Annotated[bool, typer.Option(help="Measure a SoftHSM2 token too, where there is one.")] = True,
    as_json: Json = False,
) -> None:
    """Verbs of the key service a second: soft in process, soft and SoftHSM2 over the socket."""
    from jinka.app.bench_keys import bench_keys
    from jinka.app.doctor import softhsm_module
    from jinka.cli.tables import rates_table

    found = bench_keys(seconds, rows, (module or softhsm_module()) if token else None)
    if as_json:
        put_json(found)
    else:
        put_table(rates_table(found["rates_per_second"], found["ratio_to_soft_in_process"]))


@app.command()
@json_command
def pcsc(
    count: Annotated[int, typer.Option(min=100, max=1_000_000, help="Commands to send.")] = 2_000,
) -> dict[str, Any]:
    """The time of one command through pcscd and the virtual reader; starts a pcscd of its own."""
    from jinka.app.card_latency import bench_pcsc

    return bench_pcsc(count)


@app.command()
@json_command
def iso8583(
    seconds: Annotated[float, typer.Option(min=0.2, max=600, help="How long to measure.")] = 6.0,
) -> dict[str, Any]:
    """Messages written and read a second on one core, beside pyiso8583 and iso8583sim."""
    from jinka.app.bench_iso8583 import bench_iso8583

    return bench_iso8583(seconds)


@app.command()
@json_command
def epc(
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to measure.")] = 6.0,
    rows: Annotated[int, typer.Option(min=2_000, max=50_000_000, help="Tags in the batch.")] = 1_000_000,
) -> dict[str, Any]:
    """Tags decoded a second on one core, one by one and in batch, beside epcpy."""
    from jinka.app.bench_epc import bench_epc

    return bench_epc(seconds, rows)


@app.command()
@json_command
def switch(
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to measure each point.")] = 4.0,
    in_flight: Annotated[
        list[int] | None,
        typer.Option(min=4, max=4096, help="Requests under way at once; may be given again."),
    ] = None,
    issuer: Annotated[
        str, typer.Option(help="table: an issuer that says yes; host: the issuer's host with its books.")
    ] = "table",
) -> dict[str, Any]:
    """Authorisations a second over TCP, with MACs, PIN translation and a durable journal; what each part costs."""
    from jinka.app.bench_switch import IN_FLIGHT, bench_switch

    if issuer not in ("table", "host"):
        raise Usage("no such issuer", where="--issuer", fix="table or host")
    return bench_switch(seconds, in_flight or IN_FLIGHT, host=issuer == "host")


@app.command()
@json_command
def issuer(
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to measure each point.")] = 4.0,
    cards: Annotated[
        list[int] | None,
        typer.Option(min=1, max=100_000, help="Cards that the requests are of; may be given again."),
    ] = None,
    in_flight: Annotated[int, typer.Option(min=4, max=4096, help="Requests under way at once.")] = 64,
) -> dict[str, Any]:
    """Authorisations a second of the issuer's host over TCP: stripe, PIN and MACs checked, durable books."""
    from jinka.app.bench_issuer import CARDS, bench_issuer

    return bench_issuer(seconds, cards or CARDS, in_flight=in_flight)


@app.command()
@json_command
def ledger(
    transfers: Annotated[int, typer.Option(min=1000, help="Transfers of each kind.")] = 163_800,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="sqlite or postgres; both without it. PostgreSQL starts its own server."),
    ] = None,
    prefill: Annotated[
        int, typer.Option(min=0, help="Measure again in a database with so many transfers in it already.")
    ] = 0,
) -> dict[str, Any]:
    """Transfers a second on each ledger engine: simple, limited, linked and two-phase, beside plain SQL."""
    from jinka.app.bench_ledger import bench_ledger

    return bench_ledger(transfers, engine or ("sqlite", "postgres"), prefill)


@app.command()
@json_command
def trace(
    items: Annotated[
        int,
        typer.Option(
            parser=number, metavar="NUMBER", help="Items of the chain that is captured, such as 1M."
        ),
    ] = 20_000,
    events: Annotated[
        int,
        typer.Option(parser=number, metavar="NUMBER", help="Events that the index of the recall stands for."),
    ] = 100_000,
    lot: Annotated[
        int, typer.Option(min=10, max=10_000, help="Items of a lot: events name more or fewer things.")
    ] = 200,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the files may lie meanwhile.")] = None,
) -> dict[str, Any]:
    """EPCIS events captured and hashed a second on one core, exact traces of a known chain, recalls in a large index.

    Example: [bold]jinka bench trace --items 1M --events 10M[/bold]
    """
    from jinka.app.bench_trace import bench_trace

    return bench_trace(items, events, folder, lot=lot)
