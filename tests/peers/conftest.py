"""pcscd with two virtual slots, for all tests of this folder; what is started here is ended here, by its own id."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jinka.kit import NotFound
from jinka.node.pcsc import list_readers
from jinka.node.pcscd import PcscService


@pytest.fixture(scope="package")
def service() -> Iterator[PcscService]:
    try:
        import smartcard  # noqa: F401
    except ImportError:
        pytest.skip("pyscard is not installed (make test builds it when swig and libpcsclite-dev are there)")
    running = PcscService()
    try:
        running.__enter__()
    except NotFound as absent:
        pytest.skip(str(absent))
    try:
        list_readers()  # libpcsclite keeps the socket of its first call
        yield running
    finally:
        running.__exit__(None, None, None)
