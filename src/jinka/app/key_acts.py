"""Key ceremonies on a folder: the first one, and every later act, each with custodians present, recorded and signed.

Secrets come from the operating system's randomness unless a simulation passes its own. What custodians bring is read
from their places, or typed; nothing secret is an argument of a command, and nothing secret is in what is returned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinka.app.key_folder import Ask, KeyFolder, Place
from jinka.crypto.note import Ed25519Signer
from jinka.keys import KeyName, Share, Sharing, hold_ceremony
from jinka.keys.acts import Act, Done
from jinka.keys.minutes import Minutes
from jinka.keys.shares import require_custodians
from jinka.keys.store import KeyStore, OpenedStore, new_store, read_header, sealed_again, unlock
from jinka.kit import JinkaError, Randomness, Refused, Usage, parse_date
from jinka.node import file_errors, write_durable
from jinka.node.system import SystemRandomness
from jinka.reports.key_forms import share_form

_ISSUER_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A first ceremony as it was asked for."""

    issuer: str
    places: tuple[Place, ...]
    needed: int
    date: str
    sharing: Sharing = Sharing.SHAMIR
    simulated: bool = False
    names: tuple[KeyName, ...] = ()  # which keys to draw; an issuer's roots without


def hold(folder: KeyFolder, asked: Asked, *, randomness: Randomness | None = None) -> Minutes:
    """Hold the first ceremony of a folder: store, shares, forms, signing keys, and the signed record."""
    randomness = randomness or SystemRandomness()
    _check(asked)
    with folder.alone():
        if folder.store.exists() or folder.notes():
            raise Refused(
                "there is a store here, or the records of one",
                where=str(folder.workspace.folder),
                fix="name another folder; a lost store is restored: jinka keys restore",
            )
        ceremony = hold_ceremony(
            issuer=asked.issuer,
            date=asked.date,
            custodians=tuple(place.custodian for place in asked.places),
            randomness=randomness,
            simulated=asked.simulated,
            needed=asked.needed,
            sharing=asked.sharing,
            names=asked.names,
        )
        signers = [place.signer(randomness) for place in asked.places]
        opened = unlock(ceremony.sealed, list(ceremony.shares[: asked.needed]))
        minutes = _minutes(
            Act.CREATE, opened.store, ceremony.sealed, None, signers, signers, date=asked.date, touched=()
        )
        note = minutes.signed(signers)
        _hand_out(asked.places, ceremony.shares, minutes, made=len(asked.places))
        folder.begin(ceremony.sealed, note, minutes, _opens(list(ceremony.shares), opened.store))
    return minutes


def perform(
    folder: KeyFolder,
    act: Act,
    places: Sequence[Place],
    step: Callable[[KeyStore, Randomness], Done],
    *,
    date: str,
    ask: Ask | None = None,
    randomness: Randomness | None = None,
) -> Minutes:
    """One act upon the keys, by as many custodians as the store needs. Raises `Refused`; then nothing was changed."""
    randomness = randomness or SystemRandomness()
    parse_date(date, where="--date")
    with folder.alone():
        before = folder.minutes()
        sealed = folder.sealed(before)
        shares, signers, opened = _gather(before[-1], sealed, places, ask)
        done = step(opened.store, randomness)
        after = sealed_again(opened, done.store, randomness)
        minutes = _minutes(act, done.store, after, before[-1], signers, [], date=date, touched=done.touched)
        folder.replace(after, minutes.signed(signers), minutes, _opens(shares, done.store))
    return minutes


def reshare(
    folder: KeyFolder,
    places: Sequence[Place],
    asked: Asked,
    *,
    ask: Ask | None = None,
    randomness: Randomness | None = None,
) -> Minutes:
    """Seal the store under a new wrapping key with new custodians; the old shares open nothing that comes after."""
    randomness = randomness or SystemRandomness()
    _check(asked)
    with folder.alone():
        before = folder.minutes()
        sealed = folder.sealed(before)
        _, signers, opened = _gather(before[-1], sealed, places, ask)
        if asked.issuer != opened.store.issuer or asked.simulated != opened.store.simulated:
            raise Usage("issuer and simulation stay what they are", where="reshare")
        custodians = tuple(place.custodian for place in asked.places)
        after, shares = new_store(
            opened.store,
            custodians,
            needed=asked.needed,
            sharing=asked.sharing,
            serial=opened.header.serial + 1,
            randomness=randomness,
        )
        theirs = [place.signer(randomness) for place in asked.places]
        minutes = _minutes(
            Act.RESHARE, opened.store, after, before[-1], signers, theirs, date=asked.date, touched=()
        )
        note = minutes.signed([*signers, *theirs])
        _hand_out(asked.places, shares, minutes, made=len(custodians))
        folder.replace(after, note, minutes, _opens(list(shares), opened.store))
        for place in {*places, *asked.places}:
            place.forget(opened.header.check)
    return minutes


def restore(
    folder: KeyFolder, places: Sequence[Place], copy: Path, *, date: str, ask: Ask | None = None
) -> Minutes:
    """Put back a copy of a store that was lost or damaged: the newest recorded one, opened by its custodians."""
    parse_date(date, where="--date")
    with folder.alone():
        before = folder.minutes()
        with file_errors(copy):
            sealed = copy.read_bytes()
        header = read_header(sealed)
        if header.serial < before[-1].serial:
            raise Refused(
                f"version {header.serial} of the store; the records name {before[-1].serial}",
                where=str(copy),
                fix="bring the newest copy",
            )
        _, signers, opened = _gather(before[-1], sealed, places, ask)
        minutes = _minutes(Act.RESTORE, opened.store, sealed, before[-1], signers, [], date=date, touched=())
        folder.restore(sealed, minutes.signed(signers), minutes)
    return minutes


def catalogue(folder: KeyFolder, name: KeyName | None = None) -> list[dict[str, str]]:
    """The catalogue after the last record, without any value and without opening the store."""
    rows = [
        {
            "name": str(key.name),
            "check": key.check,
            "state": key.state.value,
            "valid_from": key.valid_from,
            "valid_to": key.valid_to,
            "terms": key.terms_text,
        }
        for key in folder.minutes()[-1].keys
        if name in (None, key.name)
    ]
    if name is not None and not rows:
        raise Usage("no such key", where=f"keys.{name}", fix="see jinka keys list")
    return rows


def _check(asked: Asked) -> None:
    if (
        not asked.issuer
        or len(asked.issuer) > _ISSUER_MAX
        or not asked.issuer.isprintable()
        or " " in asked.issuer
    ):
        raise Usage("not an issuer's code", where="--issuer", fix="such as issuer.szt")
    parse_date(asked.date, where="--date")
    require_custodians(tuple(place.custodian for place in asked.places), asked.needed, asked.sharing)
    if len({place.path.resolve() for place in asked.places}) != len(asked.places):
        raise Usage("two custodians share a place", where="--custodian", fix="a place of their own for each")


def _gather(
    last: Minutes, sealed: bytes, places: Sequence[Place], ask: Ask | None
) -> tuple[list[Share], list[Ed25519Signer], OpenedStore]:
    """What the custodians bring, and the store that it opens; `Refused` unless all of it fits the last record."""
    names = [place.custodian.casefold() for place in places]
    if len(set(names)) != len(names):
        raise Refused("one custodian is named twice", where="--by", fix="name different people")
    if len(names) < last.needed:
        raise Refused(f"{len(names)} of {last.needed} custodians", where="--by", fix="bring more custodians")
    known = {str(key) for key in last.holders}
    signers = [place.signer() for place in places]
    stranger = next((signer.name for signer in signers if str(signer.public) not in known), None)
    if stranger is not None:
        raise Refused(f"the signing key of {stranger} is of no custodian of this store", where="--by")
    header = read_header(sealed)
    shares = [place.share(header, ask) for place in places]
    return shares, signers, unlock(sealed, shares, serial_min=last.serial)


def _minutes(
    act: Act,
    store: KeyStore,
    sealed: bytes,
    before: Minutes | None,
    present: list[Ed25519Signer],
    new: list[Ed25519Signer],
    *,
    date: str,
    touched: tuple[KeyName, ...],
) -> Minutes:
    header = read_header(sealed)
    holders = tuple(signer.public for signer in new) if new or before is None else before.holders
    return Minutes(
        number=before.number + 1 if before else 1,
        issuer=store.issuer,
        simulated=store.simulated,
        date=date,
        act=act,
        touched=touched,
        present=tuple(signer.public for signer in present),
        holders=holders,
        needed=header.needed,
        sharing=header.sharing,
        wrapping=header.check,
        serial=header.serial,
        store_digest=hashlib.sha256(sealed).hexdigest(),
        previous=before.digest if before else "",
        keys=tuple(store.records.values()),
    )


def _hand_out(places: Sequence[Place], shares: Sequence[Share], minutes: Minutes, *, made: int) -> None:
    """Each share and its forms to the custodian's own place, readable by its owner alone."""
    for place, share in zip(places, shares, strict=True):
        place.keep(share)
        form = share_form(share, needed=minutes.needed, made=made, date=minutes.date, record=minutes.digest)
        for suffix, body in (("txt", form.as_text()), ("html", form.as_html())):
            path = place.path / f"form-{share.check}.{suffix}"
            write_durable(path, body.encode(), private=True)


def _opens(shares: list[Share], wanted: KeyStore) -> Callable[[bytes], None]:
    def check(sealed: bytes) -> None:
        found = unlock(sealed, shares).store
        if found != wanted:
            raise JinkaError("the new store does not hold what was sealed", where="key store")

    return check
