"""The house rules that no off-the-shelf linter knows, as functions from source text to errors.

Taste is executable here, after TigerBeetle's tidy.zig. Each rule takes texts, not files, so that it can be shown a
bad one; `test_tidy.py` feeds it the project, `test_rules.py` feeds it faults.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
GENERATED = "made by scripts/"  # in a module's docstring: its size is the generator's business
BANNED_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"})

# Rooms that touch the world; every other room is a core. `sim` draws from its own seed.
SHELLS = frozenset({"cli", "app", "console", "api", "sim", "node", "store"})
CLOCKS_AND_CHANCE = frozenset(
    {
        "date.today",
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "numpy.random",
        "np.random",
        "os.urandom",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)
BANNED_IMPORTS = frozenset(
    {
        "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
        "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
    }
)  # fmt: skip

# Modules that something other than an import runs: the console script, and Alembic's own files.
ENTRY_POINTS = frozenset({"jinka.cli"})
RUN_BY_NAME = "jinka.store.migrations"


_DOCUMENT = re.compile(r"\b[A-Z]{4,}[\w.]*\.md\b|\bcards facts\b|\bfacts page\b")


@dataclass(frozen=True, slots=True, order=True)
class Error:
    """One broken rule, shown as ``path:line: error: text``."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: error: {self.text}"


def check_python(path: str, source: str) -> list[Error]:
    """Apply every rule that one Python file can break by itself."""
    tree = ast.parse(source, path)
    rules = (_sizes, _names, _room_front, _prints)
    errors = [error for rule in rules for error in rule(path, source, tree)]
    if room(path) not in SHELLS and path.startswith("src/jinka/"):
        errors += _purity(path, tree)
    return sorted(errors)


def check_markdown(path: str, source: str) -> list[Error]:
    """Exactly one title in a document, on its first line."""
    fenced, titles = False, []
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and line.startswith("# "):
            titles.append(number)
    if not titles or titles[0] != 1:
        return [Error(path, 1, "a document opens with its title (# ...)")]
    return [Error(path, number, "a document has one title only") for number in titles[1:]]


def check_mentions(path: str, source: str, documents: frozenset[str]) -> list[Error]:
    """A text sends its reader only to documents that the project has (``documents`` are their file names)."""
    return [
        Error(path, number, f"{name} is no document of this project")
        for number, line in enumerate(source.splitlines(), 1)
        for name in _DOCUMENT.findall(line)
        if name not in documents
    ]


def check_dead(sources: Mapping[str, str]) -> list[Error]:
    """Find modules under src/ that nothing imports. ``sources`` maps a path to its text."""
    used: set[str] = set(ENTRY_POINTS)
    for path, source in sources.items():
        used.update(name for name in _imported(source) if name != module(path))
    return [
        Error(path, 1, f"nothing imports {module(path)}")
        for path in sorted(sources)
        if module(path) not in used
        and not path.endswith("__init__.py")
        and not module(path).startswith(RUN_BY_NAME)
    ]


def room(path: str) -> str:
    """``src/jinka/card/files.py`` is in the room ``card``; the package's own files are in none."""
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[0] == "src" else ""


def module(path: str) -> str:
    """``src/jinka/card/files.py`` is ``jinka.card.files``."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _sizes(path: str, source: str, tree: ast.Module) -> Iterator[Error]:
    if GENERATED in (ast.get_docstring(tree) or ""):
        return
    lines = source.count("\n") + (not source.endswith("\n"))
    if lines > FILE_LINES_MAX:
        yield Error(path, FILE_LINES_MAX + 1, f"a file has at most {FILE_LINES_MAX} lines, not {lines}")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                text = f"a function has at most {FUNCTION_LINES_MAX} lines; {node.name} has {length}"
                yield Error(path, node.lineno, text)


def _names(path: str, source: str, tree: ast.Module) -> Iterator[Error]:
    name = path.split("/")[-1].removesuffix(".py").strip("_")
    if name in BANNED_NAMES:
        yield Error(path, 1, f"a module is named for what it holds, not {name!r}")


def _room_front(path: str, source: str, tree: ast.Module) -> Iterator[Error]:
    """Every module says what it is; every room says what it offers."""
    if not path.startswith("src/jinka/"):
        return
    if not ast.get_docstring(tree):
        yield Error(path, 1, "a module opens with a docstring that says what it is")
    if path.endswith("/__init__.py") and path.count("/") == 3:
        targets = (t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets)
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            yield Error(path, 1, "a room exports its public names in __all__")


def _prints(path: str, source: str, tree: ast.Module) -> Iterator[Error]:
    if not path.startswith("src/jinka/") or room(path) == "cli":
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield Error(path, node.lineno, "only the command line prints")


def _purity(path: str, tree: ast.Module) -> Iterator[Error]:
    """No clock, no chance and no input or output in the cores: the caller passes them in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in names:
                if name.split(".")[0] in BANNED_IMPORTS:
                    yield Error(path, node.lineno, f"a core does not import {name}")
        elif isinstance(node, ast.Attribute):
            dotted = ".".join(ast.unparse(node).split(".")[-2:])
            if dotted in CLOCKS_AND_CHANCE:
                yield Error(path, node.lineno, f"a core does not call {dotted}; the caller passes it in")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield Error(path, node.lineno, "a core opens no file")


def _imported(source: str) -> Iterator[str]:
    """Every module that a source may import: ``from jinka.a import b`` may mean jinka.a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
