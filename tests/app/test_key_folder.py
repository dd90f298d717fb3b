"""A folder of keys: acts that count when they are recorded, kills at every write, restoring, sharing anew."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from jinka.app import key_folder
from jinka.app.key_acts import catalogue, hold, perform, reshare, restore
from jinka.app.key_components import component_file, hand_out_components, take_components
from jinka.app.key_folder import KeyFolder
from jinka.app.key_token import move_to_token
from jinka.app.keyring import open_keys
from jinka.app.workspace import Workspace
from jinka.keys import KeyName, KeyState, Sharing
from jinka.keys.acts import Act, move, rotate
from jinka.keys.port import Purpose
from jinka.kit import NotFound, Refused, Usage
from jinka.node import read_audit_lines
from tests.app.custody import DATE, PEOPLE, asked, drawn, held, places
from tests.keys import hsm

NEW = "zone_pin/TDES/1@bank"


def opened(folder: Path) -> set[str]:
    """The names of the keys that the folder's shares open."""
    keys = open_keys(Workspace(folder), "440300")
    try:
        return {str(name) for name in keys.holding.records}
    finally:
        keys.close()


def test_shares_and_forms_lie_apart_and_are_their_owners_alone(tmp_path: Path) -> None:
    room = held(tmp_path)
    secrets = {}
    for place in places(tmp_path, *PEOPLE[:3]):
        files = sorted(place.path.iterdir())
        assert [file.suffix for file in files] == [".html", ".txt", ".json", ".pem"]
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
        check = room.minutes()[-1].wrapping
        secrets[place.custodian] = place.share_file(check).read_text().split('"secret": "')[1][:64]
    for name in secrets:
        text = "".join(
            file.read_text().replace(" ", "").replace("\n", "").lower()
            for file in (tmp_path / "custodians" / name).iterdir()
        )
        assert secrets[name] in text
        assert all(secrets[other] not in text for other in secrets if other != name)
    public = b"".join(p.read_bytes() for p in (tmp_path / "keys").rglob("*") if p.is_file()).lower()
    assert not any(secret.encode() in public for secret in secrets.values())


def test_every_act_of_a_keys_life(tmp_path: Path) -> None:
    room = held(tmp_path)
    by = places(tmp_path, "Zhao", "Sun")
    key = KeyName.parse("tac/TDES/4")
    perform(
        room, Act.ROTATE, by,
        lambda store, dice: rotate(store, Purpose.TAC, "TDES", dice, valid_from="2019-01-01", old_until="2018-12-31"),
        date=DATE,
    )  # fmt: skip
    (row,) = catalogue(room, key)
    assert (row["state"], row["valid_from"]) == ("active", "2019-01-01")
    assert {r["valid_to"] for r in catalogue(room) if r["name"].startswith("tac/TDES/")} == {"", "2018-12-31"}
    for act, state in ((Act.RETIRE, "retired"), (Act.RESUME, "active"), (Act.COMPROMISE, "compromised"),
                       (Act.DESTROY, "destroyed")):  # fmt: skip
        perform(room, act, by, lambda store, _, act=act: move(store, key, act), date=DATE)
        assert catalogue(room, key)[0]["state"] == state
    with pytest.raises(Refused, match="no step"):
        perform(room, Act.RESUME, by, lambda store, _: move(store, key, Act.RESUME), date=DATE)
    assert [one.act.value for one in room.minutes()] == [
        "create", "rotate", "retire", "resume", "compromise", "destroy",
    ]  # fmt: skip
    keys = open_keys(Workspace(tmp_path), "440300")
    assert keys.holding.records[key].state is KeyState.DESTROYED
    assert keys.holding.provider.key(key) is None
    keys.close()
    acts = [line.split(b'"act":"')[1].split(b'"')[0] for line in read_audit_lines(room.audit)]
    assert acts == [b"log.opened", b"keys.create", b"keys.rotate", b"keys.retire", b"keys.resume",
                    b"keys.compromise", b"keys.destroy"]  # fmt: skip


class Killed(BaseException):
    """The program is gone: nothing behind it runs."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[Path]:
    """Let the process die before write number ``step`` (from 0), or before the last clean-up."""
    done: list[Path] = []
    real = key_folder.write_durable

    def write(path: Path, content: bytes, *, private: bool = False) -> None:
        if len(done) == step:
            raise Killed
        done.append(path)
        real(path, content, private=private)

    def drop(self: KeyFolder, path: Path) -> None:
        raise Killed

    monkeypatch.setattr(key_folder, "write_durable", write)
    monkeypatch.setattr(KeyFolder, "_drop", drop)
    return done


@pytest.mark.parametrize("step", range(4))
def test_a_kill_at_any_write_leaves_the_old_act_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    room = held(tmp_path)
    old = opened(tmp_path)
    with monkeypatch.context() as patch:
        done = kill_at(patch, step)
        with pytest.raises(Killed):
            drawn(tmp_path, NEW)
    assert [path.name for path in done] == ["store.sealed.before", "store.sealed", "0002.note"][:step]
    room.mend()
    finished = step == 3
    assert opened(tmp_path) == (old | {NEW} if finished else old)
    assert len(room.minutes()) == 1 + finished
    assert not room.before.exists()
    if not finished:
        drawn(tmp_path, NEW)
    assert opened(tmp_path) == old | {NEW}


@pytest.mark.parametrize("step", range(9))
def test_a_kill_in_the_first_ceremony_leaves_all_of_it_or_a_folder_to_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    room = KeyFolder(tmp_path)
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        if step < 8:
            with pytest.raises(Killed):
                hold(room, asked(tmp_path))
        else:
            hold(room, asked(tmp_path))
    room.mend()
    if step < 8:
        assert not room.store.exists()
        hold(room, asked(tmp_path))
    assert len(opened(tmp_path)) == 35


def test_a_kill_between_the_first_record_and_the_name_of_the_store(tmp_path: Path) -> None:
    room = held(tmp_path)
    room.store.rename(room.first)
    room.mend()
    assert len(opened(tmp_path)) == 35


def test_a_new_store_that_does_not_open_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = held(tmp_path)
    before = room.store.read_bytes()
    real = key_folder.write_durable

    def torn(path: Path, content: bytes, *, private: bool = False) -> None:
        real(path, content[:-40] if path == room.store else content, private=private)

    with monkeypatch.context() as patch:
        patch.setattr(key_folder, "write_durable", torn)
        with pytest.raises(Refused):
            drawn(tmp_path, NEW)
    assert room.store.read_bytes() == before
    assert len(room.minutes()) == 1
    assert b"keys.taken_back" in room.audit.read_bytes()


def test_an_older_store_is_refused_by_acts_and_by_the_service_and_restored_from_the_right_copy(
    tmp_path: Path,
) -> None:
    room = held(tmp_path)
    old = room.store.read_bytes()
    drawn(tmp_path, NEW)
    new = tmp_path / "copy.sealed"
    shutil.copy(room.store, new)
    room.store.write_bytes(old)
    for use in (lambda: opened(tmp_path), lambda: drawn(tmp_path, "zone_mac/TDES/1@bank")):
        with pytest.raises(Refused, match="not the store that record 2 left"):
            use()
    older = tmp_path / "old.sealed"
    older.write_bytes(old)
    by = places(tmp_path, "Zhao", "Sun")
    with pytest.raises(Refused, match="newest copy"):
        restore(room, by, older, date=DATE)
    room.store.unlink()
    with pytest.raises(NotFound):
        opened(tmp_path)
    with pytest.raises(Refused):  # a lost store is not made anew over its records
        hold(room, asked(tmp_path))
    assert restore(room, by, new, date=DATE).act is Act.RESTORE
    assert NEW in opened(tmp_path)
    new.write_bytes(new.read_bytes()[:-60])
    with pytest.raises(Refused):
        restore(room, by, new, date=DATE)


def test_sharing_anew_makes_the_old_shares_worthless(tmp_path: Path) -> None:
    room = held(tmp_path)
    first = {p.name: (p / f"share-{room.minutes()[0].wrapping}.json").read_bytes()
             for p in (tmp_path / "custodians").iterdir()}  # fmt: skip
    new = asked(tmp_path, needed=3, made=5)
    minutes = reshare(room, places(tmp_path, "Zhao", "Qian"), new)
    assert {key.name for key in minutes.must_sign} == set(PEOPLE)
    for name, raw in first.items():
        assert not (tmp_path / "custodians" / name / f"share-{room.minutes()[0].wrapping}.json").exists()
        (tmp_path / "custodians" / name / "share.json").write_bytes(raw)
    drawn(tmp_path, NEW, by=("Zhao", "李", "Zhou"))
    with pytest.raises(Refused, match="2 of 3"):
        drawn(tmp_path, "zone_mac/TDES/1@bank", by=("Zhao", "Qian"))
    for place in places(tmp_path, *PEOPLE):
        place.share_file(minutes.wrapping).unlink()
    with pytest.raises(Refused):
        opened(tmp_path)  # the shares of before are all that is left


def test_sharing_anew_as_components_and_a_share_that_is_typed(tmp_path: Path) -> None:
    room = held(tmp_path)
    reshare(
        room, places(tmp_path, "Sun", "Qian"), asked(tmp_path, needed=3, made=3, sharing=Sharing.COMPONENTS)
    )
    place = places(tmp_path, "Sun")[0]
    check = room.minutes()[-1].wrapping
    form = (place.path / f"form-{check}.txt").read_text()
    line = form.split("Type this line:")[1].split("只打印")[0]
    place.share_file(check).unlink()
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return line

    key = KeyName.parse("tac/TDES/1")
    by = places(tmp_path, *PEOPLE[:3])
    with pytest.raises(NotFound):
        perform(room, Act.RETIRE, by, lambda store, _: move(store, key, Act.RETIRE), date=DATE)
    perform(room, Act.RETIRE, by, lambda store, _: move(store, key, Act.RETIRE), date=DATE, ask=ask)
    assert len(prompts) == 1


def test_a_key_comes_in_components_that_lie_apart(tmp_path: Path) -> None:
    room = held(tmp_path)
    name = KeyName.parse("zone_master/TDES/1@bank")
    theirs = places(tmp_path, "Li", "Wu", "He")
    check = hand_out_components(name, theirs, issuer="issuer.szt", date=DATE)
    secret = take_components(name, theirs, check=check)
    for wrong in ("000000", ""):
        with pytest.raises((Refused, Usage)):
            take_components(name, theirs, check=wrong)
    for some in (theirs[:2], [theirs[0], theirs[0], theirs[1]]):
        with pytest.raises(Refused):
            take_components(name, some, check=check)
    files = [component_file(place, name) for place in theirs]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert not any(secret.hex() in file.read_text() for file in files)
    with pytest.raises(Refused, match="already"):
        hand_out_components(name, theirs, issuer="issuer.szt", date=DATE)
    from jinka.keys.acts import add

    done = perform(
        room, Act.ADD, places(tmp_path, "Zhao", "Sun"), lambda store, _: add(store, name, secret), date=DATE
    )
    assert {key.name: key.check for key in done.keys}[name] == check


def test_two_ceremonies_at_once_are_refused(tmp_path: Path) -> None:
    room = held(tmp_path)
    with room.alone(), pytest.raises(Refused, match="another run"):
        drawn(tmp_path, NEW)


def test_moving_keys_onto_a_token_is_an_act_that_custodians_sign(tmp_path: Path) -> None:
    module = hsm.module()
    hsm.token_folder()
    room = held(tmp_path)
    moved = move_to_token(tmp_path, module=module, label="jinka-custody", pin=hsm.PIN, shares=())
    minutes = room.minutes()
    assert (minutes[-1].act, {str(name) for name in minutes[-1].touched}) == (Act.MOVE, set(moved.moved))
    room.sealed(minutes)
    drawn(tmp_path, NEW)
    keys = open_keys(Workspace(tmp_path), "440300")
    assert keys.holding.provider.key(KeyName.parse("tac/TDES/1")) is None
    assert keys.holding.provider.key(KeyName.parse("tac/SM4/1")) is not None
    keys.close()
