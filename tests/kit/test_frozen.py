"""Goal: `quick` changes how fast a frozen value is made, and nothing else.

Method: each value made by the quick constructor is compared with its twin that the standard library's one made.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, make_dataclass, replace

import pytest

from jinka.kit import Usage
from jinka.kit.frozen import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """As the standard library makes it."""

    number: int
    text: str = "none"
    made: Mapping[int, str] = field(default_factory=dict)
    hidden: bytes = field(default=b"", repr=False)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The same fields."""

    number: int
    text: str = "none"
    made: Mapping[int, str] = field(default_factory=dict)
    hidden: bytes = field(default=b"", repr=False)


@pytest.mark.parametrize("given", [{}, {"text": "a"}, {"made": {1: "b"}, "hidden": b"c"}, {"text": ""}])
def test_the_same_value(given):
    plain, made = Plain(number=1, **given), Quick(number=1, **given)
    for name in ("number", "text", "made", "hidden"):
        assert getattr(plain, name) == getattr(made, name)
    assert repr(plain).replace("Plain", "Quick") == repr(made)
    assert made == Quick(number=1, **given) != Quick(number=2, **given)
    assert replace(made, number=3) == Quick(number=3, **given)
    assert pickle.loads(pickle.dumps(made)) == made


def test_it_is_as_frozen_and_as_strict():
    made = Quick(number=1)
    with pytest.raises(FrozenInstanceError):
        made.number = 2
    with pytest.raises(TypeError):
        Quick()
    with pytest.raises(TypeError):
        Quick(1)
    with pytest.raises(TypeError):
        Quick(number=1, other=2)
    assert Quick(number=1).made is not Quick(number=1).made
    assert list(inspect.signature(Quick).parameters) == list(inspect.signature(Plain).parameters)


def test_a_class_that_does_more_is_refused():
    with pytest.raises(Usage):

        @quick
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Checked:
            number: int

            def __post_init__(self) -> None: ...

    with pytest.raises(Usage):

        @quick
        @dataclass(frozen=True, kw_only=True)
        class WithoutSlots:
            number: int

    with pytest.raises(Usage):

        @quick
        @dataclass(frozen=True, slots=True)
        class ByPlace:
            number: int


def test_a_value_of_many_fields_is_as_frozen_and_of_its_own_class():
    many = quick(
        make_dataclass("Many", [(f"f{n}", int) for n in range(9)], frozen=True, slots=True, kw_only=True)
    )
    made = many(**{f"f{n}": n for n in range(9)})
    assert [getattr(made, f"f{n}") for n in range(9)] == list(range(9))
    assert type(made) is many
    assert made == replace(made)
    for change in (lambda: setattr(made, "f1", 2), lambda: delattr(made, "f1")):
        with pytest.raises(FrozenInstanceError):
            change()
    with pytest.raises(TypeError):
        made.other = 1
    with pytest.raises(TypeError):
        many(f0=1)
