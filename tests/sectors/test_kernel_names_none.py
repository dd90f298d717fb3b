"""The kernel names no sector: not by import, and not by a word.

Goal: a further use of cards is a declaration alone. Method: every import and every string constant of every module that
is neither a sector nor a command is held against the names of sectors, applications and tariffs. What is allowed is
listed with its reason, and an entry that nothing needs any more fails as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinka
from jinka.sectors import PROFILES, SECTORS

ROOT = Path(jinka.__file__).parent
SECTOR_ROOMS = {"sectors", "cli"}
_CATALOGUE = "finds what is installed by the entry points, and reads no sector itself"
_BANK = "bank cards: how they are personalised (EMV data, environments) is declared with the sector"
_BENCH = "measures or attacks the cards of one sector, which it takes as its example"
IMPORTS = {
    "app/bank_authority.py": _BANK,
    "app/bench_card.py": _BENCH,
    "app/bench_purchase.py": _BENCH,
    "app/bench_wallet.py": _BENCH,
    "app/card_files.py": "jinka card makes any declared application, the bank's with its environment",
    "app/card_latency.py": _BENCH,
    "app/card_samples.py": _BENCH,
    "app/card_tree.py": _BANK,
    "app/certificate_request.py": "jinka certificate request reads the signing card, which is one application",
    "app/fuzz_sessions.py": _BENCH,
    "app/fuzz_targets.py": _BENCH,
    "app/issue_bank.py": _BANK,
    "app/issue_cards.py": _BANK,
    "app/key_report.py": "counts the cards of any declared application",
    "app/new_cards.py": _BANK,
    "app/pos_config.py": _BANK,
    "app/sector_catalogue.py": _CATALOGUE,
    "app/tap_files.py": "the one form of published taps; jinka day and jinka tariff fit are given such files",
}
_DEFAULT = "what commands begin with, and what folders mean that were written before they named it"
_PEER = "the name of a link to a bank"
_ACCOUNT = "a kind of account or party, not the sector"
_STATE = "the state's own departments and registers, of which a sector of that name is another thing"
_TRANSIT = "money in transit"
WORDS = {
    ("app/bench_switch.py", "bank"): _PEER,
    ("app/bench_switch_parts.py", "bank"): _PEER,
    ("app/bins.py", "bank"): "who issues under a number",
    ("app/float_office.py", "transit"): _TRANSIT,
    ("app/fuzz_world.py", "bank"): _PEER,
    ("app/issue_bank.py", "bank"): "a subfolder of an issue",
    ("app/new_network.py", "bank"): _PEER,
    ("app/options.py", "cn.shenzhen.transit"): _DEFAULT,
    ("app/options.py", "shenzhen.2018"): _DEFAULT,
    ("app/records_demo.py", "bank"): _STATE,
    ("app/records_demo.py", "tax"): _STATE,
    ("app/sector_bank.py", "bank"): _PEER,
    ("app/sector_fact_words.py", "drugs"): "a fact of a bill: how many drugs stand on it",
    ("app/trace_epc.py", "bank"): "a bank of a tag's memory",
    ("clearing/fees_file.py", "tax"): "a tax on a fee",
    ("codec/tags/bank.py", "bank"): "a bank of a tag's memory",
    ("registry/bins.py", "bank"): "who issues under a number",
    ("registry/registration.py", "citizen"): "a citizen's number is a registration",
    ("registry/words.py", "citizen"): "a citizen's number is a registration",
    ("settlement/float_proof.py", "transit"): _TRANSIT,
    ("settlement/float_shadow.py", "transit"): _TRANSIT,
}


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    """Every module that is neither a sector nor a command, by its path."""
    found = ((path.relative_to(ROOT), path) for path in sorted(ROOT.rglob("*.py")))
    return tuple(
        (name.as_posix(), ast.parse(path.read_text()))
        for name, path in found
        if name.parts[0] not in SECTOR_ROOMS
    )


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def _names() -> set[str]:
    profiles = [*PROFILES, *(profile for sector in SECTORS for profile in sector.profiles)]
    tariffs = [tariff for sector in SECTORS for tariff in sector.tariffs.values()]
    return {one.name for one in (*SECTORS, *profiles, *tariffs)}


def test_the_names_that_are_sought_are_there() -> None:
    assert {"campus", "food", "bank", "cn.health.card", "shenzhen.2018"} <= _names()


def test_no_module_imports_a_sector_unless_the_list_says_why() -> None:
    found = {
        path
        for path, tree in _modules()
        if any(name == "jinka.sectors" or name.startswith("jinka.sectors.") for name in _imported(tree))
    }
    assert found == IMPORTS.keys()
    rooms = {Path(path).parts[0] for path in IMPORTS}
    assert rooms == {"app"}, "rooms below the commands import no sector at all"


def test_no_module_holds_the_name_of_a_sector_unless_the_list_says_why() -> None:
    names = _names()
    found = {
        (path, node.value)
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
    assert found == WORDS.keys()
