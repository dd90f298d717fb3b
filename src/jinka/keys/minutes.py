"""The signed records of ceremonies: who did what to which keys, one record for each act, each naming the one before.

A record is a text that a person reads, with the whole catalogue after the act (check values, no secret), and a signed
note (`jinka.crypto.note`, C2SP signed-note, Ed25519): each custodian who was present signs it with a key of their own.
The first record names those keys; whoever holds its digest can check all later ones. A record names serial and SHA-256
of the sealed store that it left, so an older store beside newer records shows, and so does a record that was changed,
left out, or signed by too few. Records that were cut off the end show only against a copy that somebody else holds.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field

from jinka.crypto.note import Ed25519Signer, NoteKey, open_note, sign_note
from jinka.keys.acts import Act
from jinka.keys.catalogue import NEXT_STATES, KeyName, KeyRecord, KeyState, parse_terms
from jinka.keys.shares import Sharing
from jinka.kit import Refused, Usage

_FORMAT = "jinka.keys.record/1"
_HEAD = ("number", "issuer", "simulated", "date", "act", "touched", "present", "holders", "sharing",
         "wrapping", "store", "previous")  # fmt: skip
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\s]{1,64}")
# PKCS #8 of an Ed25519 key (RFC 8410, section 7): this, then its 32 bytes.
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """One record. ``present`` are those who acted, ``holders`` those who hold shares afterwards."""

    number: int
    issuer: str
    simulated: bool
    date: str  # YYYY-MM-DD
    act: Act
    touched: tuple[KeyName, ...]
    present: tuple[NoteKey, ...]
    holders: tuple[NoteKey, ...]
    needed: int
    sharing: Sharing
    wrapping: str  # check value of the wrapping key
    serial: int
    store_digest: str  # SHA-256 of the sealed store, hex
    previous: str  # SHA-256 of the text of the record before, hex; empty for the first
    keys: tuple[KeyRecord, ...] = field(repr=False)

    def text(self) -> str:
        """What is signed; also what is read: `parse` takes this form alone."""
        lines = [
            _FORMAT,
            f"number: {self.number}",
            f"issuer: {self.issuer}",
            f"simulated: {'yes' if self.simulated else 'no'}",
            f"date: {self.date}",
            f"act: {self.act.value}",
            f"touched: {' '.join(map(str, self.touched)) or '-'}",
            f"present: {' '.join(map(str, self.present))}",
            f"holders: {' '.join(map(str, self.holders))}",
            f"sharing: {self.sharing.value} {self.needed} of {len(self.holders)}",
            f"wrapping: {self.wrapping}",
            f"store: {self.serial} {self.store_digest}",
            f"previous: {self.previous or '-'}",
        ]
        for key in self.keys:
            dates = f"{key.valid_from or '-'} {key.valid_to or '-'}"
            terms = f" {key.terms_text}" if key.terms else ""
            lines.append(f"key: {key.name} {key.check} {key.state.value} {dates}{terms}")
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex: what the next record names, and what is printed on the forms."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @property
    def must_sign(self) -> tuple[NoteKey, ...]:
        """Those who acted; and all who got a new share."""
        new = self.holders if self.act in (Act.CREATE, Act.RESHARE) else ()
        return tuple({str(key): key for key in (*self.present, *new)}.values())

    def signed(self, signers: list[Ed25519Signer]) -> str:
        """The record with the signatures of all who must sign; raises `Refused` when one is missing."""
        at_hand = {str(signer.public): signer for signer in signers}
        absent = [key.name for key in self.must_sign if str(key) not in at_hand]
        if absent:
            raise Refused(
                f"no signature of {', '.join(absent)}", where="record", fix="bring their signing keys"
            )
        notes = [sign_note(self.text(), at_hand[str(key)]) for key in self.must_sign]
        return self.text() + "\n" + "".join(note.splitlines()[-1] + "\n" for note in notes)

    @classmethod
    def opened(cls, note: str, where: str = "record") -> Minutes:
        """Read a signed record and check the signatures of all who must have signed it; raises `Refused`."""
        text = note.rpartition("\n\n")[0] + "\n"
        try:
            found = cls.parse(text)
        except (ValueError, KeyError, Usage):
            raise Refused("not a record of a ceremony", where=where) from None
        if found.text() != text:
            raise Refused("not the canonical form of a record", where=where)
        for key in found.must_sign:
            try:
                open_note(note, key)
            except Refused as error:
                raise Refused(f"{error.what}: {key.name}", where=where, fix="a line was changed") from None
        return found

    @classmethod
    def parse(cls, text: str) -> Minutes:
        """Read `text`'s form, without signatures; `ValueError`, `KeyError` or `Usage` for anything else."""
        first, *lines = text.splitlines()
        head = dict(line.split(": ", 1) for line in lines[: len(_HEAD)])
        if first != _FORMAT or tuple(head) != _HEAD or not _PLAIN.fullmatch(head["issuer"]):
            raise ValueError
        sharing, needed, _, made = head["sharing"].split(" ")
        serial, digest = head["store"].split(" ")
        holders = tuple(NoteKey.parse(word) for word in head["holders"].split(" "))
        previous = head["previous"].replace("-", "")
        if len(holders) != int(made) or not all(_DIGEST.fullmatch(d) for d in (digest, previous or digest)):
            raise ValueError
        return cls(
            number=int(head["number"]),
            issuer=head["issuer"],
            simulated={"yes": True, "no": False}[head["simulated"]],
            date=head["date"],
            act=Act(head["act"]),
            touched=tuple(KeyName.parse(word) for word in head["touched"].split(" ") if word != "-"),
            present=tuple(NoteKey.parse(word) for word in head["present"].split(" ")),
            holders=holders,
            needed=int(needed),
            sharing=Sharing(sharing),
            wrapping=head["wrapping"],
            serial=int(serial),
            store_digest=digest,
            previous=previous,
            keys=tuple(_key(line) for line in lines[len(_HEAD) :]),
        )


def check_minutes(notes: list[str], *, first_digest: str = "") -> list[Minutes]:
    """Check all records of a store, oldest first: signatures, order, who was present, and each key's steps.

    ``first_digest`` is the digest of the first record as somebody else holds it. Raises `Refused`.
    """
    found: list[Minutes] = []
    for note in notes:
        where = f"record {len(found) + 1}"
        minutes = Minutes.opened(note, where)
        _follows(minutes, found[-1] if found else None, where)
        found.append(minutes)
    if not found:
        raise Refused("there is no record", where="record", fix="bring the records of the ceremony")
    if first_digest and found[0].digest != first_digest.lower():
        raise Refused(
            "it is not the record that this digest is of", where="record 1", fix="compare the forms"
        )
    return found


def require_store(minutes: Minutes, sealed: bytes) -> None:
    """Raise `Refused` unless the sealed store is the one that the last record left."""
    if hashlib.sha256(sealed).hexdigest() != minutes.store_digest:
        raise Refused(
            f"it is not the store that record {minutes.number} left",
            where="key store",
            fix="an older copy, a damaged one, or an act cut off: jinka keys record verify, jinka keys restore",
        )


def signing_key_pem(secret32: bytes) -> bytes:
    """A custodian's private signing key as a PKCS #8 file, as ``openssl genpkey -algorithm ed25519`` writes it."""
    body = base64.b64encode(_PKCS8 + secret32).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n".encode()


def _follows(minutes: Minutes, before: Minutes | None, where: str) -> None:
    """Raise `Refused` unless a record follows the one before it."""
    names = [key.name for key in minutes.present]
    if len({name.casefold() for name in names}) != len(names):
        raise Refused("one custodian stands there twice", where=where)
    if before is None:
        right = minutes.act is Act.CREATE and (minutes.number, minutes.serial, minutes.previous) == (1, 1, "")
        if not right or set(minutes.present) != set(minutes.holders):
            raise Refused("it is not the first record of a store", where=where, fix="bring all records")
        return
    if minutes.previous != before.digest or minutes.number != before.number + 1:
        raise Refused(f"it does not follow record {before.number}", where=where, fix="bring all records")
    if stranger := [key.name for key in minutes.present if key not in before.holders]:
        raise Refused(f"{stranger[0]} is no custodian of this store", where=where)
    if len(names) < before.needed:
        raise Refused(f"{len(names)} of {before.needed} custodians acted", where=where)
    same = (minutes.issuer, minutes.simulated) == (before.issuer, before.simulated)
    shared = (minutes.holders, minutes.needed, minutes.sharing, minutes.wrapping)
    kept = shared == (before.holders, before.needed, before.sharing, before.wrapping)
    steps = 0 if minutes.act is Act.RESTORE else 1
    if not same or minutes.act is Act.CREATE or minutes.serial != before.serial + steps:
        raise Refused("issuer, act or serial do not follow", where=where)
    if kept == (minutes.act is Act.RESHARE) or (not kept and minutes.wrapping == before.wrapping):
        raise Refused("custodians change when keys are shared anew, and only then", where=where)
    if minutes.act is Act.RESTORE and minutes.store_digest != before.store_digest:
        raise Refused("what was restored is not what was recorded", where=where)
    _keys_follow(minutes, before, where)


def _keys_follow(minutes: Minutes, before: Minutes, where: str) -> None:
    old, new = ({key.name: key for key in some.keys} for some in (before, minutes))
    if lost := [name for name in old if name not in new]:
        raise Refused(f"{lost[0]} is not in the catalogue any more", where=where)
    for name, key in new.items():
        was = old.get(name)
        if was == key:
            continue
        step = was is None or key.state is was.state or key.state in NEXT_STATES[was.state]
        other = was is not None and (was.check, was.terms) != (key.check, key.terms)
        if not step or other or name not in minutes.touched:
            raise Refused(f"{name} cannot have come to this", where=where)


def _key(line: str) -> KeyRecord:
    label, name, check, state, first, last, *terms = line.split(" ")
    if label != "key:" or len(terms) > 1 or terms == [""]:
        raise ValueError
    return KeyRecord(
        name=KeyName.parse(name),
        check=check,
        state=KeyState(state),
        valid_from="" if first == "-" else first,
        valid_to="" if last == "-" else last,
        terms=parse_terms("".join(terms)),
    )
