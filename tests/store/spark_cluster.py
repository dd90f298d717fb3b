"""A standalone Spark cluster of one master and two workers, each a process of its own, ended with the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 180
WORKERS = 2


def absent() -> str | None:
    """The component that is missing here, if one is."""
    if find_spec("pyspark") is None:
        return "pyspark"
    return None if shutil.which("java") else "java"


@contextmanager
def cluster(folder: Path, environments: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The master's address; workers have a core each, and each an environment of its own."""
    home = Path(find_spec("pyspark").origin).parent
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    master = f"spark://127.0.0.1:{port}"
    local = ["--host", "127.0.0.1", "--webui-port", "0"]
    with ExitStack() as stack:
        start(stack, home, folder, "master", "master.Master", [*local, "--port", str(port)])
        _until(lambda: _heard(port), "the master")
        for number in range(WORKERS):
            name = f"worker-{number}"
            extra = ["--cores", "1", "--memory", "3g", "-d", str(folder / name), master]
            start(stack, home, folder, name, "worker.Worker", [*local, *extra], environments[number])
        logs = [folder / f"worker-{number}.log" for number in range(WORKERS)]
        _until(lambda: all("registered with master" in log.read_text() for log in logs), "the workers")
        yield master


def start(
    stack: ExitStack, home: Path, folder: Path, name: str, kind: str, arguments: list[str],
    own: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """One daemon, ended with the stack; what it says is in a file."""
    conf = folder / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "log4j2.properties").write_text(
        "rootLogger.level = info\nrootLogger.appenderRef.out.ref = out\n"
        "appender.out.type = Console\nappender.out.name = out\nappender.out.target = SYSTEM_ERR\n"
        "appender.out.layout.type = PatternLayout\nappender.out.layout.pattern = %p %m%n\n"
    )
    environment = {
        **os.environ, "SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT), "SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m",
        **(own or {}),
    }  # fmt: skip
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    command = [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _heard(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: object, what: str) -> None:
    limit = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} did not start in {START_S} s")
        time.sleep(0.1)
