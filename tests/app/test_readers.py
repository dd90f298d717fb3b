"""A visit to readers before a station is run.

Goal: a good reader is described, and what is wrong of another is said. Method: our emulated reader in a thread of its
own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from jinka.app.readers import WALKS, check_readers, emulated_tag
from jinka.cli.main import app
from jinka.codec.tags import decode
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField
from jinka.node.system import SystemClock

FILE = """
[readers.dock]
address = "127.0.0.1:{port}"
antennas = {antennas}

[places.dock]
read_point = "urn:epc:id:sgln:0614141.07346.1"
antennas = ["dock"]
"""


@contextmanager
def _reader(*, ahead_s: int = 0, pulled: int = 0) -> Iterator[int]:
    ready, ports = threading.Event(), list[int]()
    loop = asyncio.new_event_loop()
    end = asyncio.Event()

    async def serve() -> None:
        emulator = ReaderEmulator(TagField([]), SystemClock(), ahead_micros=ahead_s * 1_000_000)
        async with emulator.serving():
            if pulled:
                await emulator.antenna(pulled, connected=False)
            ports.append(emulator.port)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


def _file(folder: Path, port: int, antennas: str = "[1, 2]") -> Path:
    path = folder / "readers.toml"
    path.write_text(FILE.format(port=port, antennas=antennas))
    return path


def test_a_good_reader_is_described_and_its_wrong_clock_is_told(tmp_path: Path) -> None:
    with _reader(ahead_s=60) as port:
        (found,) = check_readers(_file(tmp_path, port), connect=True)
        assert (found.wrong, found.model, found.antennas, found.holds_reports) == (
            "",
            "jinka emulator",
            4,
            True,
        )
        assert -61_000_000 < found.clock_wrong_micros < -59_000_000
        shown = CliRunner().invoke(
            app, ["trace", "readers", "check", str(tmp_path / "readers.toml"), "--connect", "--lang", "zh"]
        )
        assert shown.exit_code == 0
        assert "天线 4 个" in shown.stdout
        assert "其时钟相差 -60" in shown.stdout or "其时钟相差 -59" in shown.stdout


def test_what_is_wrong_of_a_reader_is_said(tmp_path: Path) -> None:
    with _reader(pulled=2) as port:
        (found,) = check_readers(_file(tmp_path, port), connect=True)
        assert found.wrong == "no antenna is connected at 2"
        (found,) = check_readers(_file(tmp_path, port, "[1, 9]"), connect=True)
        assert found.wrong == "it has 4 antennas"


def test_emulated_items_are_of_one_product_with_a_chip_each() -> None:
    tags = [emulated_tag(number, WALKS["in"](number)) for number in range(3)]
    assert [decode(each.epc).epc.urn for each in tags] == [
        f"urn:epc:id:sgtin:0614141.812345.{number}" for number in (1, 2, 3)
    ]
    assert len({each.tid for each in tags}) == 3
