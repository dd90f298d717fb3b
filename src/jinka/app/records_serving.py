"""`jinka records serve`: the door of base records, one process, one TOML file beside its register.

::

    [records]
    listen = "0.0.0.0:8492"
    dir = "."                      # of the register, relative to the file
    database = ""                  # postgresql://..., where it is not in the folder
    certificate = "door.pem"       # TLS 1.3 with certificates on both sides
    key = "door.key"
    authority = "departments.pem"  # who issues the departments' certificates
    crl = "departments.crl.pem"    # who is on it does not come in; read again when it changes. Optional

    [departments]
    "records.bank.example" = "bank"  # common name of a certificate: the department

Anything else in it is refused, and so is a file without TLS.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.api.peer_tls import tls_server
from jinka.api.records import records_app
from jinka.app.parts_file import host_port, only
from jinka.app.records import office
from jinka.app.served_http import TLS_NAMES, run_until_stopped, tls_of
from jinka.kit import NotFound, Usage
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemClock

_PAGE = "docs/base-records.md"
_TABLE = TLS_NAMES | {"listen", "dir", "database"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsFile:
    """``departments`` by the common name of their certificate."""

    path: Path
    folder: Path
    database: str
    host: str
    port: int
    tls: LineTls
    departments: Mapping[str, str]


def read_records_file(path: Path) -> RecordsFile:
    """Read the file; `Usage` names the place of a mistake."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path), fix=f"see {_PAGE}")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    only(raw, {"records", "departments"}, str(path), _PAGE)
    own, departments = raw.get("records", {}), raw.get("departments", {})
    only(own, set(_TABLE), "records", _PAGE)
    if not isinstance(departments, dict) or not departments:
        raise Usage("nobody may come in", where="departments", fix='"name in a certificate" = "department"')
    if wrong := [name for name, code in departments.items() if not isinstance(code, str)]:
        raise Usage("not a department", where=f"departments.{wrong[0]}", fix="see jinka records rules")
    tls = tls_of(own, path.parent, "records")
    if tls is None:
        raise Usage("no TLS", where="records.certificate", fix="certificate, key and authority in PEM")
    host, port = host_port(own.get("listen", "127.0.0.1:8492"), "records.listen")
    return RecordsFile(
        path=path, folder=path.parent / str(own.get("dir", ".")), database=str(own.get("database", "")), host=host,
        port=port, tls=tls, departments=departments,
    )  # fmt: skip


def serve_records(path: Path, *, listening: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    file = read_records_file(path)
    with office(file.folder, database=file.database) as open_:
        for department in file.departments.values():
            open_.catalogue.check_department(department)
        runner = tls_server(records_app(open_, file.departments, SystemClock()), file.tls.server())

        def told(port: int) -> None:
            listening(
                {
                    "host": file.host, "port": port, "looks": f"https://{file.host}:{port}/v1/looks",
                    "departments": sorted(set(file.departments.values())),
                }
            )  # fmt: skip

        run_until_stopped(runner, path, file.host, file.port, told)
