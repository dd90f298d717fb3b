"""The rules find what they are for. Method: show each rule a bad text and look at the line it names."""

from __future__ import annotations

import pytest

from tests.tidy import rules

CORE = "src/jinka/card/files.py"
SHELL = "src/jinka/app/day.py"


def _texts(path: str, source: str) -> list[str]:
    return [str(error) for error in rules.check_python(path, source)]


def test_an_error_names_path_and_line() -> None:
    source = '"""Doc."""\n\nimport time\n'
    assert _texts(CORE, source) == [f"{CORE}:3: error: a core does not import time"]


@pytest.mark.parametrize(
    "line",
    [
        "import os.path",
        "from random import Random",
        "from pathlib import Path",
        "def f():\n    import secrets",
        "now = dt.datetime.now()",
        "today = date.today()",
        "stamp = datetime.utcnow",
        "x = np.random.default_rng(1)",
        "x = uuid.uuid4()",
        "x = open('f')",
    ],
)
def test_clocks_chance_and_files_are_kept_out_of_the_cores(line: str) -> None:
    source = f'"""Doc."""\n{line}\n'
    assert len(_texts(CORE, source)) == 1
    assert _texts(SHELL, source) == []


def test_times_that_are_passed_in_are_welcome() -> None:
    assert _texts(CORE, '"""Doc."""\nimport datetime as dt\nat = dt.datetime(2018, 9, 1)\n') == []


def test_long_files_and_functions() -> None:
    body = "    pass\n" * 70
    assert _texts(CORE, f'"""Doc."""\ndef f():\n{body}') == [
        f"{CORE}:2: error: a function has at most 70 lines; f has 71"
    ]
    long = '"""Doc."""\n' + "x = 1\n" * 400
    assert _texts(CORE, long) == [f"{CORE}:401: error: a file has at most 400 lines, not 401"]
    assert _texts(CORE, long.replace("Doc.", "Tables, made by scripts/make.py. Do not edit.")) == []


def test_names_fronts_and_prints() -> None:
    assert _texts("src/jinka/card/utils.py", '"""Doc."""\n') == [
        "src/jinka/card/utils.py:1: error: a module is named for what it holds, not 'utils'"
    ]
    front = "src/jinka/card/__init__.py"
    assert [text.split("error: ")[1] for text in _texts(front, "x = 1\n")] == [
        "a module opens with a docstring that says what it is",
        "a room exports its public names in __all__",
    ]
    assert _texts(front, '"""Doc."""\n__all__ = ["x"]\n') == []
    assert _texts(CORE, '"""Doc."""\nprint(1)\n') == [f"{CORE}:2: error: only the command line prints"]
    assert _texts("src/jinka/cli/main.py", '"""Doc."""\nprint(1)\n') == []


def test_dead_modules() -> None:
    sources = {
        "src/jinka/a/__init__.py": "from jinka.a.used import x\n",
        "src/jinka/a/used.py": "",
        "src/jinka/a/lazy.py": "",
        "src/jinka/a/dead.py": "import jinka.a.dead\n",
        "src/jinka/cli/__init__.py": "def f():\n    from jinka.a import lazy\n",
        "src/jinka/store/migrations/env.py": "",
    }
    assert [str(error) for error in rules.check_dead(sources)] == [
        "src/jinka/a/dead.py:1: error: nothing imports jinka.a.dead"
    ]


def test_titles() -> None:
    assert rules.check_markdown("a.md", "# One\n\n```sh\n# not a title\n```\n## Two\n") == []
    assert [error.line for error in rules.check_markdown("a.md", "# One\n\n# Two\n")] == [3]
    assert [error.line for error in rules.check_markdown("a.md", "Text\n# Late\n")] == [1]


def test_mentions() -> None:
    known = frozenset({"README.md"})
    assert rules.check_mentions(CORE, "see README.md\n", known) == []
    assert [str(error) for error in rules.check_mentions(CORE, "\nsee DESIGN.md, 3\n", known)] == [
        f"{CORE}:2: error: DESIGN.md is no document of this project"
    ]
