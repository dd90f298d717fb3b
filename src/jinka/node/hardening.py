"""What a process does before it holds keys: no core dump, no debugger, no swap (prctl(2), mlockall(2), getrlimit(2)).

Linux. After `harden` only root can read the process's memory, not even another process of the same user.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from dataclasses import dataclass

_PR_SET_DUMPABLE, _PR_GET_DUMPABLE = 4, 3
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """What the system agreed to."""

    undumpable: bool
    locked: bool  # all memory that is touched from now on; the keys' own pages are locked apart


def harden() -> Hardening:
    """Close this process to others and keep it in memory as far as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return Hardening(undumpable=False, locked=False)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    libc.mlockall.argtypes = (ctypes.c_int,)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    locked = libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0
    return Hardening(undumpable=libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, locked=locked)
