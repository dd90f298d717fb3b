"""`jinka atm`: be a cash terminal; commands, options and settlement are those of `jinka pos`."""

from __future__ import annotations

import typer

from jinka.cli.pos import add_card_command, add_shared_commands

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Be a cash terminal with virtual or real cards. "
    "Example: [bold]jinka atm cash --config atm.toml --card card.jci --amount 20000 --pin[/bold]",
)


@app.callback()
def root() -> None:
    """Be a cash terminal with virtual or real cards."""


for _name, _about in (
    ("cash", "Draw cash; the dispenser's own count decides what was paid."),
    ("balance", "What the account has."),
    ("deposit", "Pay cash in."),
    ("transfer", "Send money to the account --to, at the same bank or another."),
    ("transfer-out", "Send money away: the debit alone, for networks that ask for both sides one by one."),
    ("transfer-in", "Take money in for the account --to: the credit alone."),
):
    add_card_command(app, _name, atm=True, about=_about)
add_shared_commands(app, "atm")
