"""A folder of keys with custodians, for the tests of ceremonies."""

from __future__ import annotations

from pathlib import Path

from jinka.app.key_acts import Asked, hold, perform
from jinka.app.key_folder import KeyFolder, Place
from jinka.keys import KeyName, Sharing
from jinka.keys.acts import Act, draw
from jinka.keys.minutes import Minutes

DATE = "2018-09-01"
PEOPLE = ("Zhao", "Qian", "Sun", "李", "Zhou")


def places(folder: Path, *names: str) -> list[Place]:
    room = KeyFolder(folder)
    return [room.place(name) for name in names]


def asked(folder: Path, *, needed: int = 2, made: int = 3, sharing: Sharing = Sharing.SHAMIR) -> Asked:
    return Asked(
        issuer="issuer.szt",
        places=tuple(places(folder, *PEOPLE[:made])),
        needed=needed,
        date=DATE,
        sharing=sharing,
        simulated=True,
    )


def held(folder: Path, *, needed: int = 2, made: int = 3, sharing: Sharing = Sharing.SHAMIR) -> KeyFolder:
    room = KeyFolder(folder)
    hold(room, asked(folder, needed=needed, made=made, sharing=sharing))
    return room


def drawn(folder: Path, name: str, by: tuple[str, ...] = PEOPLE[:2]) -> Minutes:
    key = KeyName.parse(name)
    return perform(
        KeyFolder(folder), Act.ADD, places(folder, *by), lambda store, dice: draw(store, key, dice), date=DATE
    )
