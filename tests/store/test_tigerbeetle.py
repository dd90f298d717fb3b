"""The TigerBeetle adapter without a server: values come back as they went, and every answer has a name.

The contract itself runs over the adapter in tests/ledger where ``JINKA_TIGERBEETLE`` names a server.
"""

from __future__ import annotations

import pytest
import tigerbeetle as tb
from hypothesis import given
from hypothesis import strategies as st
from tigerbeetle import bindings

from jinka.kit import MAX_MINOR, JinkaError, Usage
from jinka.ledger import Account, AccountFlag, AccountResult, Transfer, TransferFlag, TransferResult
from jinka.store import open_ledger
from jinka.store.tigerbeetle_ledger import (
    account_from,
    account_result,
    account_to,
    transfer_from,
    transfer_result,
    transfer_to,
)

_IDS = st.binary(min_size=16, max_size=16)
_FOREIGN = ("IMPORTED", "CLOS", "RESERVED", "USER_DATA_32", "TIMESTAMP_MUST", "MUST_BE_ZERO")


@given(_IDS, _IDS, st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(0, 15))
def test_an_account_comes_back_through_the_clients_own_structure(
    id_: bytes, user_data: bytes, ledger: int, code: int, flags: int
) -> None:
    account = Account(id=id_, user_data=user_data, ledger=ledger, code=code, flags=AccountFlag(flags))
    assert account_from(bindings.CAccount.from_param(account_to(account)).to_python()) == account


@given(
    st.lists(_IDS, min_size=5, max_size=5),
    st.integers(0, MAX_MINOR),
    st.integers(0, 63),
    st.integers(0, 2**32 - 1),
)
def test_a_transfer_comes_back_through_the_clients_own_structure(
    ids: list[bytes], amount: int, flags: int, timeout_s: int
) -> None:
    transfer = Transfer(
        id=ids[0], debit_account=ids[1], credit_account=ids[2], amount=amount, ledger=156, code=9,
        flags=TransferFlag(flags), pending_id=ids[3], user_data=ids[4], timestamp=amount, timeout_s=timeout_s,
    )  # fmt: skip
    assert transfer_from(bindings.CTransfer.from_param(transfer_to(transfer)).to_python()) == transfer


def test_every_answer_that_jinka_can_cause_has_its_name_here() -> None:
    for status in tb.CreateTransferStatus:
        if not any(word in status.name for word in _FOREIGN) or status.name == "PENDING_ID_MUST_BE_ZERO":
            assert isinstance(transfer_result(status.name), TransferResult)
    for answer in tb.CreateAccountStatus:
        if not any(word in answer.name for word in (*_FOREIGN, "USER_DATA_64")):
            assert isinstance(account_result(answer.name), AccountResult)
    with pytest.raises(JinkaError, match="IMPORTED_EVENT_EXPECTED"):
        transfer_result("IMPORTED_EVENT_EXPECTED")


def test_an_amount_beyond_money_and_a_bad_address_are_refused() -> None:
    with pytest.raises(JinkaError, match="beyond"):
        transfer_from(tb.Transfer(id=1, amount=2**63))
    with pytest.raises(Usage, match="no client"):
        open_ledger("tigerbeetle://not an address")
