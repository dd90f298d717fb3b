#!/usr/bin/env python3
"""Check a proof of clearing without Jinka: Python's standard library alone. Format: docs/proof.md.

Usage: python verify_proof.py PROOF.json CENTRE.key [WITNESS.key]; prints each record, ends with 0 only if all holds.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

# A leaf's body: name, width in bytes, kind (h: hexadecimal, u: unsigned, s: signed, w: words).
LAYOUT = """batch 16 h, batch_seq 4 u, state 1 u, card_no 10 h, card_len 1 u, profile_version 2 u, txn_type 1 u,
amount 8 s, balance 8 s, gross_fare 8 s, counter 2 u, counter_kind 1 u, terminal_id 6 h, terminal_serial 4 u,
psam_id 10 h, local_date 4 h, local_time 3 h, business_date 4 u, key_version 1 u, algorithm 1 u, tac_len 1 u,
tac 4 h, subsidy 8 s, words 32 w"""
FIELDS = [tuple(part.split()) for part in LAYOUT.replace("\n", " ").split(",")]
WORDS = "profile product zone issuer acquirer operator line stop payer outcome reason findings at_risk"

# P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)  # fmt: skip
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # what stands before x and y


def need(true: bool, what: str) -> None:
    if not true:
        raise SystemExit(f"NOT PROVEN: {what}")


def sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    while k:
        total = add(total, point) if k & 1 else total
        point, k = add(point, point), k >> 1
    return total


def check_ecdsa(spki: bytes, message: bytes, signature: bytes) -> None:
    need(spki[: len(SPKI)] == SPKI and len(spki) == len(SPKI) + 64, "the key is not on P-256")
    x, y = int.from_bytes(spki[-64:-32], "big"), int.from_bytes(spki[-32:], "big")
    need(x < P and y < P and (y * y - x**3 + 3 * x - B) % P == 0, "the key is no point of P-256")
    middle = 4 + signature[3]  # SEQUENCE of two INTEGERs
    marks = (signature[0], signature[1], signature[2], signature[middle], signature[middle + 1])
    need(marks == (0x30, len(signature) - 2, 2, 2, len(signature) - middle - 2), "not a signature in DER")
    r, s = int.from_bytes(signature[4:middle], "big"), int.from_bytes(signature[middle + 2 :], "big")
    need(0 < r < N and 0 < s < N, "the signature is out of range")
    w = pow(s, -1, N)
    point = add(times(int.from_bytes(sha256(message), "big") * w % N, G), times(r * w % N, (x, y)))
    need(point is not None and point[0] % N == r, "the centre did not sign this checkpoint")


def check_note(note: str, key: str) -> list[str]:
    """The lines of a checkpoint that the key signed (C2SP signed-note, type 2)."""
    name, claimed, body = key.strip().split("+", 2)
    raw = base64.b64decode(body, validate=True)
    need(raw[:1] == b"\2" and sha256(raw[1:])[:4].hex() == claimed, "not a P-256 key of notes")
    text, _, tail = note.rpartition("\n\n")
    for line in tail.splitlines():
        mark, signer, blob = line.split(" ")
        signed = base64.b64decode(blob)
        if (mark, signer, signed[:4].hex()) == ("\u2014", name, claimed):
            check_ecdsa(raw[1:], (text + "\n").encode(), signed[4:])
            return text.split("\n")
    raise SystemExit("NOT PROVEN: no signature by this key")


def check_path(
    leaf: bytes, place: int, size: int, path: list[str], root: bytes, what: str
) -> None:  # RFC 9162, 2.1.3.2
    need(type(place) is int and 0 <= place < size, f"{what}: no such place")
    last, found = size - 1, leaf
    for step in path:
        other = bytes.fromhex(step)
        need(last > 0 and len(other) == 32, f"{what}: the path does not fit")
        if place & 1 or place == last:
            found = sha256(b"\1" + other + found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + other)
        place, last = place >> 1, last >> 1
    need(last == 0 and found == root, f"{what}: the path does not lead to the root")


def body_of(fields: dict) -> bytes:
    need(
        (set(fields), set(fields["words"])) == ({one[0] for one in FIELDS}, set(WORDS.split())),
        "other fields",
    )
    out = b""
    for name, width, kind in FIELDS:
        value = fields[name]
        if kind == "w":
            part = sha256(json.dumps([value[word] for word in WORDS.split()], separators=(",", ":")).encode())
        elif kind == "h":
            part = bytes.fromhex(value if len(value) == 2 * int(width) else "")
        else:
            part = value.to_bytes(int(width), "big", signed=kind == "s")
        need(len(part) == int(width), f"{name} has another width")
        out += part
    return out


def main(proof_file: str, key_file: str, *witnesses: str) -> None:
    document = json.loads(Path(proof_file).read_text("utf-8"))
    need(document["format"] == "jinka.proof/1", "another format")
    for file in (*witnesses, key_file):
        lines = check_note(document["checkpoint"], Path(file).read_text("utf-8"))
    day = document["day"]
    form, centre, date, edition, size, root, end = day["statement"].split("\n")
    need((form, end) == ("jinka.proof.day/1", ""), "not the statement of a day")
    need(lines[0] == f"jinka.proof/{centre}", "the day of another centre")
    leaf = sha256(b"\0" + day["statement"].encode())
    check_path(leaf, day["place"], int(lines[1]), day["path"], base64.b64decode(lines[2]), "day")
    need(len(document["records"]) > 0, "no records in it")
    for record in document["records"]:
        salt, fields = bytes.fromhex(record["salt"]), record["fields"]
        need(len(salt) == 16, "the salt has another width")
        leaf = sha256(b"\0" + salt + body_of(fields))
        check_path(leaf, record["place"], int(size), record["path"], base64.b64decode(root), "record")
        word = fields["words"]
        told = f"edition {edition}: card {fields['card_no']} amount {fields['amount']} to {word['operator']}"
        told = f"{centre} {date} place {record['place']} {told} {word['outcome']} {word['reason']}"
        print(ascii(told)[1:-1])  # the centre's words, and no orders to a terminal


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as problem:  # whatever is wrong with the files, nothing is proven
        sys.exit(f"NOT PROVEN: {problem!a}")
