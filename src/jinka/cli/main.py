"""The commands of `jinka`, one function each. Engines are imported inside, so that `jinka --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka import __version__
from jinka.app import DayOptions
from jinka.app.options import DATE_DEFAULT, RIDERS_DEFAULT, SEED_DEFAULT
from jinka.cli import (
    atm,
    audit,
    bench,
    bins,
    card,
    centre,
    centre_parcels,
    certificate,
    certificate_authority,
    certificate_service,
    dispute,
    federation,
    fees,
    files,
    fuzz,
    gateway,
    iso,
    issue,
    issuer,
    keys,
    keys_ceremony,
    keys_jobs,
    keys_orders,
    keys_records,
    make_records,
    pos,
    proof,
    records,
    records_consent,
    records_credit,
    records_serve,
    records_share,
    registry,
    registry_issues,
    sector,
    serve,
    settle,
    statistics,
    switch,
    tariff,
    trace,
    trace_access,
    trace_conditions,
    trace_demo,
    trace_epc,
    trace_hash,
    trace_lineage,
    trace_readers,
    trace_rebuild,
    trace_recall,
    trace_serve,
    window,
)
from jinka.cli import float as float_
from jinka.cli.frame import EXIT_CODES, Json, command, progress, put, put_json, put_table, say, settings
from jinka.kit import NotFound, parse_date
from jinka.reports import DayReport, Language, day_tables

_EPILOG = "Exit codes: " + ", ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + "."

app = typer.Typer(
    name="jinka",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(bench.app, name="bench")
app.add_typer(bins.app, name="bin")
app.add_typer(tariff.app, name="tariff")
app.add_typer(card.app, name="card")
certificate.app.add_typer(certificate_authority.app)
certificate.app.add_typer(certificate_service.app)
app.add_typer(certificate.app, name="certificate")
app.add_typer(dispute.app, name="dispute")
centre.app.add_typer(centre_parcels.app)
app.add_typer(centre.app, name="centre")
app.add_typer(federation.app, name="federation")
app.add_typer(fees.app, name="fees")
app.add_typer(files.app, name="files")
app.add_typer(float_.app, name="float")
app.add_typer(fuzz.app, name="fuzz")
app.add_typer(gateway.app, name="gateway")
app.add_typer(iso.app, name="iso")
app.add_typer(audit.app, name="audit")
records.app.add_typer(records_consent.app)
records.app.add_typer(records_share.app)
records.app.add_typer(records_serve.app)
records.app.add_typer(records_credit.app, name="credit")
app.add_typer(records.app, name="records")
registry_issues.register(registry.app)
app.add_typer(registry.app, name="registry")
app.add_typer(issuer.app, name="issuer")
app.add_typer(switch.app, name="switch")
app.add_typer(sector.app, name="sector")
app.add_typer(settle.app, name="settle")
app.add_typer(window.app, name="window")
app.add_typer(proof.app, name="proof")
app.add_typer(pos.app, name="pos")
app.add_typer(atm.app, name="atm")
trace.app.add_typer(trace_demo.app)
trace.app.add_typer(trace_epc.app)
trace.app.add_typer(trace_hash.app)
trace.app.add_typer(trace_lineage.app)
trace.app.add_typer(trace_conditions.app)
trace.app.add_typer(trace_rebuild.app)
trace.app.add_typer(trace_recall.app, name="recall")
trace.app.add_typer(trace_serve.app)
trace.app.add_typer(trace_access.app, name="access")
trace.app.add_typer(trace_readers.app, name="readers")
app.add_typer(trace.app, name="trace")
keys.app.add_typer(keys_ceremony.app)
keys.app.add_typer(keys_jobs.app)
keys.app.add_typer(keys_orders.app)
keys.app.add_typer(keys_records.app)
app.add_typer(keys.app, name="keys")
app.command(name="issue")(issue.issue)
app.command(name="make-records")(make_records.make_records)
app.command(name="statistics")(statistics.statistics)
app.command(name="serve")(serve.serve)
app.command(name="status")(serve.status)


def _version(wanted: bool) -> None:
    if wanted:
        put(__version__)
        raise typer.Exit(0)


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 its callback acts
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Example: [bold]jinka day --riders 2000 --dir out/day[/bold]

    Jinka (金卡) is a complete card scheme: chips, security modules, terminals, a clearing house and a ledger.
    Data goes to standard output, progress and messages to standard error.
    """
    settings.debug = debug


@app.command()
@command
def day(
    taps: Annotated[Path | None, typer.Option(help="Real taps to play (CSV or JSON pages).")] = None,
    riders: Annotated[int, typer.Option(help="Riders of the generated city.")] = RIDERS_DEFAULT,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = SEED_DEFAULT,
    date: Annotated[
        str | None,
        typer.Option(
            help="Business date, YYYY-MM-DD; without it that of most taps in the file, or of a generated city "
            f"{DATE_DEFAULT}."
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where everything is written; a folder in out/ by default.")
    ] = None,
    spoil: Annotated[
        float,
        typer.Option(help="Share of the records to put faults into, such as 0.01; a card bears one at most."),
    ] = 0.0,
    keys_socket: Annotated[
        Path | None,
        typer.Option(
            "--keys", help="Socket of a key service (jinka keys serve); keys in process without it."
        ),
    ] = None,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the table.")] = Language.EN,
) -> int:
    """Run a city's day: keys, cards, taps, clearing, settlement, books.

    Example: [bold]jinka day --taps taps.csv --json[/bold]
    """
    options = DayOptions(
        directory=directory,
        taps=taps,
        riders=riders,
        seed=seed,
        date=None if date is None else parse_date(date, where="--date"),
        spoil=spoil,
        keys=keys_socket,
    )
    from jinka.app.day import run_day

    with progress() as steps:
        report = run_day(options, steps)
    return _show(report, options.folder, as_json=as_json, lang=lang)


@app.command()
@command
def clear(
    directory: Annotated[Path, typer.Argument(help="Where a day was run (its --dir).", metavar="DIR")],
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the table.")] = Language.EN,
) -> int:
    """Clear again what was taken in: nothing is paid twice, and the results are the same bytes.

    Example: [bold]jinka clear out/day[/bold]
    """
    if not directory.is_dir():
        raise NotFound("no such folder", where=str(directory), fix="run jinka day first")
    from jinka.app.day import clear_again

    with progress() as steps:
        report = clear_again(directory, steps)
    return _show(report, directory, as_json=as_json, lang=lang)


@app.command()
@command
def doctor(as_json: Json = False) -> None:
    """List engines, readers, security modules, fonts and data: present, or the command that adds them.

    Example: [bold]jinka doctor --json[/bold]
    """
    from jinka.app.doctor import examine

    parts = examine()
    if as_json:
        put_json([part.as_dict() for part in parts])
    else:
        from jinka.cli.tables import doctor_table

        put_table(doctor_table(parts))


def _show(report: DayReport, directory: Path, *, as_json: bool, lang: Language) -> int:
    if as_json:
        put(report.to_json(with_run=True))
    else:
        put_table(day_tables(report, lang))
    say(f"report: {directory / 'report' / 'index.html'}")
    return report.exit_code


def main() -> None:
    """Run the command line; the entry point of the `jinka` script."""
    app(prog_name="jinka")
