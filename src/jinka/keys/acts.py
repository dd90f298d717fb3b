"""What a ceremony does to the keys of a store: add, rotate, retire, take up again, compromise, destroy.

Pure steps from one `KeyStore` to the next; states go as `jinka.keys.catalogue.NEXT_STATES` has it (NIST SP 800-57 part
1, 7). A line of the catalogue is never taken out, so a version number is never given twice. Sealing the result again
needs the shares (`jinka.keys.store`), and every act is recorded and signed (`jinka.keys.minutes`).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from enum import Enum

from jinka.keys.catalogue import KeyName, KeyRecord, KeyState
from jinka.keys.ceremony import draw_secret
from jinka.keys.components import require_strong
from jinka.keys.port import Purpose
from jinka.keys.provider import SIZES, KeyKind
from jinka.keys.store import KeyStore, root_check
from jinka.kit import Randomness, Refused, Usage, parse_date

VERSION_MAX = 255
Terms = tuple[tuple[str, str], ...]
_OWNER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]{0,63}|")


class Act(Enum):
    """What was done, as records name it."""

    CREATE = "create"
    ADD = "add"
    ROTATE = "rotate"
    RETIRE = "retire"
    RESUME = "resume"
    COMPROMISE = "compromise"
    DESTROY = "destroy"
    RESHARE = "reshare"
    RESTORE = "restore"
    MOVE = "move"  # values moved onto a security module


MOVES = {
    Act.RETIRE: KeyState.RETIRED,
    Act.RESUME: KeyState.ACTIVE,
    Act.COMPROMISE: KeyState.COMPROMISED,
    Act.DESTROY: KeyState.DESTROYED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The store after an act, and the keys that it touched."""

    store: KeyStore
    touched: tuple[KeyName, ...]


def add(
    store: KeyStore,
    name: KeyName,
    secret: bytes,
    *,
    valid_from: str = "",
    valid_to: str = "",
    terms: Terms = (),
) -> Done:
    """Take in a key under a name that no key ever had; ``terms`` bind it for good (`jinka.keys.catalogue.TERMS`)."""
    where = f"keys.{name}"
    if name in store.records:
        raise Refused("a key of this name was there already", where=where, fix="take the next version")
    if not 1 <= name.version <= VERSION_MAX or not _OWNER.fullmatch(name.owner):
        raise Usage("no such name", where=where, fix=f"versions 1 to {VERSION_MAX}, an owner's code")
    sizes = SIZES.get(_kind(name))
    if sizes is None or len(secret) not in sizes:
        raise Refused(f"{len(secret)} bytes", where=where, fix=f"one of {sizes}")
    require_strong(name, secret)
    _check_dates(valid_from, valid_to, where)
    record = KeyRecord(
        name=name,
        check=root_check(name, secret),
        valid_from=valid_from,
        valid_to=valid_to,
        terms=terms,
    )
    return Done(store=_with(store, {name: secret}, record), touched=(name,))


def draw(
    store: KeyStore,
    name: KeyName,
    randomness: Randomness,
    *,
    valid_from: str = "",
    valid_to: str = "",
    terms: Terms = (),
) -> Done:
    """Draw a new key."""
    secret = draw_secret(name, randomness)
    return add(store, name, secret, valid_from=valid_from, valid_to=valid_to, terms=terms)


def rotate(
    store: KeyStore,
    purpose: Purpose,
    algorithm: str,
    randomness: Randomness,
    *,
    owner: str = "",
    valid_from: str = "",
    old_until: str = "",
) -> Done:
    """Draw the next version; the active ones before it make nothing new after ``old_until`` where that is given.

    It has the terms of the last one.
    """
    line = KeyName(purpose=purpose, algorithm=algorithm, version=1, owner=owner)
    versions = [name for name in store.records if replace(name, version=1) == line]
    if not versions:
        raise Refused("there is no such key to follow", where=f"keys.{line}", fix="add version 1")
    last = max(versions, key=lambda name: name.version)
    name = replace(line, version=last.version + 1)
    done = draw(store, name, randomness, valid_from=valid_from, terms=store.records[last].terms)
    if not old_until:
        return done
    _check_dates(old_until, "", f"keys.{name}")
    if valid_from and _day(old_until) + dt.timedelta(days=1) < _day(valid_from):
        raise Usage(
            f"no version would be valid from {old_until} to {valid_from}",
            where=f"keys.{name}",
            fix="let the old one end no sooner than the day before",
        )
    changed = {
        old: replace(record, valid_to=old_until)
        for old, record in store.records.items()
        if old in versions and record.state is KeyState.ACTIVE and not record.valid_to
    }
    after = replace(done.store, records=done.store.records | changed)
    return Done(store=after, touched=(name, *changed))


def move(store: KeyStore, name: KeyName, act: Act) -> Done:
    """Move a key to the state that the act leads to; what is destroyed leaves the store. Raises `Refused`."""
    record = store.records.get(name)
    if record is None:
        raise Refused("no such key", where=f"keys.{name}", fix="see jinka keys list")
    moved = record.moved(MOVES[act])
    gone = moved.state is KeyState.DESTROYED
    roots = {other: secret for other, secret in store.roots.items() if not (gone and other == name)}
    return Done(store=replace(store, roots=roots, records=store.records | {name: moved}), touched=(name,))


def _with(store: KeyStore, secret: dict[KeyName, bytes], record: KeyRecord) -> KeyStore:
    return replace(store, roots=store.roots | secret, records=store.records | {record.name: record})


def _kind(name: KeyName) -> KeyKind:
    try:
        return KeyKind(name.algorithm)
    except ValueError:
        raise Usage(f"no algorithm {name.algorithm}", where=f"keys.{name}") from None


def _check_dates(first: str, last: str, where: str) -> None:
    for date in (first, last):
        if date and _day(date, where).isoformat() != date:
            raise Usage(f"{date!r}", where=where, fix="YYYY-MM-DD")
    if first and last and last < first:
        raise Usage(f"{last} lies before {first}", where=where)


def _day(text: str, where: str = "keys") -> dt.date:
    return parse_date(text, where=where)
