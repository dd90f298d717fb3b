"""A Unix socket by which its owner, and nobody else, tells a running process to do something.

One line of JSON in, one line out. The socket's file is the owner's alone from its first moment on, and the kernel says
who is at the other end (SO_PEERCRED, unix(7)): another user is not answered, root neither. What an order means is the
caller's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jinka.kit import JinkaError, NotFound, Usage

_LINE_MAX = 4_096
_READ_S = 5.0
_PATH_MAX = 107
_PEER = struct.Struct("3i")

Order = dict[str, Any]


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name that fits an address: one that is too long goes by its open folder (proc(5))."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class ControlSocket:
    """``act`` does what an order says, and gives what to tell; it runs in the loop."""

    def __init__(self, path: Path, act: Callable[[Order], Order]) -> None:
        self._path, self._act = path, act
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket that a killed process left behind is replaced."""
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with _short(self._path) as name:
                listening.bind(name)
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=_LINE_MAX)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.TimeoutError):
            peer: socket.socket = writer.get_extra_info("socket")
            raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
            if _PEER.unpack(raw)[1] == os.getuid():
                line = await asyncio.wait_for(reader.readline(), _READ_S)
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await asyncio.wait_for(writer.drain(), _READ_S)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _answer(self, line: bytes) -> Order:
        try:
            order = json.loads(line)
            if not isinstance(order, dict):
                raise ValueError
        except ValueError:
            return {"error": ["not an order", "control", "one line of JSON"]}
        try:
            return {"done": self._act(order)}
        except JinkaError as error:
            return {"error": [error.what, error.where, error.fix]}


def give_order(path: Path, order: Order) -> Order:
    """Tell a process something; `NotFound` where none listens, `Usage` for what it does not do."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, _short(path) as name:
            line.settimeout(2 * _READ_S)
            line.connect(name)
            line.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline(1 << 20))
    except (OSError, ValueError):
        raise NotFound("nobody listens there", where=str(path), fix="is it running, and yours?") from None
    if "error" in answer:
        what, where, fix = answer["error"]
        raise Usage(what, where=where, fix=fix)
    done: Order = answer["done"]
    return done
