"""The day's keys: made in a ceremony whose parts lie apart in the folder, opened with as many shares as it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import combinations, islice
from pathlib import Path
from threading import RLock
from typing import TypeVar

from jinka.app.key_folder import KeyFolder
from jinka.app.workspace import Workspace
from jinka.keys import Ceremony, KeyService, Share, SoftKeyService, city_factor, hold_ceremony, read_header
from jinka.keys.store import OpenedStore, unlock
from jinka.keys.working import Working
from jinka.kit import NotFound, Refused
from jinka.node import AuditLog, write_durable
from jinka.node.key_socket import connect_unix
from jinka.node.system import SystemClock, SystemRandomness
from jinka.sim.parties import ISSUER
from jinka.sim.randomness import SeededRandomness

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
CALLER = "day"  # the name by which a day comes to a key service
_CHOICES_MAX = 1000

T = TypeVar("T")


def make_keys(workspace: Workspace, *, seed: int, date: str) -> bool:
    """Hold the ceremony unless its parts are here already; True when keys were made.

    The keys of a simulated day are drawn from its seed, and every part of them is marked as simulated.
    """
    if workspace.keystore.exists():
        return False
    ceremony = hold_ceremony(
        issuer=ISSUER,
        date=date,
        custodians=CUSTODIANS,
        randomness=SeededRandomness(f"ceremony|{seed}"),
        simulated=True,
    )
    write_ceremony(workspace, ceremony)
    return True


def write_ceremony(workspace: Workspace, ceremony: Ceremony) -> None:
    """Write the parts of a ceremony, each to its place."""
    for share in ceremony.shares:
        path = workspace.custodians / share.custodian / "share.json"
        write_durable(path, json.dumps(share.as_dict(), indent=2).encode() + b"\n", private=True)
    record = json.dumps(ceremony.record.as_dict(), indent=2, ensure_ascii=False)
    write_durable(workspace.ceremony, record.encode() + b"\n")
    write_durable(workspace.keystore, ceremony.sealed, private=True)  # last: it says that the rest is there


def open_keys(
    workspace: Workspace, region: str, *, threads: int = 1, share_files: Sequence[Path] = ()
) -> SoftKeyService:
    """Open the key service in process with shares of custodians, those in the folder by default; raises `Refused`."""

    def opener(sealed: bytes, shares: list[Share]) -> SoftKeyService:
        working = Working(clock=SystemClock(), randomness=SystemRandomness(), lock=RLock())
        return SoftKeyService.open(sealed, shares, region=region, threads=threads, working=working)

    return _opened(workspace, share_files, opener)


def connect_keys(workspace: Workspace, region: str, *, log: Path) -> KeyService:
    """The key service that the day was told to use, or the one in process over the day's own keys.

    The one in process has its audit log in ``log``; `commit` is due before what was made with its verbs takes effect.
    """
    socket = workspace.read_options().get("keys")
    if socket is None:
        return open_logged_keys(workspace, region, log=log)
    keys = connect_unix(Path(socket), caller=CALLER)
    if keys.city_factor8 != city_factor(region):
        keys.close()
        raise Refused(
            "the key service is another city's", where=socket, fix=f'set region = "{region}" in keys.toml'
        )
    return keys


def open_logged_keys(
    workspace: Workspace, region: str, *, log: Path, share_files: Sequence[Path] = ()
) -> SoftKeyService:
    """Open the key service in process with its audit log in ``log``; `close` of the service closes the log."""
    own = open_keys(workspace, region, share_files=share_files)
    try:
        own.audit = AuditLog(log, origin=f"keys/{own.issuer}/{log.parent.name}", clock=SystemClock())
    except BaseException:
        own.close()
        raise
    return own


def unlock_store(workspace: Workspace, share_files: Sequence[Path] = ()) -> OpenedStore:
    """Open the store for an act upon it; raises `Refused`."""
    return _opened(workspace, share_files, unlock)


def _opened(
    workspace: Workspace, share_files: Sequence[Path], opener: Callable[[bytes, list[Share]], T]
) -> T:
    """What ``opener`` makes of the store and the first shares that open it."""
    if not workspace.keystore.exists():
        raise NotFound("no key store", where=str(workspace.keystore), fix="run jinka day first")
    sealed = workspace.keystore.read_bytes()
    custody = KeyFolder(workspace.folder)
    if custody.records.exists():  # custodians signed which store is the last one: an older copy is refused
        sealed = custody.sealed(custody.minutes())
    header = read_header(sealed)
    shares = [share for share in _readable_shares(workspace, share_files) if share.check == header.check]
    refused = Refused(
        f"{len(shares)} of {header.needed} shares can be read",
        where=str(workspace.custodians),
        fix="restore a share",
    )
    chosen = islice(combinations(shares, header.needed), _CHOICES_MAX)
    for some in chosen:  # one damaged share must not stop the others
        try:
            return opener(sealed, list(some))
        except Refused as error:
            refused = error
    raise refused


def _readable_shares(workspace: Workspace, files: Sequence[Path] = ()) -> list[Share]:
    shares = []
    for path in files or sorted(workspace.custodians.glob("*/share*.json")):
        try:
            shares.append(Share.from_dict(json.loads(path.read_bytes())))
        except (ValueError, AttributeError, Refused):
            name = path.relative_to(workspace.folder) if path.is_relative_to(workspace.folder) else path
            workspace.note("share_unreadable", file=str(name))
    return shares
