"""The key of a vault of card numbers: drawn at the first start, and kept in a file that the key service sealed.

Without that service nothing in the vault can be opened; back the file up with the database. PCI DSS 4.0, 3.6.1.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, Protocol, cast

from jinka.app.parts_file import KeySource
from jinka.app.switch_serving import open_key_source
from jinka.crypto.number_vault import KEY_BYTES
from jinka.keys.payment_port import PaymentService
from jinka.kit import Randomness
from jinka.node import file_errors, write_durable


class Seals(Protocol):
    """The verbs of the key service that keep a vault's key."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes: ...
    def open_image(self, blob: bytes, *, context: str) -> bytes: ...


def vault_key(path: Path, keys: Seals, randomness: Randomness, *, context: str) -> bytes:
    """The key of the vault at ``path``; drawn when there is none."""
    with file_errors(path):
        if not path.exists():
            key64 = randomness.token_bytes(KEY_BYTES)
            write_durable(path, keys.seal_image(key64, context=context), private=True)
        return keys.open_image(path.read_bytes(), context=context)


def opened_keys(source: KeySource) -> AbstractContextManager[PaymentService]:
    """The key service, its line closed in the end where there is one."""
    keys: Any = open_key_source(source)
    opened = closing(keys) if source.socket is not None else nullcontext(keys)
    return cast(AbstractContextManager[PaymentService], opened)
