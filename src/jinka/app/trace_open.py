"""Which repository `jinka trace serve` serves: of a file, of a folder, or a new and empty one in its own folder."""

from __future__ import annotations

from pathlib import Path

from jinka.app.new_network import free_port
from jinka.kit import Refused, Usage
from jinka.node import file_errors, write_durable

FILE = "trace.toml"
PORT = 8490
_TEXT = """\
# An EPCIS repository, made by `jinka trace serve`. docs/epcis.md and docs/trace.md tell all that may stand here.
[trace]
database = "epcis.db"               # beside this file, or postgresql://user@host/name
listen = "127.0.0.1:{port}"
check_page = true                   # /check?code=... for the public

# Now everybody who reaches the server sees and captures everything. With this each request is a participant's:
#   jinka trace access put {file} farm --owns 4012345
# [access]
# required = true

# [subscriptions]
# hosts = ["erp.inside.example"]    # receivers inside; others have to be on the public internet, over HTTPS
"""


def open_repository(file: Path | None, folder: Path | None, default: Path) -> tuple[Path, bool]:
    """(the file to serve, whether it was made just now). Never writes over anything, nor into what is not its own."""
    if file is not None:
        if folder is not None:
            raise Usage("a file or a folder", where="--dir", fix="a file brings its own folder")
        return file, False
    folder = folder or default
    path = folder / FILE
    if path.exists():
        return path, False
    with file_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Refused(
                f"is not empty, and has no {FILE}", where=str(folder), fix="name another folder with --dir"
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_durable(path, _TEXT.format(port=free_port(PORT), file=path).encode())
    return path, True
