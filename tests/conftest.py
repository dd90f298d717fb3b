"""What all tests share: in CI a component that is absent is a failure, not a skip.

Only tests marked ``data`` (they need the shared data folder, which is not part of the project) and ``tigerbeetle``
(they need a server that no package brings) may be skipped there.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import empty_sqlite, fresh_postgres, fresh_sqlite, postgres, postgres_databases, where

__all__ = [
    "empty_sqlite",
    "fresh_postgres",
    "fresh_sqlite",
    "postgres",
    "postgres_databases",
    "where",
]  # fixtures

# How long an example takes depends on the machine and its load; no test says anything about time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# An expression of Ibis is a hundred thousand small objects, and the collector would look after each 700 of them:
# a tenth of the time of what clears.
gc.set_threshold(50_000, 20, 50)

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: a skip is a failure in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected = hasattr(report, "wasxfail")
    outside = any(item.get_closest_marker(name) for name in ("data", "tigerbeetle"))
    if IN_CI and report.skipped and not expected and not outside:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        _fail(report)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file goes to one process whole, and so do those that share what is started once for a folder."""
    from xdist.scheduler import LoadFileScheduling

    class ByPlace(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            place: str = super()._split_scope(nodeid)
            return "tests/peers" if place.startswith("tests/peers/") else place

    return ByPlace(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``after_all`` look at what the others left behind."""
    items.sort(key=lambda item: item.get_closest_marker("after_all") is not None)
