"""Plays the field on both cores: one process for each lane, a durable checkpoint after each hour of the day.

A slice is an hour. When it is over, a lane writes the terminals' batches (the outbox) and then the sealed images of all
cards and PSAMs that changed; the second file is the commit. A run that was killed finds them and goes on behind the
last one. The chips' randomness is seeded by slice, so a slice that has to be played again gives the same bytes.
"""

from __future__ import annotations

import json
import multiprocessing as mp
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.keyring import connect_keys
from jinka.app.progress import Progress
from jinka.app.workspace import Workspace
from jinka.card import CardImage
from jinka.codec.clearing import ClearingRecord
from jinka.keys import KeyService
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.node import file_error, write_durable
from jinka.profile import ApplicationProfile
from jinka.sim.field import Lane
from jinka.sim.plan import LANES, CityPlan, PlannedTap
from jinka.store.parquet_bytes import parquet_bytes
from jinka.tariff import Tariff
from jinka.terminal.batching import batch_up

CENSUS = pa.schema(
    [
        ("card_no", pa.binary(10)),
        ("balance", pa.int64()),
        ("offline_counter", pa.uint16()),
        ("online_counter", pa.uint16()),
    ]
)
_STATE = pa.schema([("kind", pa.string()), ("key", pa.uint32()), ("image", pa.binary())])
_ERRORS = {kind.exit_code: kind for kind in (JinkaError, Usage, NotFound, Refused)}
_CARD, _PSAM = "card", "psam"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneJob:
    """What a lane's process is told. The plan holds the taps of this lane alone."""

    folder: Path
    lane: int
    seed: int
    plan: CityPlan
    tariff: Tariff
    profile: ApplicationProfile
    slices: tuple[tuple[int, int], ...]  # first and last+1 index into the plan's taps


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFiles:
    """The files of one slice: ``name`` is also the name of the delivery."""

    records: Path
    batches: Path
    name: str


def slice_files(workspace: Workspace, lane: int, number: int) -> LaneFiles:
    """Where the batches of a slice lie in the outbox."""
    name = f"lane{lane}-slice{number:02d}"
    outbox = workspace.lane(lane) / "outbox"
    return LaneFiles(
        records=outbox / f"{name}.records.parquet", batches=outbox / f"{name}.batches.parquet", name=name
    )


def census_file(workspace: Workspace, lane: int) -> Path:
    """Where the balances of a lane's cards stand after the day."""
    return workspace.lane(lane) / "census.parquet"


def play_field(
    workspace: Workspace,
    plan: CityPlan,
    *,
    tariff: Tariff,
    profile: ApplicationProfile,
    seed: int,
    progress: Progress,
) -> Counter[str]:
    """Play the whole plan in one process for each lane; return what happened, in counts.

    Raises `JinkaError` when a lane fails or its process dies.
    """
    hours = sorted({(tap.at.date(), tap.at.hour) for tap in plan.taps})
    context = mp.get_context("spawn")
    lanes: dict[Connection, tuple[int, Any]] = {}
    for lane in range(LANES):
        taps = [tap for tap in plan.taps if plan.cards[tap.card].lane == lane]
        job = LaneJob(
            folder=workspace.folder,
            lane=lane,
            seed=seed,
            plan=replace(plan, taps=tuple(taps)),
            slices=tuple(_hours_of(taps, hours)),
            tariff=tariff,
            profile=profile,
        )
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=run_lane, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
        lanes[ours] = (lane, process)
    counts: Counter[str] = Counter()
    done = dict.fromkeys(range(LANES), 0)
    total = len(plan.taps)
    progress.step("field", 0, total)
    try:
        while lanes:
            for pipe in wait(list(lanes)):
                assert isinstance(pipe, Connection)
                lane, process = lanes[pipe]
                if not _hear(workspace, lane, pipe, process, counts, done):
                    process.join()
                    del lanes[pipe]
                progress.step("field", min(total, sum(done.values())), total)
    finally:
        for _, process in lanes.values():
            process.terminate()
    return counts


def _hours_of(taps: list[PlannedTap], hours: list[tuple[Any, int]]) -> Iterator[tuple[int, int]]:
    """Cut a lane's taps, which are in order of time, at the hours of the whole plan."""
    first = 0
    for hour in hours:
        last = first
        while last < len(taps) and (taps[last].at.date(), taps[last].at.hour) == hour:
            last += 1
        yield first, last
        first = last


def _hear(
    workspace: Workspace,
    lane: int,
    pipe: Connection,
    process: Any,
    counts: Counter[str],
    done: dict[int, int],
) -> bool:
    """Take one message of a lane; False when it has finished."""
    try:
        kind, body = pipe.recv()
    except EOFError:
        process.join()
        raise JinkaError(
            f"the process of lane {lane} died (exit code {process.exitcode})",
            where="field",
            fix="run the command again: it goes on from the last checkpoint",
        ) from None
    if kind == "error":
        kind_of_error, what, where, fix = body
        raise _ERRORS[kind_of_error](what, where=where, fix=fix)
    if kind == "progress":
        done[lane] = body
    elif kind == "finished":
        return False
    else:
        counts.update(body.pop("counts", {}))
        workspace.note(kind, lane=lane, **body)
    return True


def run_lane(job: LaneJob, pipe: Connection) -> None:
    """The body of a lane's process."""
    workspace = Workspace(job.folder)
    try:
        log = workspace.lane(job.lane) / "keys-audit.jsonl"
        with closing(connect_keys(workspace, job.plan.region, log=log)) as keys:
            lane = Lane(job.plan, job.lane, seed=job.seed, keys=keys, tariff=job.tariff, profile=job.profile)
            _prepare_cards(workspace, lane, keys, pipe)
            for number, (first, last) in enumerate(job.slices):
                _run_slice(workspace, lane, number, (first, last), keys, pipe)
        _take_census(workspace, lane)
        pipe.send(("finished", None))
    except JinkaError as error:
        pipe.send(("error", (error.exit_code, error.what, error.where, error.fix)))
    except BrokenPipeError:
        return  # the parent is gone; what is on the disk is whole
    except OSError as problem:
        said = file_error(problem, job.folder)
        pipe.send(("error", (said.exit_code, said.what, said.where, said.fix)))


def _prepare_cards(workspace: Workspace, lane: Lane, keys: KeyService, pipe: Connection) -> None:
    path = workspace.lane(lane.number) / "cards.state"
    if path.exists():
        _read_state(path, lane, keys)
        pipe.send(("cards_taken_up", {"cards": len(lane.images)}))
        return
    lane.personalise()
    _write_state(path, lane, keys, cards=lane.images, psams={}, counts={})
    pipe.send(("cards_made", {"cards": len(lane.images)}))


def _run_slice(
    workspace: Workspace, lane: Lane, number: int, span: tuple[int, int], keys: KeyService, pipe: Connection
) -> None:
    path = workspace.lane(lane.number) / f"slice-{number:02d}.state"
    facts: dict[str, Any] = {"slice": number, "taps": span[1] - span[0]}
    if path.exists():
        counts = _read_state(path, lane, keys)
        pipe.send(("slice_taken_up", facts | {"counts": counts}))
        pipe.send(("progress", span[1]))
        return
    lane.begin_slice(number)
    taps = lane.plan.taps[span[0] : span[1]]

    def heard(done: int) -> None:
        pipe.send(("progress", span[0] + done))

    played = lane.play(taps, heard)
    files = slice_files(workspace, lane.number, number)
    _write_outbox(files, played.records, number, keys)
    touched = {tap.card: lane.images[tap.card] for tap in taps}
    devices = {tap.device: lane.psams[tap.device] for tap in taps}
    _write_state(path, lane, keys, cards=touched, psams=devices, counts=dict(played.counts))
    pipe.send(("slice_played", facts | {"records": len(played.records), "counts": dict(played.counts)}))
    pipe.send(("progress", span[1]))


def _write_outbox(files: LaneFiles, records: list[ClearingRecord], number: int, keys: KeyService) -> None:
    """Close one batch for each terminal and write records and headers; deterministic, so it may be done again."""
    table, batches = batch_up(records, number + 1, keys)
    keys.commit()
    write_durable(files.records, parquet_bytes(table))
    write_durable(files.batches, parquet_bytes(batches))


def _write_state(
    path: Path,
    lane: Lane,
    keys: KeyService,
    *,
    cards: dict[int, CardImage],
    psams: dict[int, bytes],
    counts: dict[str, int],
) -> None:
    rows = [(_CARD, index, image.to_bytes()) for index, image in sorted(cards.items())]
    rows += [(_PSAM, device, image) for device, image in sorted(psams.items())]
    columns = (
        [
            pa.array(list(column), field.type)
            for column, field in zip(zip(*rows, strict=True), _STATE, strict=True)
        ]
        if rows
        else None
    )
    schema = _STATE.with_metadata({"counts": json.dumps(counts, sort_keys=True)})
    table = pa.table(columns, schema=schema) if columns else schema.empty_table()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_table(table)
    blob = keys.seal_image(sink.getvalue().to_pybytes(), context=_context(path, lane))
    keys.commit()
    write_durable(path, blob, private=True)


def _read_state(path: Path, lane: Lane, keys: KeyService) -> dict[str, int]:
    """Put the images of a checkpoint into the lane; return the counts of its slice."""
    plain = keys.open_image(path.read_bytes(), context=_context(path, lane))
    table = pa.ipc.open_stream(plain).read_all()
    templates = {template.id: template for template in lane.templates.values()}
    for kind, key, image in zip(*(table.column(name).to_pylist() for name in _STATE.names), strict=True):
        if kind == _CARD:
            lane.images[key] = CardImage.from_bytes(image, templates)
        else:
            lane.psams[key] = image
    counts: dict[str, int] = json.loads(table.schema.metadata[b"counts"])
    return counts


def _context(path: Path, lane: Lane) -> str:
    return f"lane{lane.number}/{path.name}"


def _take_census(workspace: Workspace, lane: Lane) -> None:
    """Write down what each card of the lane holds, as the issuer's own reader sees it at the end of the day."""
    path = census_file(workspace, lane.number)
    if path.exists():
        return
    rows = [(lane.plan.cards[index].card_no, *lane.read_purse(index)) for index in lane.mine]
    columns = [
        pa.array(list(column), field.type)
        for column, field in zip(zip(*rows, strict=True) if rows else [()] * len(CENSUS), CENSUS, strict=True)
    ]
    write_durable(path, parquet_bytes(pa.table(columns, schema=CENSUS)))
