"""`jinka keys serve-job`, `enrol-job`, `end-job`: TAC keys beside the executors of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put_either, put_json, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Issuer = Annotated[Path, typer.Argument(help="The socket of the issuer's key service.", metavar="SOCKET")]
Job = Annotated[str, typer.Option(help="The job's name.")]


@app.command("serve-job")
@command
def serve_job(
    issuer: Issuer,
    job: Job,
    socket: Annotated[Path, typer.Option(help="Where to listen; JINKA_JOB_KEYS of the executor.")],
    caller: Annotated[
        str, typer.Option(help="The name that the issuer's service knows this one by.")
    ] = "executor",
) -> None:
    """Check TACs for the executor on this machine, until SIGTERM or Ctrl-C; it holds keys of the cards it meets alone.

    One line of JSON on standard output shows the public key, which enrol-job takes.

    Example: [bold]jinka keys serve-job bank/keys.sock --job 2018-09-01 --socket /run/job.sock[/bold]
    """
    import signal

    from jinka.app.job_keys import job_serving

    serving = job_serving(issuer, caller=caller, job=job, socket=socket)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: serving.server.interrupt())
    try:
        facts = serving.start()
        put_json(facts)
        if not facts["memory_locked"]:
            say("the system does not lock all memory: raise RLIMIT_MEMLOCK")
        serving.server.wait()
    finally:
        serving.stop()


@app.command("enrol-job")
@command
def enrol_job(
    issuer: Issuer,
    job: Job,
    public: Annotated[list[str], typer.Option(help="A service's public key in hex; once for each.")],
    cards: Annotated[int, typer.Option(min=1, help="How many cards' keys each may order at most.")],
    hours: Annotated[int, typer.Option(min=1, max=48, help="How long.")] = 4,
    caller: Annotated[str, typer.Option(help="The name that the service knows this caller by.")] = "clearing",
    as_json: Json = False,
) -> None:
    """Let the services beside a job's executors order the TAC keys of the cards they meet.

    Example: [bold]jinka keys enrol-job bank/keys.sock --job 2018-09-01 --public 3f.. --cards 3000000[/bold]
    """
    from jinka.app.job_keys import enrol

    made = enrol(issuer, caller=caller, job=job, publics=public, hours=hours, cards=cards)
    put_either(made, f"{made['enrolled']} enrolled for {job}, {hours} h, {cards} cards each", as_json=as_json)


@app.command("end-job")
@command
def end_job(
    issuer: Issuer,
    job: Job,
    caller: Annotated[str, typer.Option(help="The name that the service knows this caller by.")] = "clearing",
    as_json: Json = False,
) -> None:
    """Give out no more keys for a job.

    Example: [bold]jinka keys end-job bank/keys.sock --job 2018-09-01[/bold]
    """
    from jinka.app.job_keys import end

    made = end(issuer, caller=caller, job=job)
    put_either(made, f"{made['ended']} were enrolled for {job}", as_json=as_json)
