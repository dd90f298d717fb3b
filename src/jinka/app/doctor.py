"""`jinka doctor`: what this machine has of all that Jinka can use, and the command that adds what is absent.

It looks at installed packages, programs, sockets and files; it starts no service and loads no module of another
vendor into this process.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinka.node.pcscd import DRIVER, SOCKET

_TIMEOUT_S = 10
_TAPS = Path("shenzhen-taps/2018-09-01-taps.csv")
_LATER = "not used yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that Jinka can use. ``version`` is empty when it is absent or does not say."""

    kind: str
    name: str
    present: bool
    version: str
    used_for: str
    add: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Part]:
    """Look at this machine; takes about a second."""
    return [*_engines(), *_readers(), *_security_modules(), *_fonts(), _kernels(), _data()]


def _engines() -> list[Part]:
    return [
        _part("engine", "Python", platform.python_version(), "everything", ""),
        _part("engine", "SQLite", sqlite3.sqlite_version, "scheme data, journal, ledger", ""),
        _package("engine", "DuckDB", "duckdb", "clearing"),
        _package("engine", "Numba", "numba", "TAC checks in bulk"),
        _part(
            "engine",
            "PostgreSQL client",
            _said("psql", "--version"),
            "looking into a database",
            _apt("postgresql-client"),
        ),
        _part("engine", "PostgreSQL server", _postgres(), "switch, ledger", _apt("postgresql")),
        _package("engine", "PostgreSQL driver", "psycopg", "switch, ledger", "psycopg[binary]>=3.2,<4"),
        _package("engine", "Spark", "pyspark", _LATER),
        _part("engine", "Java (for Spark)", _said("java", "-version"), _LATER, _apt("default-jre-headless")),
        _package("engine", "TigerBeetle client", "tigerbeetle", "ledger", "tigerbeetle>=0.17.9,<0.18"),
    ]


def _readers() -> list[Part]:
    program = shutil.which("pcscd", path="/usr/sbin:/usr/bin:/sbin:/bin") or ""
    return [
        _part(
            "reader",
            "pyscard",
            _package("reader", "pyscard", "pyscard", "").version,
            "jinka card read, apdu, script",
            "scripts/cards-setup (needs gcc, swig, libpcsclite-dev)",
        ),
        _part("reader", "PC/SC service", program, "all readers", _apt("pcscd")),
        _part(
            "reader",
            "PC/SC service runs",
            str(SOCKET) if SOCKET.exists() else "",
            "jinka card read, apdu, script",
            "pcscd --foreground" if program else _apt("pcscd"),
        ),
        _found(
            "reader",
            "virtual reader",
            DRIVER if DRIVER.exists() else None,
            "jinka card vpcd",
            _apt("vsmartcard-vpcd"),
        ),
        _part("reader", "OpenSC tools", _said("opensc-tool", "-i"), "tests of the card", _apt("opensc")),
    ]


def softhsm_module() -> Path | None:
    """SoftHSM2's module, where it is installed."""
    places = ("/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm",
              "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm")  # fmt: skip
    return next((path for place in places if (path := Path(place, "libsofthsm2.so")).exists()), None)


def _security_modules() -> list[Part]:
    module = softhsm_module()
    return [
        _part("security module", "soft key service", importlib.metadata.version("jinka"), "all keys", ""),
        _part(
            "security module",
            "OpenSSL",
            _said("openssl", "version"),
            "SM2, tests of certificates",
            _apt("openssl"),
        ),
        _found(
            "security module", "SoftHSM2 (PKCS#11)", module, "jinka keys to-token, tests", _apt("softhsm2")
        ),
        _package(
            "security module",
            "PKCS#11 client",
            "python-pkcs11",
            "keys on a token",
            "python-pkcs11>=0.10.1,<0.11",
        ),
    ]


def _fonts() -> list[Part]:
    listing = _run("fc-list", ":lang=zh", "family")
    family = sorted(line.split(",")[0] for line in listing.splitlines() if line.strip())
    return [
        _part("font", "Chinese", family[0] if family else "", "the report page", _apt("fonts-noto-cjk")),
        _part(
            "browser",
            "Chromium",
            _said("chromium", "--version"),
            "tests of the report page",
            _apt("chromium"),
        ),
    ]


def _kernels() -> Part:
    """Numba writes what it compiled beside the source, or into the user's cache when that is read-only."""
    spec = importlib.util.find_spec("jinka.crypto")
    places = [Path(place, "__pycache__") for place in (spec.submodule_search_locations or ())] if spec else []
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        places.insert(0, Path(named))
    places.append(Path.home() / ".cache" / "numba")
    count = next((found for place in places if (found := sum(1 for _ in place.rglob("*.nbc")))), 0)
    return _part(
        "cache", "compiled kernels", f"{count} files" if count else "", "a quick start", "jinka bench tac"
    )


def _data() -> Part:
    """Real taps are not part of the project; tests look where JINKA_DATA says, or beside the project."""
    place = Path(os.environ.get("JINKA_DATA") or "../shared/data")
    return _found(
        "data",
        "Shenzhen taps",
        place / _TAPS if (place / _TAPS).is_file() else None,
        "jinka day --taps, tests",
        "set JINKA_DATA to the folder that holds shenzhen-taps/",
    )


def _part(kind: str, name: str, version: str, used_for: str, add: str) -> Part:
    return Part(
        kind=kind,
        name=name,
        present=bool(version),
        version=version,
        used_for=used_for,
        add="" if version else add,
    )


def _found(kind: str, name: str, path: Path | None, used_for: str, add: str) -> Part:
    return _part(kind, name, str(path) if path else "", used_for, add)


def _package(kind: str, name: str, package: str, used_for: str, wanted: str = "") -> Part:
    """``wanted`` is the package with the versions that fit; into the environment that runs this."""
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    return _part(kind, name, version, used_for, f"{_python()} -m pip install '{wanted or package}'")


def _python() -> str:
    """What to type for this interpreter: its path, from here if it lies below."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _postgres() -> str:
    """Debian keeps the server out of the PATH, in a folder for each major version."""
    newest = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
    return _said(str(newest) if newest else "postgres", "--version")


def _said(program: str, *arguments: str) -> str:
    """The version number in the first line that a program says about itself."""
    first = next(iter(_run(program, *arguments).splitlines()), "")
    number = re.search(r"\d+(\.\d+)+\S*", first)
    return number[0].strip('"') if number else first.strip()


def _run(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr) if done.returncode == 0 else ""


def _apt(package: str) -> str:
    return f"apt-get install {package}"
