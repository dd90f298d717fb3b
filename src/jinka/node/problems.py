"""What the operating system refuses, said as the errors of this project: what, where, and what to do about it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jinka.kit import JinkaError, NotFound, Usage

_ANOTHER = "name another one"
_SPACE = "make room, then run the command again: it goes on"
_USAGE = {
    errno.ENOTDIR: ("a file stands where a folder is needed", _ANOTHER),
    errno.EEXIST: ("a file stands where a folder is needed", _ANOTHER),
    errno.EISDIR: ("is a folder", "name a file"),
    errno.EACCES: ("may not be read or written by you", "change its permissions, or " + _ANOTHER),
    errno.EPERM: ("may not be read or written by you", "change its permissions, or " + _ANOTHER),
    errno.EROFS: ("cannot be written: read-only", _ANOTHER),
    errno.ENAMETOOLONG: ("the name is too long", _ANOTHER),
    errno.ELOOP: ("a link that leads to itself", _ANOTHER),
}
_OURS = {
    errno.ENOSPC: ("no space is left", _SPACE),
    errno.EDQUOT: ("no space is left to you", _SPACE),
    errno.EFBIG: ("a file would become larger than is allowed", "raise the limit (ulimit -f)"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
}


def file_error(problem: OSError, place: Path) -> JinkaError:
    """The error to raise for ``problem``; ``place`` is where it happened if the system does not say."""
    where = str(problem.filename if isinstance(problem.filename, str | os.PathLike) else place)
    code = problem.errno or 0
    if code == errno.ENOENT:
        return NotFound("no such file or folder", where=where, fix="check the path")
    if code in _USAGE:
        what, fix = _USAGE[code]
        return Usage(what, where=where, fix=fix)
    what, fix = _OURS.get(code, (problem.strerror or str(problem), "see to the disk, then run it again"))
    return JinkaError(what, where=where, fix=fix)


@contextmanager
def file_errors(place: Path) -> Iterator[None]:
    """Let an `OSError` of the body leave as an error of this project. Its own errors pass as they are."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of the output went away; that is not about files
    except OSError as problem:
        raise file_error(problem, place) from problem
