"""`engine.toml` in a day's or a centre's folder: what its cards are cleared on. Without the file it is DuckDB.

::

    master = "spark://10.0.0.1:7077"   # or local[2]
    work = "/shared/jinka"             # a folder that all machines see under this path, and that has room
    [settings]                         # Spark's own, such as
    "spark.executor.memory" = "8g"

The TACs are then checked by the key services beside the executors (`jinka keys serve-job`, `enrol-job`), and not by the
folder's own. What a folder clears beside its cards' days (records on their way, answers of other centres) is little,
and stays with DuckDB.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from jinka.clearing.port import ClearingEngine, Table
from jinka.keys.port import KeyService
from jinka.kit import NotFound, Usage
from jinka.node import file_errors
from jinka.node.keys_beside import KeysBeside
from jinka.store import DuckEngine

FILE = "engine.toml"


class FileEngine(ClearingEngine, Protocol):
    """An engine that reads Parquet files; what all of them do."""

    def parquet(self, paths: list[Path]) -> Table: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What `engine.toml` says."""

    master: str
    work: Path
    settings: Mapping[str, str] = field(default_factory=dict)


def read_engine(folder: Path) -> Cluster | None:
    """The cluster that the folder's file names; None without a file. Raises `Usage` with the place of what is wrong."""
    path = folder / FILE
    with file_errors(path):
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise Usage(f"is no TOML: {problem}", where=str(path)) from None
    for name in found.keys() - {"master", "work", "settings"}:
        raise Usage("is not known", where=f"{path}: {name}", fix="master, work and settings")
    for name in ("master", "work"):
        if not isinstance(found.get(name), str) or not found[name]:
            raise Usage("is a text", where=f"{path}: {name}")
    settings = found.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
        raise Usage("is a table of texts", where=f"{path}: settings", fix='"spark.executor.memory" = "8g"')
    work = Path(found["work"])
    if not work.is_absolute():
        raise Usage("is a whole path", where=f"{path}: work", fix="all machines must see it under this path")
    return Cluster(master=found["master"], work=work, settings=settings)


@contextmanager
def clearing_engine(folder: Path, keys: KeyService) -> Iterator[tuple[FileEngine, KeyService]]:
    """The engine of the folder, and who checks TACs where it works.

    Raises `NotFound` where Spark is named and not installed, `JinkaError` for what Spark says.
    """
    cluster = read_engine(folder)
    if cluster is None:
        with DuckEngine(spill=folder / "spill") as duck:
            yield cast(FileEngine, duck), keys
        return
    if find_spec("pyspark") is None:
        raise NotFound("pyspark is not installed", where=str(folder / FILE), fix="pip install 'jinka[spark]'")
    from jinka.store.spark import SparkEngine, spark_errors

    with file_errors(cluster.work):
        cluster.work.mkdir(parents=True, exist_ok=True)
        work = Path(
            tempfile.mkdtemp(prefix="jinka-", dir=cluster.work)
        )  # gone with the engine; its parent is not
    with (
        spark_errors(cluster.master),
        SparkEngine(master=cluster.master, work=work, settings=cluster.settings) as spark,
    ):
        yield cast(FileEngine, spark), cast(KeyService, KeysBeside())
