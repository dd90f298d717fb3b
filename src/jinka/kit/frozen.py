"""A quicker constructor for frozen values of which a process makes a hundred thousand a second.

The constructor that `dataclasses` writes for a frozen class goes through ``object.__setattr__`` with a name for each
field. `quick` puts one in its place that fills the slots by their descriptors: half the time, the same value, and just
as frozen. Only for slotted, keyword-only classes whose constructor does nothing else.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

from jinka.kit.errors import Usage

T = TypeVar("T")


def quick(cls: type[T]) -> type[T]:
    """Above ``@dataclass(frozen=True, slots=True, kw_only=True)``; `Usage` for a class that it does not fit."""
    space: dict[str, Any] = {"MISSING": MISSING}
    heads, lines = list[str](), list[str]()
    for field in fields(cls):  # type: ignore[arg-type]
        name = field.name
        setter = getattr(getattr(cls, name, None), "__set__", None)
        if setter is None or not field.init or not field.kw_only or hasattr(cls, "__post_init__"):
            raise Usage(
                f"{cls.__name__}.{name}", where="quick", fix="frozen, slotted, keyword-only fields alone"
            )
        space[f"set_{name}"] = setter
        value = name
        if field.default is not MISSING:
            space[f"default_{name}"] = field.default
            heads.append(f"{name}=default_{name}")
        elif field.default_factory is not MISSING:
            space[f"make_{name}"] = field.default_factory
            heads.append(f"{name}=MISSING")
            value = f"make_{name}() if {name} is MISSING else {name}"
        else:
            heads.append(name)
        lines.append(f"    set_{name}(self, {value})")
    source = f"def __init__(self, *, {', '.join(heads)}):\n" + "\n".join(lines)
    exec(compile(source, f"<quick {cls.__name__}>", "exec"), space)  # noqa: S102 - names of fields, nothing else
    made = space["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = dict(cls.__init__.__annotations__)
    cls.__init__ = made  # type: ignore[method-assign]
    return cls
