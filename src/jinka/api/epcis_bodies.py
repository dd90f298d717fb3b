"""Bodies that are read or worked on: so many bytes in all and of each peer, and no slower than a rate.

A peer is a participant, or an address where nobody is named. Who sends slowly holds only what is his own: a peer has a
share of the whole, and when the whole is full the largest body of who holds most makes room for others. Used by one
event loop; nothing here is for threads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

from starlette.types import Receive

from jinka.api.epcis_problems import EpcisError, Exceptions

BODY_S = 60.0  # for a whole body
BODIES_MAX = 256 << 20  # bytes of all bodies; one of the largest always fits
BODIES_EACH = 64 << 20  # of one peer
READS_EACH = 32  # bodies of one peer that are coming
WINDOW_S = 5.0  # in each such time
WINDOW_BYTES = 64 << 10  # so many come, or the end
_AGAIN = "ask again in a second"


@dataclass(slots=True, eq=False)
class Body:
    """What came of one."""

    peer: str
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    timer: asyncio.Timeout | None = None  # while it is coming
    cut: bool = False

    def whole(self) -> bytes:
        return b"".join(self.parts)


class Bodies:
    """All of a server."""

    def __init__(self) -> None:
        self._held = 0
        self._of = Counter[str]()
        self._coming: dict[str, list[Body]] = {}

    def begin(self, peer: str) -> Body:
        """One more of a peer, which `let_go` ends whatever happens."""
        return Body(peer)

    async def read(self, body: Body, receive: Receive, most: int) -> None:
        """Read it whole; raises `EpcisError`."""
        coming = self._coming.setdefault(body.peer, [])
        if len(coming) >= READS_EACH:
            raise EpcisError(Exceptions.BUSY, "too many bodies of yours are coming", fix=_AGAIN)
        coming.append(body)
        loop = asyncio.get_running_loop()
        end = loop.time() + BODY_S
        try:
            more = True
            while more:
                async with asyncio.timeout_at(min(end, loop.time() + WINDOW_S)) as body.timer:
                    more = await self._window(body, receive, most)
        except TimeoutError:
            if body.cut:
                raise _cut_off() from None
            rate = f"{WINDOW_BYTES} bytes in {WINDOW_S:g} s, and all within {BODY_S:g} s"
            raise EpcisError(Exceptions.TIMEOUT, "too slow", where="body", fix=rate) from None
        finally:
            body.timer = None
            coming.remove(body)
            if not coming:
                del self._coming[body.peer]

    def let_go(self, body: Body) -> None:
        """It is answered."""
        self._held -= body.size
        self._of[body.peer] -= body.size
        if not self._of[body.peer]:
            del self._of[body.peer]
        body.size = 0
        body.parts.clear()

    async def _window(self, body: Body, receive: Receive, most: int) -> bool:
        """Read as much as one window asks for; whether there is more."""
        came = 0
        while came < WINDOW_BYTES:
            message = await receive()
            if message["type"] != "http.request":
                raise EpcisError(Exceptions.VALIDATION, "the body was cut off", where="body")
            part = message.get("body", b"")
            came += len(part)
            self._take(body, part, most)
            if not message.get("more_body", False):
                return False
        return True

    def _take(self, body: Body, part: bytes, most: int) -> None:
        if body.cut:  # and this came before it was told so: what came first is gone
            raise _cut_off()
        body.parts.append(part)
        body.size += len(part)
        self._held += len(part)
        self._of[body.peer] += len(part)
        if body.size > most:
            raise too_large(most)
        if self._of[body.peer] > max(BODIES_EACH, most):
            raise EpcisError(Exceptions.BUSY, "too much of yours is under way", fix=_AGAIN)
        while self._held > max(BODIES_MAX, most):
            if not self._make_room(body.peer):
                raise EpcisError(Exceptions.BUSY, "too many bodies are under way", fix=_AGAIN)

    def _make_room(self, peer: str) -> bool:
        """Cut the largest body that is coming from who has most coming; False where that is the asker."""
        coming = {name: sum(one.size for one in bodies) for name, bodies in self._coming.items()}
        most = max(coming, key=lambda name: (coming[name], name == peer))
        if most == peer or not coming[most]:
            return False
        largest = max(self._coming[most], key=lambda one: one.size)
        self.let_go(largest)
        largest.cut = True
        if largest.timer is not None:
            with contextlib.suppress(RuntimeError):  # its window is ending in this very turn
                largest.timer.reschedule(asyncio.get_running_loop().time())
        return True


def _cut_off() -> EpcisError:
    return EpcisError(Exceptions.BUSY, "others need the room", fix=_AGAIN)


def too_large(most: int) -> EpcisError:
    """For a body of more than ``most`` bytes."""
    return EpcisError(
        Exceptions.CAPTURE_LIMIT, "the body is too large", where="body", fix=f"at most {most} bytes at a time"
    )
