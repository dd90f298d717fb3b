"""The project obeys its own rules. Goal: no reader meets an oversized, unreachable or impure file. Method: read all."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.tidy import rules

ROOT = Path(__file__).parents[2]


def _sources(*patterns: str) -> dict[str, str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in listed if (ROOT / path).exists()}


def _show(errors: list[rules.Error]) -> str:
    return "\n".join(map(str, errors))


def test_python_files_are_tidy() -> None:
    sources = _sources("*.py")
    assert len(sources) > 50, "the listing of the files must not come back empty"
    errors = [error for path, text in sources.items() for error in rules.check_python(path, text)]
    assert not errors, "\n" + _show(errors)


def test_no_module_is_dead() -> None:
    errors = rules.check_dead(_sources("src/jinka/*.py"))
    assert not errors, "\n" + _show(errors)


def test_documents_have_one_title() -> None:
    documents = _sources("*.md")
    assert "README.md" in documents
    errors = [error for path, text in documents.items() for error in rules.check_markdown(path, text)]
    assert not errors, "\n" + _show(errors)


def test_every_document_that_is_named_exists() -> None:
    documents = frozenset(path.split("/")[-1] for path in _sources("*.md"))
    sources = _sources("src/*.py", "scripts", "*.md", "*.toml", "Makefile")
    errors = [
        error for path, text in sources.items() for error in rules.check_mentions(path, text, documents)
    ]
    assert not errors, "\n" + _show(errors)
