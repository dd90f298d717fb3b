"""Orders to a running switch: only its owner's, only those that there are; and when a business date ends.

Method: a switch behind sockets with its control socket, orders from a thread as the commands give them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import socket
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jinka.app import switch_control
from jinka.app.switch_day import current_date, read_cut_time
from jinka.kit import NotFound, Usage
from jinka.node.control_socket import ControlSocket, give_order
from jinka.store import SwitchJournal, database_at
from jinka.switch.core import day_record
from jinka.switch.record import entry_of
from tests.keys.ground import service
from tests.switch.ground import DATE, config
from tests.switch.tcp import town


def _run(folder: Path, orders: Any) -> None:
    """Do ``orders`` in a thread while a switch runs in the folder."""

    async def run() -> None:
        async with town(folder, config()) as there:
            (folder / ".switch-0").mkdir()
            place = folder / ".switch-0" / switch_control.SOCKET
            place.write_text("left behind by a kill")
            control = ControlSocket(place, partial(switch_control.act_on, there.runner))
            await control.start()
            await asyncio.to_thread(orders, place, there.runner)
            control.stop()

    asyncio.run(run())


def test_orders_are_carried_out_and_wrong_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "switch.toml"

    def orders(place: Path, runner: Any) -> None:
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert switch_control.cut_over(file, "") == [{"business_date": "2023-11-15"}]
        assert runner.core.board.business_date == "2023-11-15"
        for date in ("2023-11-15", "2023-12-15", "tomorrow"):
            with pytest.raises(Usage):
                switch_control.cut_over(file, date)
        for peer in ("bank", "nobody"):  # no keys are agreed with the bank
            with pytest.raises(Usage):
                switch_control.exchange_keys(file, peer, pin=False)
        with pytest.raises(Usage, match="no order"):
            give_order(place, {"act": "stop"})
        assert switch_control.reconcile(file, "bank", DATE) == {"peer": "bank", "business_date": DATE}

    _run(tmp_path, orders)


def test_what_is_no_order_does_nothing(tmp_path: Path) -> None:
    def orders(place: Path, runner: Any) -> None:
        for raw in (b"\n", b"[]\n", b"{\n", b"\xff\n", b"x" * 10_000 + b"\n", b""):
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(10)
                line.connect(str(place))
                line.sendall(raw)
                line.shutdown(socket.SHUT_WR)
                answer = line.makefile("rb").readline()
                assert answer == b"" or "error" in json.loads(answer)
        assert runner.core.board.business_date == DATE

    _run(tmp_path, orders)


def test_another_user_is_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def orders(place: Path, runner: Any) -> None:
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
        with pytest.raises(NotFound):
            give_order(place, {"act": "cut-over"})
        assert runner.core.board.business_date == DATE

    _run(tmp_path, orders)


def test_a_folder_that_is_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    _run(deep, lambda place, _: give_order(place, {"act": "cut-over"}))


def test_where_nobody_runs(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no switch runs"):
        switch_control.cut_over(tmp_path / "switch.toml", "")
    (tmp_path / ".switch-0").mkdir()
    (tmp_path / ".switch-0" / "control").touch()
    with pytest.raises(NotFound, match="nobody listens"):
        switch_control.cut_over(tmp_path / "switch.toml", "")


def _micros(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("moment", "date", "seconds"),
    [
        ("2026-01-05T14:59:59+00:00", "2026-01-05", 1),  # 22:59:59 in China
        ("2026-01-05T15:00:00+00:00", "2026-01-06", 86_400),
        ("2026-01-05T16:30:00+00:00", "2026-01-06", 81_000),  # past midnight there
    ],
)
def test_a_date_ends_by_the_clock_of_its_region(moment: str, date: str, seconds: int) -> None:
    cut = read_cut_time("23:00", "Asia/Shanghai")
    assert cut.date_at(_micros(moment)) == date
    assert cut.seconds_until(_micros(moment)) == seconds


@pytest.mark.parametrize(
    ("at", "zone"), [("25:00", ""), ("noon", ""), ("23:00", "Asia/Nowhere"), ("23:00", "../x")]
)
def test_a_time_that_is_none(at: str, zone: str) -> None:
    with pytest.raises(Usage, match="no time"):
        read_cut_time(at, zone)


def test_a_restart_does_not_go_back(tmp_path: Path) -> None:
    cut = read_cut_time("", "")
    noon = _micros("2026-01-05T04:00:00+00:00")
    with database_at(tmp_path / "switch.db") as database:
        journal = SwitchJournal(database, service())
        assert current_date("", cut, journal, noon) == "2026-01-05"
        journal.write([[entry_of(day_record("2026-01-06", noon))]])
        assert current_date("", cut, journal, noon) == "2026-01-06"
        assert current_date("2026-01-05", cut, journal, noon) == "2026-01-06"
        assert current_date("2026-01-07", cut, journal, noon) == "2026-01-07"
        with pytest.raises(Usage):
            current_date("5 January", cut, journal, noon)
