"""Goal: work without the collector of cycles leaves it as it found it, also where the work fails or is nested."""

from __future__ import annotations

import gc

import pytest

from jinka.kit.collection import no_collection


def test_the_collector_is_off_within_and_as_before_behind() -> None:
    assert gc.isenabled()
    with no_collection():
        assert not gc.isenabled()
        with no_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), no_collection():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_who_keeps_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with no_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
