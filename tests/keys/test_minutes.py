"""Signed records: every changed line, every gap, every missing or strange signature is found."""

from __future__ import annotations

import dataclasses

import pytest

from jinka.crypto.note import Ed25519Signer, sign_note
from jinka.keys import KeyName, KeyRecord, KeyState, Sharing
from jinka.keys.acts import Act
from jinka.keys.minutes import Minutes, check_minutes, require_store, signing_key_pem
from jinka.kit import Refused

PEOPLE = {
    name: Ed25519Signer(name, bytes((number,)) * 32)
    for number, name in enumerate(("Zhao", "钱", "Sun", "Li"), 1)
}
THREE = tuple(PEOPLE[name].public for name in ("Zhao", "钱", "Sun"))
KEY = KeyRecord(name=KeyName.parse("tac/TDES/1"), check="a1b2c3")
OTHER = KeyRecord(
    name=KeyName.parse("load/TDES/1"), check="d4e5f6", valid_from="2019-01-01", valid_to="2020-01-01"
)


def first(**changes: object) -> Minutes:
    made = Minutes(
        number=1, issuer="issuer.szt", simulated=True, date="2018-09-01", act=Act.CREATE, touched=(),
        present=THREE, holders=THREE, needed=2, sharing=Sharing.SHAMIR, wrapping="01020304", serial=1,
        store_digest="ab" * 32, previous="", keys=(KEY, OTHER),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def after(before: Minutes, **changes: object) -> Minutes:
    base = {
        "number": before.number + 1, "act": Act.RETIRE, "present": THREE[:2], "previous": before.digest,
        "serial": before.serial + 1, "store_digest": f"{before.serial:064x}", "touched": (KEY.name,),
        "keys": (dataclasses.replace(KEY, state=KeyState.RETIRED), OTHER),
    }  # fmt: skip
    return dataclasses.replace(before, **(base | changes))


def signed(*minutes: Minutes) -> list[str]:
    return [one.signed(list(PEOPLE.values())) for one in minutes]


ONE = first()
TWO = after(ONE)
NOTES = signed(ONE, TWO)


def test_what_is_written_is_read_and_in_order() -> None:
    assert check_minutes(NOTES) == [ONE, TWO]
    assert check_minutes(NOTES, first_digest=ONE.digest.upper()) == [ONE, TWO]
    assert "  " not in ONE.text()


@pytest.mark.parametrize("number", [0, 1])
def test_every_changed_line_and_every_changed_character_of_a_record_is_refused(number: int) -> None:
    note = NOTES[number]
    end = note.index("\n\n") + 1
    for at in range(0, end):
        changed = list(NOTES)
        changed[number] = note[:at] + ("0" if note[at] != "0" else "1") + note[at + 1 :]
        with pytest.raises(Refused):
            check_minutes(changed)
    lines = note[:end].splitlines(keepends=True)
    for place in range(len(lines)):
        for other in (lines[:place] + lines[place + 1 :], lines[: place + 1] + lines[place:]):
            changed = list(NOTES)
            changed[number] = "".join(other) + note[end:]
            with pytest.raises(Refused):
                check_minutes(changed)


def test_a_record_left_out_moved_or_put_in_is_refused() -> None:
    third = after(TWO, keys=TWO.keys, touched=())
    notes = [*NOTES, *signed(third)]
    assert len(check_minutes(notes)) == 3
    for wrong in ([notes[0], notes[2]], notes[1:], [notes[0], notes[2], notes[1]], [notes[0], *notes], []):
        with pytest.raises(Refused):
            check_minutes(wrong)
    with pytest.raises(Refused, match="digest"):
        check_minutes(notes, first_digest=TWO.digest)


def test_a_signature_that_is_missing_or_of_somebody_else_is_refused() -> None:
    with pytest.raises(Refused, match="no signature of Sun"):
        ONE.signed([PEOPLE["Zhao"], PEOPLE["钱"]])
    lines = NOTES[0].splitlines(keepends=True)
    for place in (-1, -2, -3):
        with pytest.raises(Refused):
            Minutes.opened("".join(lines[:place] + lines[place + 1 or len(lines) :]))
    impostor = Ed25519Signer("Sun", bytes(32))
    forged = "".join(lines[:-1]) + sign_note(ONE.text(), impostor).splitlines()[-1] + "\n"
    with pytest.raises(Refused, match="Sun"):
        Minutes.opened(forged)


CREATED = {"act": Act.CREATE}
WRONG = {
    "too few": {"present": THREE[:1]},
    "a stranger": {"present": (THREE[0], PEOPLE["Li"].public)},
    "one twice": {"present": (THREE[0], Ed25519Signer("zhao", bytes(32)).public)},
    "a serial that stands still": {"serial": 1},
    "a serial that jumps": {"serial": 3},
    "a second beginning": CREATED,
    "another issuer": {"issuer": "issuer.evil"},
    "no longer simulated": {"simulated": False},
    "new custodians by the way": {"holders": (*THREE, PEOPLE["Li"].public)},
    "fewer needed by the way": {"needed": 3},
    "a new wrapping key by the way": {"wrapping": "ffffffff"},
    "a key that is gone": {"keys": (KEY,)},
    "a key that has another value": {"keys": (dataclasses.replace(KEY, check="000000"), OTHER)},
    "a key that is not named": {"touched": ()},
    "a step that the table does not have": {
        "keys": (dataclasses.replace(KEY, state=KeyState.DESTROYED), OTHER)
    },
    "shared anew with the same": {"act": Act.RESHARE},
    "shared anew under the old wrapping key": {"act": Act.RESHARE, "holders": THREE[:2], "touched": ()},
    "restored into something else": {"act": Act.RESTORE, "serial": 1, "touched": (), "keys": ONE.keys},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_record_that_all_signed_and_that_cannot_be_is_refused(what: str) -> None:
    everybody = [*PEOPLE.values(), Ed25519Signer("zhao", bytes(32))]
    note = after(ONE, **WRONG[what]).signed(everybody)
    with pytest.raises(Refused):
        check_minutes([NOTES[0], note])


def test_new_custodians_and_a_restored_store_are_in_order() -> None:
    new = (*THREE[:2], PEOPLE["Li"].public)
    shared = after(ONE, act=Act.RESHARE, holders=new, wrapping="0a0b0c0d", keys=ONE.keys, touched=())
    back = after(
        shared, act=Act.RESTORE, serial=2, store_digest=shared.store_digest, keys=ONE.keys, touched=(),
        present=new[1:],
    )  # fmt: skip
    assert len(check_minutes(signed(ONE, shared, back))) == 3
    with pytest.raises(Refused, match="Li"):  # who gets a share signs for it
        shared.signed([PEOPLE["Zhao"], PEOPLE["钱"], PEOPLE["Sun"]])


def test_garbage_is_no_record() -> None:
    for bad in (
        "",
        "\n\n",
        "x\n\n— Zhao AAAA\n",
        NOTES[0] * 100,
        "jinka.keys.record/1\n" + "key: \n" * 40 + "\n\n",
    ):
        with pytest.raises(Refused):
            Minutes.opened(bad)


def test_another_store_is_refused() -> None:
    with pytest.raises(Refused, match="not the store that record 1 left"):
        require_store(ONE, b"another")


def test_a_signing_key_is_read_as_openssl_reads_it() -> None:
    pem = signing_key_pem(bytes((1,)) * 32)
    assert Ed25519Signer.from_pem("Zhao", pem).public == PEOPLE["Zhao"].public
