"""Checkpoints of a log: its name, size and Merkle root, signed, for somebody else to hold. C2SP tlog-checkpoint.

Whoever holds one can say later whether the log still begins with those entries. A centre hands its checkpoints to
another one; how often is a matter of agreement. Whether two checkpoints of one log agree is shown by a consistency
proof (`jinka.crypto.merkle`). No time stands in a checkpoint: the log itself says when it was made.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from jinka.crypto.merkle import HASH_BYTES
from jinka.crypto.note import NoteKey, NoteSigner, open_note, sign_note
from jinka.kit import Refused

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A state of a log. ``origin`` names the log, the same for all its checkpoints."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signer: NoteSigner) -> str:
        """The checkpoint as a signed note."""
        return sign_note(self.body(), signer)

    @classmethod
    def opened(cls, note: str, key: NoteKey) -> Checkpoint:
        """Read a checkpoint that ``key`` signed; raises `Refused`. Further lines of the format are passed over."""
        lines = open_note(note, key).splitlines()
        if len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise Refused("not a checkpoint", where=f"note of {key.name}")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError):
            root = b""
        if len(root) != HASH_BYTES:
            raise Refused("its root is no SHA-256", where=f"note of {key.name}")
        return cls(origin=lines[0], size=int(lines[1]), root=root)
