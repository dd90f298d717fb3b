"""What installed packages declare by entry points: each is loaded by itself, and one that fails is a finding.

A package is somebody else's work: its mistake must not stop what it has nothing to do with. Whatever its module raises
is kept with the distribution, the entry point and the place; only a person's interrupt goes through. What a package
prints when it is loaded is thrown away. Nothing here holds back a package that does harm on purpose: to install it is
to let its code run.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Generic, TypeVar

from jinka.kit import Finding, JinkaError, Severity

_T = TypeVar("_T")
_SAID_MAX = 200  # of a foreign error's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An entry point that is left out, by its name, and why."""

    name: str
    distribution: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed(Generic[_T]):
    """What one entry point gave, or the refusal."""

    entry: metadata.EntryPoint
    value: _T | None = None
    error: BaseException | None = None

    def refusal(self, error: BaseException) -> Refusal:
        """This entry point, left out for that error."""
        package = self.entry.dist
        name = package.name if package is not None else self.entry.module
        return Refusal(
            name=self.entry.name,
            distribution=name,
            finding=Finding(
                code="PACKAGE",
                severity=Severity.ERROR,
                where=f"{name}{f' {package.version}' if package else ''}, "
                f"entry point {self.entry.name} = {self.entry.value}",
                what=cause_of(error),
                fix=f"mend the package, or pip uninstall {name}; it is left out until then",
            ),
        )


def load_installed(group: str, kind: type[_T]) -> Iterator[Installed[_T]]:
    """Every entry point of a group, in the order of distributions and names."""

    def place(entry: metadata.EntryPoint) -> tuple[str, str]:
        return entry.dist.name if entry.dist is not None else "", entry.name

    for entry in sorted(metadata.entry_points(group=group), key=place):
        try:
            with redirect_stdout(io.StringIO()):
                loaded = entry.load()
            if not isinstance(loaded, kind):
                raise TypeError(f"{entry.value} is no {kind.__name__}")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit of a package would end every command as if it were done
            yield Installed(entry=entry, error=error)
        else:
            yield Installed(entry=entry, value=loaded)


def cause_of(error: BaseException) -> str:
    """An error in one line, with its type and the place that it came from where it is nobody's deliberate word."""
    if isinstance(error, JinkaError):
        return str(error)
    said = next(iter(str(error).splitlines()), "")[:_SAID_MAX]
    last = next(
        (
            frame for frame in reversed(traceback.extract_tb(error.__traceback__))
            if "importlib" not in frame.filename and frame.filename != __file__
        ),
        None,
    )  # fmt: skip
    place = f" ({Path(last.filename).name}, line {last.lineno})" if last is not None else ""
    return f"{type(error).__name__}{f': {said}' if said else ''}{place}"
