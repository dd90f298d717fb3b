"""The ceremony: what two shares open, what nothing else opens, and that no secret shows."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pickle

import pytest

from jinka.codec import Algorithm
from jinka.crypto.block import check_value
from jinka.keys import Ceremony, Purpose, Share, Sharing, hold_ceremony, open_store, read_header
from jinka.keys.store import sealed_again, unlock
from jinka.kit import JinkaError, Refused, Usage
from tests.keys.ground import CUSTODIANS, ISSUER, Dice, held, service, store_of


def test_any_two_or_all_three_shares_open_the_same_store() -> None:
    ceremony = held()
    stores = [open_store(ceremony.sealed, list(pair)) for pair in itertools.permutations(ceremony.shares, 2)]
    stores.append(open_store(ceremony.sealed, list(ceremony.shares)))
    assert all(store == stores[0] for store in stores)
    assert len(set(stores[0].roots.values())) == len(stores[0].roots) == 35


def test_the_roots_are_those_that_the_scheme_needs() -> None:
    store = store_of(held())
    for algorithm in Algorithm:
        for version in (1, 2, 3):
            assert len(store.root(Purpose.TAC, algorithm, version)) == 16
            assert len(store.root(Purpose.PURCHASE, algorithm, version)) == 16
        assert len(store.root(Purpose.LOAD, algorithm, 1)) == 16
        assert len(store.root(Purpose.MAINTENANCE, algorithm, 1)) == 16
        for purpose, version in ((Purpose.TAC, 4), (Purpose.LOAD, 0), (Purpose.BATCH_SEAL, 1)):
            with pytest.raises(Refused):
                store.root(purpose, algorithm, version)
    assert len(store.root(Purpose.BATCH_SEAL, "HMAC-SHA256", 1)) == 32
    for algorithm_name in ("AES-256-GCM", "HMAC-SHA256"):
        assert len(store.root(Purpose.RECORD_SEAL, algorithm_name, 1)) == 32


def test_the_same_randomness_gives_the_same_bytes_and_another_gives_others() -> None:
    assert held(1) == held(1)
    assert held(1).sealed != held(2).sealed


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_shares_are_refused(count: int) -> None:
    ceremony = held()
    with pytest.raises(Refused, match=f"{count} of 2"):
        open_store(ceremony.sealed, list(ceremony.shares[:count]))
    with pytest.raises(Refused, match="1 of 2"):
        open_store(ceremony.sealed, [ceremony.shares[0]] * 2)


@pytest.mark.parametrize("wrong", [0, 1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_one_wrong_share_is_refused_even_beside_two_right_ones(wrong: int, count: int) -> None:
    ceremony = held()
    shares = list(ceremony.shares)
    secret = bytes([shares[wrong].secret[0] ^ 1]) + shares[wrong].secret[1:]
    shares[wrong] = dataclasses.replace(shares[wrong], secret=secret)
    chosen = shares if count == 3 else [shares[wrong], shares[(wrong + 1) % 3]]
    with pytest.raises(Refused, match="do not give the key"):
        open_store(ceremony.sealed, chosen)


def test_a_share_with_a_moved_x_is_refused() -> None:
    ceremony = held()
    moved = dataclasses.replace(ceremony.shares[0], x=3)
    with pytest.raises(Refused):
        open_store(ceremony.sealed, [moved, ceremony.shares[1]])


def test_a_share_of_another_ceremony_is_named_and_refused() -> None:
    ceremony, other = held(1), held(2)
    with pytest.raises(Refused, match="Qian"):
        open_store(ceremony.sealed, [ceremony.shares[0], other.shares[1]])
    foreign = held(1, issuer="issuer.other")
    with pytest.raises(Refused, match="another ceremony"):
        open_store(ceremony.sealed, [ceremony.shares[0], foreign.shares[1]])


def test_every_change_of_the_blob_is_refused() -> None:
    ceremony = held()
    shares, sealed = list(ceremony.shares[:2]), ceremony.sealed
    places = [*range(0, 400), *range(400, len(sealed) - 1, 37)]
    for at in places:
        with pytest.raises(JinkaError):
            open_store(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], shares)
    for bad in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"sealed": 1}',
        b'{"sealed": "zz"}',
        sealed[:-5],
        b"[" * 100_000,
    ):
        with pytest.raises(Refused):
            open_store(bad, shares)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("simulated", True),
        ("version", 2),
        ("cipher", "none"),
        ("needed", 1),
        ("made", 2),
        ("serial", 9),
        ("sharing", "xor-components"),
        ("issuer", "issuer.evil"),
    ],
)
def test_the_header_is_authenticated(name: str, value: object) -> None:
    ceremony = held(simulated=False)
    blob = json.loads(ceremony.sealed)
    assert blob[name] != value
    shares = [
        dataclasses.replace(share, issuer=str(value)) if name == "issuer" else share
        for share in ceremony.shares
    ]
    with pytest.raises(Refused):
        open_store(json.dumps(blob | {name: value}).encode(), shares)


def test_the_blob_and_the_shares_name_format_and_algorithms() -> None:
    ceremony = held()
    blob = json.loads(ceremony.sealed)
    assert {k: blob[k] for k in ("format", "version", "cipher", "sharing", "needed", "simulated")} == {
        "format": "jinka.keystore",
        "version": 3,
        "cipher": "AES-256-GCM",
        "sharing": "shamir-gf256-11b",
        "needed": 2,
        "simulated": True,
    }
    assert [share.custodian for share in ceremony.shares] == list(CUSTODIANS)
    assert all(share.as_dict()["simulated"] is True for share in ceremony.shares)


def test_a_share_survives_its_file_and_damage_is_refused() -> None:
    share = held().shares[0]
    raw = json.loads(json.dumps(share.as_dict()))
    assert Share.from_dict(raw) == share
    for change in (
        {"format": "x"}, {"version": 2}, {"sharing": "xor"}, {"own_check": "00000000"},
        {"x": 0}, {"x": 256}, {"x": "one"},
        {"secret": "zz"}, {"secret": "00"}, {"secret": None}, {"secret": 5},
    ):  # fmt: skip
        with pytest.raises(Refused):
            Share.from_dict(raw | change)
    for missing in raw:
        with pytest.raises(Refused):
            Share.from_dict({k: v for k, v in raw.items() if k != missing})


def test_the_record_holds_right_check_values_and_no_secret() -> None:
    ceremony = held()
    store, record = store_of(ceremony), ceremony.record.as_dict()
    assert record["issuer"] == ISSUER
    assert record["custodians"] == list(CUSTODIANS)
    for algorithm in Algorithm:
        root = store.root(Purpose.TAC, algorithm, 2)
        assert record["roots"][f"tac/{algorithm.name}/2"] == check_value(algorithm, root).hex()
    assert len(record["roots"]) == len(store.roots)


def test_no_secret_shows_in_a_repr_a_record_or_an_error() -> None:
    ceremony = held()
    store, keys = store_of(ceremony), service()
    with pytest.raises(Refused) as error:
        store.root(Purpose.TAC, Algorithm.SM4, 9)
    shown = [ceremony, ceremony.shares, ceremony.record, store, keys, keys._tac_keys, error.value]
    text = " ".join(f"{thing!r} {thing!s}" for thing in shown) + json.dumps(ceremony.record.as_dict())
    secrets = [*store.roots.values(), *(share.secret for share in ceremony.shares)]
    for secret in secrets:
        assert secret.hex() not in text.lower()
        assert repr(secret)[2:-1] not in text
    for secret in store.roots.values():
        assert secret.hex().encode() not in ceremony.sealed.lower()


def test_a_service_is_not_pickled() -> None:
    with pytest.raises(Refused):
        pickle.dumps(service())


BAD = [(), ("a",), ("a", "a", "b"), ("a", "A"), ("a", "b", ""), ("a", "b/c"), ("a", "../b"), ("a", "b c")]


@pytest.mark.parametrize("custodians", BAD)
def test_a_ceremony_needs_different_people_with_names(custodians: tuple[str, ...]) -> None:
    with pytest.raises(Usage):
        hold_ceremony(
            issuer=ISSUER, date="2018-09-01", custodians=custodians, randomness=Dice(), simulated=True
        )


PEOPLE = ("Zhao", "Qian", "Sun", "李", "Zhou")


def among(count: int, needed: int, sharing: Sharing = Sharing.SHAMIR) -> Ceremony:
    return hold_ceremony(
        issuer=ISSUER, date="2018-09-01", custodians=PEOPLE[:count], randomness=Dice(), simulated=True,
        needed=needed, sharing=sharing,
    )  # fmt: skip


@pytest.mark.parametrize(("needed", "made"), [(2, 2), (2, 5), (3, 5), (5, 5)])
def test_any_m_of_n_open_and_fewer_do_not(needed: int, made: int) -> None:
    ceremony = among(made, needed)
    stores = [open_store(ceremony.sealed, list(s)) for s in itertools.permutations(ceremony.shares, needed)]
    assert all(store == stores[0] for store in stores)
    for few in itertools.combinations(ceremony.shares, needed - 1):
        with pytest.raises(Refused, match=f"{needed - 1} of {needed}"):
            open_store(ceremony.sealed, list(few))


@pytest.mark.parametrize("needed", [0, 1, 4, 256])
def test_m_is_between_two_and_n(needed: int) -> None:
    with pytest.raises(Usage):
        among(3, needed)


def test_components_are_all_needed_and_a_wrong_one_is_found() -> None:
    ceremony = among(3, 3, Sharing.COMPONENTS)
    shares = list(ceremony.shares)
    assert len(open_store(ceremony.sealed, shares).roots) == 35
    with pytest.raises(Refused, match="2 of 3"):
        open_store(ceremony.sealed, shares[:2])
    wrong = dataclasses.replace(shares[1], secret=bytes(32))
    with pytest.raises(Refused, match="do not give the key"):
        open_store(ceremony.sealed, [shares[0], wrong, shares[2]])
    with pytest.raises(Usage, match="all are needed"):
        among(3, 2, Sharing.COMPONENTS)


def test_one_person_cannot_bring_two_shares() -> None:
    ceremony = held()
    second = dataclasses.replace(ceremony.shares[1], custodian=CUSTODIANS[0].lower())
    with pytest.raises(Refused, match="brings two shares"):
        open_store(ceremony.sealed, [ceremony.shares[0], second])


def test_an_older_copy_of_the_store_is_refused_by_its_serial() -> None:
    ceremony = held()
    opened = unlock(ceremony.sealed, list(ceremony.shares[:2]), serial_min=1)
    later = sealed_again(opened, opened.store, Dice(9))
    assert read_header(later).serial == 2
    assert open_store(later, list(ceremony.shares[1:]), serial_min=2) == opened.store
    with pytest.raises(Refused, match="older than 2"):
        open_store(ceremony.sealed, list(ceremony.shares[:2]), serial_min=2)


def test_a_share_is_typed_from_its_form_and_a_slip_shows() -> None:
    share = held().shares[1]
    about = {"issuer": ISSUER, "custodian": "Qian", "check": share.check, "simulated": True}
    line = share.typed()
    assert Share.from_typed(f" {line.lower()} ", sharing=Sharing.SHAMIR, **about) == share
    digits = [at for at, letter in enumerate(line) if letter in "0123456789ABCDEF"]
    for at in digits:
        slip = line[:at] + ("0" if line[at] != "0" else "1") + line[at + 1 :]
        with pytest.raises(Refused):
            Share.from_typed(slip, sharing=Sharing.SHAMIR, **about)
    for senseless in ("", "1", line[:-1], line + "0", line.replace("-", "")):
        with pytest.raises(Refused):
            Share.from_typed(senseless, sharing=Sharing.SHAMIR, **about)
