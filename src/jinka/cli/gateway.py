"""`jinka gateway`: serve the payment gateway, add merchants, send callbacks again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import command, json_command, put_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Take merchants' orders over HTTP. Example: [bold]jinka gateway serve gateway.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The gateway's file (docs/gateway.md).", metavar="FILE")]


@app.callback()
def root() -> None:
    """Take merchants' orders over HTTP."""


@app.command()
@command
def serve(file: File) -> None:
    """Serve until SIGTERM or Ctrl-C. One line of JSON on standard output says where.

    Example: [bold]jinka gateway serve gateway.toml[/bold]
    """
    from jinka.app.gateway_serving import serve_gateway

    serve_gateway(file, listening=put_json)


@app.command()
@json_command
def merchant(
    file: File,
    id_: Annotated[str, typer.Argument(help="The merchant's code.", metavar="ID")],
    name: Annotated[str, typer.Option(help="Latin name, at most 25 characters.")],
    terminal: Annotated[str, typer.Option(help="Eight characters, the merchant's own.")],
    category: Annotated[str, typer.Option(help="Merchant category code (ISO 18245).")] = "5999",
    local_name: Annotated[str, typer.Option(help="Chinese name.")] = "",
    city: Annotated[str, typer.Option(help="Latin name of the city.")] = "SHENZHEN",
    callback: Annotated[str, typer.Option(help="Where callbacks go: an https address.")] = "",
    rate: Annotated[int, typer.Option(help="Requests a minute.", min=1)] = 600,
) -> dict[str, Any]:
    """Add a merchant, or give one a new key. The key and the secret of callbacks are printed once, now.

    Example: [bold]jinka gateway merchant gateway.toml teahouse --name "TEA HOUSE" --terminal 00000001[/bold]
    """
    from jinka.acquirer import Merchant
    from jinka.app.gateway_serving import add_merchant

    made = Merchant(
        id=id_, name=name, local_name=local_name, category=category, city=city, terminal=terminal, key_hash=b"",
        requests_per_minute=rate,
    )  # fmt: skip
    return add_merchant(file, made, callback)


@app.command()
@json_command
def resend(file: File) -> dict[str, Any]:
    """Try callbacks once more that were given up.

    Example: [bold]jinka gateway resend gateway.toml[/bold]
    """
    from jinka.app.gateway_serving import resend_callbacks

    return {"callbacks": resend_callbacks(file)}
