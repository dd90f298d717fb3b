"""`jinka pos` and what it shares with `jinka atm`: one command for each transaction, and for the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import command, put, put_json, say
from jinka.kit import Usage

if TYPE_CHECKING:
    from jinka.app.pos_counter import Slip

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Be a shop's terminal with virtual or real cards. "
    "Example: [bold]jinka pos sale --config pos.toml --card card.jci --amount 1234 --pin[/bold]",
)
_REFUSED, _DIFFER = 4, 6
Config = Annotated[
    Path, typer.Option("--config", help="The terminal's file (docs/pos-atm.md).", metavar="FILE")
]
Amount = Annotated[int, typer.Option(help="In fen.", min=0)]
CardFile = Annotated[Path | None, typer.Option("--card", help="A card's image; it is written back.")]
KeyFolder = Annotated[Path | None, typer.Option("--keys", help="The folder whose keys seal the image.")]
Reader = Annotated[str, typer.Option(help="A real reader's number or name, in the place of an image.")]
Contactless = Annotated[bool, typer.Option("--contactless", help="Tap it (qPBOC) instead of inserting it.")]
Stripe = Annotated[
    str,
    typer.Option(
        "--track2", help="What a swipe reads (NUMBER=YYMMSSS...), or @FILE; with --card, if the chip fails."
    ),
]
AskPin = Annotated[bool, typer.Option("--pin", help="Ask for the PIN when the card wants one.")]
PinFile = Annotated[Path | None, typer.Option(help="A file with the PIN, in the place of asking.")]
Target = Annotated[str, typer.Option("--to", help="The account that a transfer goes to.")]
Trace = Annotated[str, typer.Option(help="The trace number on the receipt of the original.")]
Batch = Annotated[str, typer.Option(help="Its batch; without it the newest with this trace number.")]
Lang = Annotated[str, typer.Option(help="en or zh.")]
Json = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]


@app.callback()
def root() -> None:
    """Be a shop's terminal with virtual or real cards."""


def add_card_command(to: typer.Typer, name: str, *, atm: bool, about: str) -> None:
    """A transaction that reads a card."""
    kind = "atm" if atm else "pos"

    @command
    def run(
        config: Config, amount: Amount = 0, card: CardFile = None, keys: KeyFolder = None, reader: Reader = "",
        contactless: Contactless = False, track2: Stripe = "", pin: AskPin = False, pin_file: PinFile = None,
        to_account: Target = "", lang: Lang = "en", as_json: Json = False,
    ) -> int:  # fmt: skip
        from jinka.app.card_link import CardPlace
        from jinka.app.pos import Shown, opened_terminal, verb_named

        place = None
        if card is not None or reader:
            place = CardPlace(image=card, keys=keys, reader=reader or "0")
        shown = Shown(
            card=place, contactless=contactless, track2=_track(track2), pin=_pin(ask=pin, file=pin_file)
        )
        with opened_terminal(config, atm=atm) as terminal:
            _tell_debts(terminal.resume())
            slip = terminal.with_card(verb_named(name, atm=atm), amount, shown, target=to_account)
            return _show(slip, terminal.file, lang=lang, as_json=as_json)

    sum_ = "" if name == "balance" else " --amount 10000"
    shown_ = f"jinka {kind} {name} --config {kind}.toml --card card.jci{sum_} --pin"
    run.__doc__ = f"{about}\n\nExample: [bold]{shown_}[/bold]"
    to.command(name=name)(run)


def add_follow_command(name: str, about: str) -> None:
    """A transaction about an earlier one of this terminal."""

    @command
    def run(
        config: Config, trace: Trace, batch: Batch = "",
        amount: Annotated[int | None, typer.Option(help="In fen; the original's without it.", min=1)] = None,
        lang: Lang = "en", as_json: Json = False,
    ) -> int:  # fmt: skip
        from jinka.app.pos import opened_terminal, verb_named

        with opened_terminal(config) as terminal:
            _tell_debts(terminal.resume())
            slip = terminal.about(verb_named(name, atm=False), trace, batch, amount)
            return _show(slip, terminal.file, lang=lang, as_json=as_json)

    run.__doc__ = f"{about}\n\nExample: [bold]jinka pos {name} --config pos.toml --trace 000001[/bold]"
    app.command(name=name)(run)


def add_shared_commands(to: typer.Typer, kind: str) -> None:
    """What both terminals do besides transactions with a card."""
    atm = kind == "atm"

    def add(name: str, work: Callable[..., int | None], about: str) -> None:
        work.__doc__ = f"{about}\n\nExample: [bold]jinka {kind} {name} --config {kind}.toml[/bold]"
        to.command(name=name)(command(work))

    def settle(config: Config, as_json: Json = True) -> None:  # noqa: ARG001 it prints data, which have no other form
        from jinka.app.pos import opened_terminal

        with opened_terminal(config, atm=atm) as terminal:
            _tell_debts(terminal.resume())
            put_json(terminal.settle())

    def status(config: Config, as_json: Json = True) -> None:  # noqa: ARG001 as above
        from jinka.app.pos import opened_terminal

        with opened_terminal(config, atm=atm) as terminal:
            put_json(terminal.state())

    def resume(config: Config, as_json: Json = True) -> None:  # noqa: ARG001 as above
        from jinka.app.pos import opened_terminal

        with opened_terminal(config, atm=atm) as terminal:
            put_json([asdict(slip) for slip in terminal.resume()])

    def script(
        steps: Annotated[Path, typer.Argument(help="A TOML file of steps.", metavar="STEPS")], config: Config,
        as_json: Json = True,  # noqa: ARG001 as above
    ) -> None:  # fmt: skip
        from jinka.app.pos import run_script

        put_json(run_script(config, steps, atm=atm))

    add("settle", settle, "Close the batch: totals are compared, and every item is told where they differ.")
    add("status", status, "What the terminal knows of itself: batch, totals, what it owes.")
    add("resume", resume, "Send what is owed: reversals, and facts that the host has to hear.")
    add("script", script, "Carry out many steps, one after the other.")


def _pin(*, ask: bool, file: Path | None) -> Callable[[], str | None]:
    if file is not None:
        return lambda: file.read_text(encoding="ascii").strip()
    if ask:
        return lambda: str(typer.prompt("PIN", hide_input=True, err=True)) or None
    return lambda: None


def _track(text: str) -> str:
    """A track, or what a file has: a command line is seen by everybody on the machine."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Usage("cannot be read", where=text[1:], fix="a file with a track") from None


def _tell_debts(slips: list[Slip]) -> None:
    for slip in slips:
        say(f"{slip.verb} {slip.trace}: {slip.status}")


def _show(slip: Slip, file: Any, *, lang: str, as_json: bool) -> int:
    from jinka.app.pos_receipt import receipt_lines

    if lang not in ("en", "zh"):
        raise Usage(f"no such language: {lang}", where="--lang", fix="en or zh")
    if as_json:
        put_json(asdict(slip))
    else:
        facts = file.facts
        lines = receipt_lines(
            slip, merchant=file.name, number=facts.merchant, terminal=facts.terminal, lang=lang
        )
        put("\n".join(lines))
    return 0 if slip.approved else _REFUSED


@app.command(name="sign-in")
@command
def sign_in(config: Config) -> None:
    """Fetch work keys from the host; a terminal that is told to sign in does it by itself before a transaction.

    Example: [bold]jinka pos sign-in --config pos.toml[/bold]
    """
    from jinka.app.pos import opened_terminal

    with opened_terminal(config) as terminal:
        terminal.till.sign_in()
        say(f"signed in; batch {terminal.till.batch}")


@app.command()
@command
def pad(
    config: Config,
    work_keys: Annotated[
        bool, typer.Option("--work-keys", help="Ask for work keys, not a master key.")
    ] = False,
    as_json: Json = True,  # noqa: ARG001 it prints data, which have no other form
) -> None:
    """Put keys into the terminal's PIN pad: it asks for them, in hex, and prints check values.

    Example: [bold]jinka pos pad --config pos.toml[/bold]
    """
    from jinka.app.pos import make_pad

    names = ("pin", "mac") if work_keys else ("master",)
    given = {name: str(typer.prompt(f"{name} key", hide_input=True, err=True)) for name in names}
    put_json(make_pad(config, **given))


@app.command(name="top-up")
@command
def top_up_purse(
    config: Config,
    card: Annotated[Path, typer.Option("--card", help="The purse's image; it is written back.")],
    amount: Annotated[int, typer.Option(help="In fen.", min=1)],
    keys: KeyFolder = None,
    bank_card: Annotated[
        str, typer.Option("--track2", help="The bank card that pays, or @FILE; cash without it.")
    ] = "",
    pin: AskPin = False,
    pin_file: PinFile = None,
    as_json: Json = True,  # noqa: ARG001 it prints data, which have no other form
) -> int:
    """Top a purse up (圈存) for cash, or from a bank card; what is open is settled by the card when it is back.

    Example: [bold]jinka pos top-up --config agent.toml --card purse.jci --amount 5000[/bold]
    """
    from jinka.app.card_link import CardPlace
    from jinka.app.pos_topup import top_up

    place = CardPlace(image=card, keys=keys)
    told = top_up(config, place, amount, track2=_track(bank_card), pin=_pin(ask=pin, file=pin_file)())
    put_json(asdict(told))
    return 0 if told.status == "confirmed" else _REFUSED


@app.command()
@command
def load(
    config: Config,
    rate: Annotated[float, typer.Option(help="Arrivals a second.", min=0.1)] = 100.0,
    seconds: Annotated[float, typer.Option(help="For how long.", min=0.1)] = 10.0,
    cards: Annotated[int, typer.Option(help="How many of the cards; 0: all.", min=0)] = 0,
    holders: Annotated[Path | None, typer.Option(help="CSV with number, pin and track2: stripes.")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder of card images: chips.")] = None,
    keys: KeyFolder = None,
    lines: Annotated[int, typer.Option(help="Connections.", min=1)] = 4,
    amount: Annotated[int, typer.Option(help="Of each sale, in fen.", min=1)] = 100,
    as_json: Json = True,  # noqa: ARG001 it prints data, which have no other form
) -> int:
    """Load a test host: arrivals that wait for nobody, latencies, codes, and books that must agree.

    Example: [bold]jinka pos load --config pos.toml --holders holders.csv --rate 200 --seconds 10[/bold]
    """
    from jinka.app.pos_load import LoadOptions, run_load

    told = run_load(
        LoadOptions(
            config=config, rate=rate, seconds=seconds, cards=cards, holders=holders, images=images, keys=keys,
            lines=lines, amount_fen=amount,
        )
    )  # fmt: skip
    put_json(told)
    return 0 if told["books_equal"] and not told["still_owed"] else _DIFFER


for _name, _about in (
    ("sale", "A sale: chip, tap or stripe."),
    ("preauth", "Hold an amount."),
    ("balance", "What the account has."),
):
    add_card_command(app, _name, atm=False, about=_about)
for _name, _about in (
    ("void", "Take a sale of this batch back."),
    ("refund", "Give a sale, or a part of it, back."),
    ("completion", "Charge what was held, or a part of it."),
    ("preauth-cancel", "Give free what was held."),
    ("completion-void", "Take a completion back; the hold stands again."),
):
    add_follow_command(_name, _about)
add_shared_commands(app, "pos")
