"""`jinka gateway`: the payment gateway as a process, and its merchants.

One process serves: requests, callbacks and what is in doubt. The vault's key is drawn at the first start and lies
sealed by the key service (`seal_image`); without that service nothing here can be opened. TLS belongs to a proxy.
"""

from __future__ import annotations

import base64
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from jinka.acquirer import Gateway, Merchant, Payments, SwitchPayments, Vault
from jinka.acquirer.callbacks import SECRET_BYTES, secret_text
from jinka.api import Buckets, Services, gateway_app, key_hash, server
from jinka.app.gateway_config import GatewayFile, read_gateway_file
from jinka.app.gateway_outbox import callback_context, deliver
from jinka.app.number_vaults import Seals, opened_keys, vault_key
from jinka.app.parts_file import read_key_source
from jinka.kit import Clock, Randomness, Usage
from jinka.node import FolderLock, file_errors
from jinka.node.callback_http import CallbackSender, require_receiver
from jinka.node.event_log import ChangeLog, change_log
from jinka.node.gateway_metrics import GatewayFigures
from jinka.node.metrics_http import metrics_beside
from jinka.node.switch_client import SwitchClient
from jinka.node.switch_keys import KeyDesk
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import GatewayBooks, database_at

_VAULT = "gateway vault"
_ROUND_S = 1.0
_LOGGED = ("line", "unresolved", "callbacks", "requests")
_KEYS_KEPT_MICROS = 30 * 86_400 * 1_000_000


def serve_gateway(path: Path, *, listening: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. What a kill left in doubt is settled before the first request."""
    file = read_gateway_file(path)
    source = read_key_source(path.parent, file.keys, "gateway")
    own, clock = path.parent / ".gateway", SystemClock()
    own.mkdir(exist_ok=True)
    with FolderLock(own), opened_keys(source) as keys:
        desk = KeyDesk(keys, remote=source.socket is not None)
        wire = SwitchClient(file.line, file.address, desk, clock, own=file.institution)
        payments = SwitchPayments(wire, institution=file.institution)
        with gateway_at(file, cast(Seals, keys), payments) as services:
            wire.start()
            try:
                services.gateway.settle(10_000, at_start=True)
                figures = GatewayFigures(services.books, wire, services.requests, clock)
                changes = change_log(file.log, "gateway", figures.status, _LOGGED, clock)
                with metrics_beside(figures, file.metrics) as port:
                    _serve(file, services, changes, lambda facts: listening(facts | {"metrics": port}))
            finally:
                wire.stop()


def _serve(
    file: GatewayFile,
    services: Services,
    changes: ChangeLog | None,
    listening: Callable[[dict[str, Any]], None],
) -> None:
    runner = server(gateway_app(services), host=file.host, port=file.port)
    stop = threading.Event()
    sender = CallbackSender(plain=file.callbacks_plain, inside=file.callbacks_inside)
    works: tuple[Callable[[], object], ...] = (
        lambda: _send_callbacks(services, sender, stop),
        services.gateway.settle,
        lambda: _forget(services),
        *([changes.look] if changes is not None else []),
    )
    threads = [threading.Thread(target=_rounds, args=(work, stop, runner), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    # uvicorn takes them over, and raises them again at its end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(runner, "should_exit", True))
    try:
        with file_errors(file.path), socket.create_server((file.host, file.port)) as place:
            listening({"host": file.host, "port": place.getsockname()[1], "openapi": "/openapi.json"})
            runner.run(sockets=[place])
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def gateway_at(
    file: GatewayFile,
    keys: Seals,
    payments: Payments,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
) -> Iterator[Services]:
    """The gateway of a file, its database open."""
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    vault = open_vault(file.vault, keys, randomness)
    with database_at(file.database) as database:
        books = GatewayBooks(database)
        yield Services(
            gateway=Gateway(books, payments, vault, clock, randomness, institution=file.institution),
            books=books,
            vault=vault,
            clock=clock,
            buckets=Buckets(clock),
        )


def open_vault(path: Path, keys: Seals, randomness: Randomness) -> Vault:
    """The vault whose key lies sealed at ``path``; drawn when there is none."""
    return Vault(vault_key(path, keys, randomness, context=_VAULT), randomness)


def add_merchant(path: Path, merchant: Merchant, callback_url: str = "") -> dict[str, str]:
    """Add a merchant, or give one that is there a new key. Key and secret are told now and never again."""
    file = read_gateway_file(path)
    with opened_keys(read_key_source(path.parent, file.keys, "gateway")) as keys:
        return put_merchant(file, cast(Seals, keys), merchant, callback_url)


def put_merchant(file: GatewayFile, keys: Seals, merchant: Merchant, callback_url: str) -> dict[str, str]:
    """`add_merchant` where the key service is at hand."""
    randomness = SystemRandomness()
    if callback_url:
        require_receiver(callback_url, plain=file.callbacks_plain)
    _require_fields(merchant)
    vault = open_vault(file.vault, keys, randomness)
    key = "jk_" + base64.urlsafe_b64encode(randomness.token_bytes(32)).decode().rstrip("=")
    secret = randomness.token_bytes(SECRET_BYTES)
    made = replace(
        merchant,
        key_hash=key_hash(key),
        callback_url=callback_url,
        callback_secret=vault.seal(secret, callback_context(merchant.id)),
    )
    with database_at(file.database) as database, GatewayBooks(database).desk() as desk:
        taken = [m.id for m in desk.merchants() if m.terminal == made.terminal and m.id != made.id]
        if taken:
            raise Usage(f"the terminal is {taken[0]}'s", where="terminal", fix="another number")
        desk.put_merchant(made)
    told = {"merchant": made.id, "key": key}
    return told | ({"callback_secret": secret_text(secret)} if callback_url else {})


def _require_fields(merchant: Merchant) -> None:
    """What stands in messages must fit their fields; raises `Usage`."""
    terminal = merchant.terminal.isascii() and merchant.terminal.isalnum() and len(merchant.terminal) == 8
    plain = all(text.isascii() and text.isprintable() for text in (merchant.id, merchant.name, merchant.city))
    category = merchant.category.isascii() and merchant.category.isdigit() and len(merchant.category) == 4
    for good, where, fix in (
        (terminal, "terminal", "eight letters or digits, as field 41 carries it"),
        (
            plain and 1 <= len(merchant.id) <= 15,
            "merchant",
            "Latin text; the code up to 15 characters (field 42)",
        ),
        (category, "category", "four digits (ISO 18245)"),
    ):
        if not good:
            raise Usage("does not fit into a message", where=where, fix=fix)


def resend_callbacks(path: Path) -> int:
    """Try once more what was given up; the number."""
    file = read_gateway_file(path)
    with database_at(file.database) as database, GatewayBooks(database).desk() as desk:
        return desk.revive_callbacks(SystemClock().now_micros())


def _rounds(work: Callable[[], object], stop: threading.Event, runner: Any) -> None:
    """One work, again and again: a silent switch holds up no callback. A failure ends the server, loudly."""
    try:
        while not stop.wait(_ROUND_S):
            work()
    finally:
        runner.should_exit = True


def _send_callbacks(services: Services, sender: CallbackSender, stop: threading.Event) -> None:
    while deliver(services.books, services.vault, sender, services.clock) and not stop.is_set():
        pass


def _forget(services: Services) -> None:
    with services.books.desk() as desk:
        desk.forget_keys(services.clock.now_micros() - _KEYS_KEPT_MICROS)
