"""Signed notes. Goal: only what a known key signed is read. Method: the published example of the Go project
(golang.org/x/mod/sumdb/note: its keys and its note), then every part of a note falsified.
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from jinka.crypto.note import Ed25519Signer, NoteKey, open_note, sign_note
from jinka.kit import Refused, Usage

# golang.org/x/mod/sumdb/note, package documentation
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET_LINE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SIGNER = Ed25519Signer("centre.sz", bytes(range(32)))


def test_the_published_note() -> None:
    assert open_note(NOTE, NoteKey.parse(KEY)) == TEXT
    assert str(NoteKey.parse(KEY)) == KEY
    secret = base64.b64decode(SECRET_LINE.split("+", 4)[4])
    assert sign_note(TEXT, Ed25519Signer("PeterNeumann", secret[1:])) == NOTE


def test_what_is_signed_is_read() -> None:
    note = sign_note("a\nb\n", SIGNER)
    assert open_note(note, SIGNER.public) == "a\nb\n"
    other = Ed25519Signer("other", bytes(32))
    second = sign_note("a\nb\n", other).rpartition("\n\n")[2]
    assert open_note(note + second, SIGNER.public) == "a\nb\n"  # a line of a key that is not known
    assert open_note(note + second, other.public) == "a\nb\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a\n",
        "a\n\n",
        NOTE[:-1],
        NOTE.replace("then", "than"),
        NOTE.replace("x08go/Z", "x08go/Y"),
        NOTE.replace("— ", "- "),
        NOTE.replace("PeterNeumann", "PeterNeuman"),
        NOTE + "— x y\n",
        NOTE + "\n",
        NOTE * 1000,
        TEXT + "\n" + "— PeterNeumann x08go/ZJ\n" * 17,
        TEXT + "\n— PeterNeumann x08go/ZJkuBS\n",
        TEXT + "\n— PeterNeumann !!!!\n",
    ],
)
def test_a_false_note_is_refused(note: str) -> None:
    with pytest.raises(Refused):
        open_note(note, NoteKey.parse(KEY))


@pytest.mark.parametrize(
    "text", ["", "x", "x+y+z", KEY.replace("c74f", "c74e"), KEY[:-4], KEY.replace("ARpc", "AhpC")]
)
def test_a_false_key_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        NoteKey.parse(text)


@pytest.mark.parametrize("text", ["no end", "bell\x07\n", "", "tab\t\n"])
def test_what_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(Usage):
        sign_note(text, SIGNER)


def test_a_key_of_openssl(tmp_path: Path) -> None:
    path = tmp_path / "signer.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, capture_output=True
    )
    signer = Ed25519Signer.from_pem("centre.sz", path.read_bytes())
    note = sign_note("x\n", signer)
    assert open_note(note, NoteKey.parse(str(signer.public))) == "x\n"
    assert path.read_text().split()[4] not in repr(signer)
    with pytest.raises(Refused):
        Ed25519Signer.from_pem("centre.sz", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
