"""Make the gate circuits of the eight DES S-boxes from the tables of FIPS 46-3.

    python scripts/make_des_circuits.py                 rebuild src/jinka/crypto/_des_circuits.py from SEEDS
    python scripts/make_des_circuits.py --search 3000   look for better seeds and print them

Method: each output bit is a target, a truth table of 64 bits with a mask of the rows that matter. A target
is met, in this order, by a wire that exists, by one gate over two wires that exist, or by an expansion in one
input x: ``f = g ^ (x & h)`` or ``f = g ^ (h & ~x)``, where g has to be right in one half only, and h, in the
other half only, repairs what g did there. Wires are shared by all four outputs. The order of the inputs and
outputs and the form of each expansion are drawn from a seed; the search keeps the seed with the fewest gates.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from textwrap import wrap

import numpy as np
import numpy.typing as npt

from jinka.crypto.bulk_des_tables import s_box_value

SEEDS = (3141, 7948, 808, 10411, 2536, 2932, 9045, 1925)
TARGET = Path(__file__).parents[1] / "src/jinka/crypto/_des_circuits.py"
ALL = (1 << 64) - 1
INPUTS = tuple(sum(1 << row for row in range(64) if row >> (5 - bit) & 1) for bit in range(6))

HEADER = '''"""Gate circuits of the DES S-boxes (FIPS 46-3), made by scripts/make_des_circuits.py. Do not edit.

Wires 0 to 5 are the six input bits, the leftmost first, and wire 6 is all ones; gate n drives wire 7 + n.
``a^b`` is exclusive or, ``a&b`` and, ``a|b`` or, ``a!b`` is a and not b. ``OUTPUTS`` are the wires of the four
output bits, the leftmost first.
"""

from __future__ import annotations

'''


class Netlist:
    """The wires so far, as truth tables, and the gates that drive them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.gates: list[str] = []
        self.wires: npt.NDArray[np.uint64] = np.array([*INPUTS, ALL], dtype=np.uint64)

    def add(self, left: int, sign: str, right: int) -> int:
        a, b = int(self.wires[left]), int(self.wires[right])
        table = {"^": a ^ b, "&": a & b, "|": a | b, "!": a & ~b & ALL}[sign]
        self.gates.append(f"{left}{sign}{right}")
        self.wires = np.append(self.wires, np.uint64(table))
        return len(self.wires) - 1

    def build(self, target: int, mask: int, order: list[int]) -> int:
        """Return a wire that equals ``target`` on the rows of ``mask``; ``order``: inputs left to split by."""
        found = self.one_gate(target, mask)
        if found is not None:
            return found
        x, rest = order[0], order[1:]
        inside = self.rng.random() < 0.5  # h repairs where x is 1, or where it is 0
        keep = mask & (~INPUTS[x] & ALL if inside else INPUTS[x])
        base = self.build(target, keep, rest)
        repair = self.build(target ^ int(self.wires[base]), mask & ~keep, rest)
        gated = self.add(repair, "&" if inside else "!", x)
        return self.add(base, "^", gated)

    def one_gate(self, target: int, mask: int) -> int | None:
        wires, wanted, care = self.wires, np.uint64(target & mask), np.uint64(mask)
        same = np.flatnonzero((wires & care) == wanted)
        if len(same):
            return int(same[0])
        column = wires[:, None]
        tables = {"^": column ^ wires, "&": column & wires, "|": column | wires, "!": column & ~wires}
        for sign, table in tables.items():
            hits = np.argwhere((table & care) == wanted)
            if len(hits):
                left, right = hits[self.rng.randrange(len(hits))]
                return self.add(int(left), sign, int(right))
        return None


def make_box(box: int, seed: int) -> tuple[list[str], list[int]]:
    """Return the gates and the four output wires of one S-box."""
    rng = random.Random(f"{box}/{seed}")
    netlist = Netlist(rng)
    order, outputs = list(range(6)), list(range(4))
    rng.shuffle(order)
    rng.shuffle(outputs)
    wires = [0] * 4
    for bit in outputs:
        target = sum(1 << row for row in range(64) if s_box_value(box, row) >> (3 - bit) & 1)
        wires[bit] = netlist.build(target, ALL, order)
    return prune(netlist.gates, wires)


def prune(gates: list[str], outputs: list[int]) -> tuple[list[str], list[int]]:
    """Drop gates that no output needs, and number the wires again."""
    parsed = [next((int(g.split(s)[0]), s, int(g.split(s)[1])) for s in "^&|!" if s in g) for g in gates]
    needed = set(outputs)
    for number in range(len(parsed) - 1, -1, -1):
        if number + 7 in needed:
            needed |= {parsed[number][0], parsed[number][2]}
    names = {wire: wire for wire in range(7)}
    kept = []
    for number, (left, sign, right) in enumerate(parsed):
        if number + 7 in needed:
            names[number + 7] = 7 + len(kept)
            kept.append(f"{names[left]}{sign}{names[right]}")
    return kept, [names[wire] for wire in outputs]


def render() -> str:
    """Return the text of the module for `SEEDS`."""
    made = [make_box(box, seed) for box, seed in enumerate(SEEDS)]
    lines = ["GATES = ("]
    for gates, _ in made:
        lines += ['    """', *wrap(" ".join(gates), 98, initial_indent=" " * 8, subsequent_indent=" " * 8)]
        lines.append('    """,')
    lines += [")", "OUTPUTS = ("]
    lines += [f"    ({', '.join(map(str, outputs))}),  # {len(gates)} gates" for gates, outputs in made]
    return HEADER + "\n".join(lines) + "\n)\n"


def search(tries: int) -> None:
    best = []
    for box in range(8):
        sizes = [len(make_box(box, seed)[0]) for seed in range(tries)]
        best.append(sizes.index(min(sizes)))
        print(f"S{box + 1}: {min(sizes)} gates with seed {best[-1]}", flush=True)
    print("SEEDS =", tuple(best))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--search", type=int, metavar="TRIES")
    tries = parser.parse_args().search
    if tries:
        search(tries)
    else:
        TARGET.write_text(render())
