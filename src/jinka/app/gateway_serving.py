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
from typing import Any, Protocol, cast

from jinka.acquirer import Gateway, Merchant, Payments, Vault
from jinka.acquirer.callbacks import SECRET_BYTES, secret_text
from jinka.acquirer.vault import KEY_BYTES
from jinka.api import Buckets, Services, gateway_app, key_hash, server
from jinka.app.gateway_config import GatewayFile, read_gateway_file
from jinka.app.gateway_issuer import HostPayments
from jinka.app.gateway_outbox import callback_context, deliver
from jinka.app.issuer_host import opened_host, read_issuer_file
from jinka.app.parts_file import read_key_source
from jinka.app.switch_serving import open_key_source
from jinka.kit import Clock, Randomness, Usage
from jinka.node import FolderLock, file_errors, write_durable
from jinka.node.callback_http import CallbackSender, require_receiver
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import GatewayBooks, database_at

_VAULT = "gateway vault"
_ROUND_S = 1.0
_KEYS_KEPT_MICROS = 30 * 86_400 * 1_000_000


class Seals(Protocol):
    """The verbs of the key service that keep the vault's key."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes: ...
    def open_image(self, blob: bytes, *, context: str) -> bytes: ...


def serve_gateway(path: Path, *, listening: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. What a kill left in doubt is settled before the first request."""
    file = read_gateway_file(path)
    keys = open_key_source(read_key_source(path.parent, file.keys, "gateway"))
    issuer = read_issuer_file(file.issuer)
    own, theirs = path.parent / ".gateway", file.issuer.parent / ".issuer"
    for lock in (own, theirs):
        lock.mkdir(exist_ok=True)
    with (
        FolderLock(own),
        FolderLock(theirs),
        opened_host(issuer, keys) as (host, books, _),
        gateway_at(file, cast(Seals, keys), HostPayments(host, books, acquirer=file.acquirer)) as services,
    ):
        host.recover()
        services.gateway.settle(10_000, at_start=True)
        runner = server(gateway_app(services), host=file.host, port=file.port)
        stop = threading.Event()
        sender = CallbackSender(plain=file.callbacks_plain, inside=file.callbacks_inside)
        rounds = threading.Thread(target=_rounds, args=(services, sender, stop, runner), daemon=True)
        rounds.start()
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them once more when it has ended
            signal.signal(number, lambda *_: None)
        try:
            with file_errors(path), socket.create_server((file.host, file.port)) as place:
                listening({"host": file.host, "port": place.getsockname()[1], "openapi": "/openapi.json"})
                runner.run(sockets=[place])
        finally:
            stop.set()
            rounds.join()


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
            gateway=Gateway(books, payments, vault, clock, randomness),
            books=books,
            vault=vault,
            clock=clock,
            buckets=Buckets(clock),
        )


def open_vault(path: Path, keys: Seals, randomness: Randomness) -> Vault:
    """The vault whose key lies sealed at ``path``; drawn when there is none."""
    with file_errors(path):
        if not path.exists():
            key64 = randomness.token_bytes(KEY_BYTES)
            write_durable(path, keys.seal_image(key64, context=_VAULT), private=True)
        return Vault(keys.open_image(path.read_bytes(), context=_VAULT), randomness)


def add_merchant(path: Path, merchant: Merchant, callback_url: str = "") -> dict[str, str]:
    """Add a merchant, or give one that is there a new key. Key and secret are told now and never again."""
    file = read_gateway_file(path)
    keys = open_key_source(read_key_source(path.parent, file.keys, "gateway"))
    return put_merchant(file, cast(Seals, keys), merchant, callback_url)


def put_merchant(file: GatewayFile, keys: Seals, merchant: Merchant, callback_url: str) -> dict[str, str]:
    """`add_merchant` where the key service is at hand."""
    randomness = SystemRandomness()
    if callback_url:
        require_receiver(callback_url, plain=file.callbacks_plain)
    if len(merchant.terminal) != 8 or not merchant.terminal.isalnum():
        raise Usage("not eight letters or digits", where="terminal", fix="as field 41 carries it")
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


def resend_callbacks(path: Path) -> int:
    """Try once more what was given up; the number."""
    file = read_gateway_file(path)
    with database_at(file.database) as database, GatewayBooks(database).desk() as desk:
        return desk.revive_callbacks(SystemClock().now_micros())


def _rounds(services: Services, sender: CallbackSender, stop: threading.Event, runner: Any) -> None:
    """Callbacks and doubts, again and again. A database that fails ends the server, loudly."""
    try:
        while not stop.wait(_ROUND_S):
            while deliver(services.books, services.vault, sender, services.clock) and not stop.is_set():
                pass
            services.gateway.settle()
            with services.books.desk() as desk:
                desk.forget_keys(services.clock.now_micros() - _KEYS_KEPT_MICROS)
    finally:
        runner.should_exit = True
