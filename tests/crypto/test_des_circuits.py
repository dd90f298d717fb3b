"""The generated S-box circuits: right for every input, and what the generator makes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from jinka.crypto import _des_circuits
from jinka.crypto.bulk_des_tables import (
    EXPANSION,
    FINAL,
    INITIAL,
    PERMUTATION,
    S_BOXES,
    key_bits,
    s_box_value,
)

ROOT = Path(__file__).parents[2]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_des_circuits", ROOT / "scripts/make_des_circuits.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("box", range(8))
def test_circuit_gives_the_table_for_all_64_inputs(box: int) -> None:
    for row in range(64):
        wires = [row >> (5 - bit) & 1 for bit in range(6)] + [1]
        for gate in _des_circuits.GATES[box].split():
            match = re.fullmatch(r"(\d+)([\^&|!])(\d+)", gate)
            assert match is not None
            a, b = wires[int(match[1])], wires[int(match[3])]
            wires.append({"^": a ^ b, "&": a & b, "|": a | b, "!": a & ~b & 1}[match[2]])
        value = sum(wires[wire] << (3 - i) for i, wire in enumerate(_des_circuits.OUTPUTS[box]))
        assert value == s_box_value(box, row)


def test_generator_makes_the_committed_module() -> None:
    assert generator().render() == (ROOT / "src/jinka/crypto/_des_circuits.py").read_text()


def test_tables_have_the_properties_that_the_standard_names() -> None:
    assert [len(box) for box in S_BOXES] == [64] * 8
    assert all(
        sorted(box[16 * row : 16 * row + 16]) == list(range(16)) for box in S_BOXES for row in range(4)
    )
    assert sorted(INITIAL) == sorted(FINAL) == list(range(1, 65))
    assert INITIAL[:4] == (58, 50, 42, 34)
    assert FINAL[:4] == (40, 8, 48, 16)
    assert EXPANSION[:7] == (32, 1, 2, 3, 4, 5, 4)
    assert EXPANSION[-1] == 1
    assert sorted(PERMUTATION) == list(range(1, 33))
    assert key_bits().shape == (16, 48)
    assert len(set(key_bits().ravel().tolist())) == 56  # no parity bit is used
