"""`jinka day` and `jinka clear`: a city's day from the ceremony to the books, and its clearing over again.

Every step leaves something durable behind and notes it in the day's log; a run that was killed finds it, takes it up,
and ends with the same books.
"""

from __future__ import annotations

import datetime as dt
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from jinka.app.centre import build_registry, clear_uploads, register
from jinka.app.day_facts import DayFacts, gather_facts, read_facts, write_facts
from jinka.app.day_report import build_report
from jinka.app.engine import read_engine
from jinka.app.keyring import connect_keys, make_keys
from jinka.app.lanes import play_field
from jinka.app.options import DayOptions
from jinka.app.progress import Progress, Silent
from jinka.app.proof import FOLDER, ProofFolder, Published
from jinka.app.road import Upload, outbox, spoiled_road, spread_lists
from jinka.app.tap_files import open_taps
from jinka.app.tariffs import Prices, application_named, prices_named
from jinka.app.workspace import Workspace
from jinka.crypto.bulk import warm_up
from jinka.keys import KeyService
from jinka.kit import NotFound, Usage
from jinka.node import FolderLock, file_errors, write_durable
from jinka.node.system import SystemRandomness
from jinka.reports import DayReport, day_files
from jinka.reports.day import EngineRow, Timing
from jinka.sim.city import generate_city
from jinka.sim.plan import CityPlan
from jinka.sim.replay import plan_from_file

_ENGINES = ("ibis-framework", "pyarrow", "numba", "cryptography")  # and what cleared the day


@dataclass(slots=True)
class _Stopwatch:
    """How long the stages took; reported, and kept out of everything that must be reproducible."""

    timings: list[Timing] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.timings.append(Timing(stage=name, seconds=time.perf_counter() - begin))


def run_day(options: DayOptions, progress: Progress | None = None) -> DayReport:
    """Run the day that ``options`` describe, or go on with it where it stopped.

    Raises `Usage` when the input cannot be played or another day is in the folder, `Refused` when another run is at
    work in it. An input that is refused leaves nothing behind.
    """
    steps, watch = progress or Silent(), _Stopwatch()
    prices, profile = prices_named(options.tariff), application_named(options.application)
    workspace = Workspace(options.folder)
    with watch.stage("plan"):
        plan = _plan(options)
    with file_errors(options.folder), FolderLock(options.folder), ExitStack() as stack:
        if workspace.claim(options):
            workspace.note("resumed")
        with watch.stage("ceremony"):
            own = options.keys is None
            made = own and make_keys(workspace, seed=options.seed, date=plan.date.isoformat())
            workspace.note("ceremony_held" if made else "keys_taken_up" if own else "key_service")
            keys = stack.enter_context(closing(connect_keys(workspace, plan.region, log=workspace.keys_log)))
        with watch.stage("kernels"):
            warm_up()  # compiled once, before the lanes' processes would each do it
        with watch.stage("field"):
            counts = play_field(
                workspace, plan, tariff=prices.tariff, profile=profile, seed=options.seed, progress=steps
            )
            facts = gather_facts(plan, options, counts)
        with watch.stage("road"):
            uploads = _uploads(workspace, keys, options.spoil, options.seed, prices)
            register(workspace, build_registry(plan, spread_lists(workspace), profile), plan.date)
            write_facts(workspace, facts)
        return _clear(workspace, facts, uploads, keys, steps, watch)


def clear_again(folder: Path, progress: Progress | None = None) -> DayReport:
    """Clear what was taken in once more: the outcomes are the same bytes, and nothing is paid twice.

    Raises `NotFound` when no day is in the folder, `Usage` when its field has not finished.
    """
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder), fix="run jinka day first")
    workspace = Workspace(folder)
    asked = workspace.read_options()
    with file_errors(folder), FolderLock(folder):
        facts = read_facts(workspace)
        if facts is None:
            raise Usage("the day has not finished", where=str(folder), fix="run jinka day again, it goes on")
        with closing(connect_keys(workspace, facts.region, log=workspace.keys_log)) as keys:
            uploads = _uploads(workspace, keys, asked["spoil"], asked["seed"], prices_named(facts.tariff))
            return _clear(workspace, facts, uploads, keys, progress or Silent(), _Stopwatch())


def _plan(options: DayOptions) -> CityPlan:
    if options.taps is None:
        return generate_city(riders=options.riders, seed=options.seed, date=options.city_date)
    taps, name = open_taps(options.taps), options.taps.name
    return plan_from_file(
        taps, prices_named(options.tariff).tariff, name=name, seed=options.seed, date=options.date
    )


def _publish(workspace: Workspace, facts: DayFacts) -> Published:
    """Put the day into the centre's signed log, so that whoever sent a record can have its outcome proven."""
    randomness = SystemRandomness()
    folder = ProofFolder(workspace.centre / FOLDER)
    published = folder.publish(
        facts.region,
        dt.date.fromisoformat(facts.first_date),
        workspace.centre / "outcomes",
        signer=folder.own_signer(randomness),
        randomness=randomness,
    )
    workspace.note("published", edition=published.statement.edition, added=published.added)
    return published


def _uploads(workspace: Workspace, keys: KeyService, share: float, seed: int, prices: Prices) -> list[Upload]:
    if not share:
        return outbox(workspace)
    return spoiled_road(workspace, keys, share=share, seed=seed, purse_limit=prices.purse_limit)


def _clear(
    workspace: Workspace,
    facts: DayFacts,
    uploads: list[Upload],
    keys: KeyService,
    progress: Progress,
    watch: _Stopwatch,
) -> DayReport:
    with watch.stage("centre"):
        cleared = clear_uploads(workspace, facts, uploads, keys=keys, progress=progress)
    with watch.stage("proof"):
        published = _publish(workspace, facts)
        cleared = replace(cleared, findings=(*cleared.findings, *published.findings))
    with watch.stage("report"):
        report = build_report(workspace, facts, cleared, uploads)
    engines = [EngineRow(name="python", version=platform.python_version())]
    cleared_on = "pyspark" if read_engine(workspace.folder) else "duckdb"
    engines += [EngineRow(name=name, version=version(name)) for name in (*_ENGINES, cleared_on)]
    report = replace(report, engines=tuple(engines), timings=tuple(watch.timings))
    for name, content in day_files(report).items():
        write_durable(workspace.report / name, content)
    workspace.note(
        "cleared",
        records=cleared.result.records,
        charged_fen=report.charged_fen,
        engine=report.engines[-1].name,
    )
    return report
