"""Which errors say that the machine or an engine is at fault, and not what it was given.

A full disk, no memory, a database that is away: trying again with the same input may work, so nobody is to be blamed
for the input. Follows the causes of an error. It judges exceptions alone, and mends nothing.
"""

from __future__ import annotations

import sqlite3

import duckdb
import sqlalchemy as sa

from jinka.kit import JinkaError

_FAULTS = (
    MemoryError,
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sqlite3.OperationalError,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.ConnectionException,
)


def of_this_machine(problem: BaseException) -> bool:
    """Whether the machine is at fault, and not the bytes.

    What Arrow says of damaged bytes is an `OSError` as well, and has no number of the system's. Errors of this project
    that are neither a refusal nor a wrong use tell of a service or a disk of its own.
    """
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, _FAULTS) or type(cause) is JinkaError:
            return True
        if isinstance(cause, OSError) and cause.errno is not None:
            return True
        cause = cause.__cause__
    return False


__all__ = ["of_this_machine"]
