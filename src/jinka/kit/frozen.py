"""A quicker constructor for frozen values of which a process makes a hundred thousand a second.

The constructor that `dataclasses` writes for a frozen class goes through ``object.__setattr__`` with a name for each
field. `quick` puts one in its place that fills the slots by their descriptors: half the time, the same value, and just
as frozen. A value of many fields is of a class with the same slots that is not frozen while it is filled: a third of
the time. Only for slotted, keyword-only classes whose constructor does nothing else, and without subclasses.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

from jinka.kit.errors import Usage

T = TypeVar("T")
_MANY = 8  # fields, from which on to change the class twice costs less


def quick(cls: type[T]) -> type[T]:
    """Above ``@dataclass(frozen=True, slots=True, kw_only=True)``; `Usage` for a class that it does not fit."""
    space: dict[str, Any] = {"MISSING": MISSING}
    heads, makes, names = list[str](), list[str](), list[str]()
    for field in fields(cls):  # type: ignore[arg-type]
        name = field.name
        setter = getattr(getattr(cls, name, None), "__set__", None)
        if setter is None or not field.init or not field.kw_only or hasattr(cls, "__post_init__"):
            raise Usage(
                f"{cls.__name__}.{name}", where="quick", fix="frozen, slotted, keyword-only fields alone"
            )
        space[f"set_{name}"] = setter
        if field.default is not MISSING:
            space[f"default_{name}"] = field.default
            heads.append(f"{name}=default_{name}")
        elif field.default_factory is not MISSING:
            space[f"make_{name}"] = field.default_factory
            heads.append(f"{name}=MISSING")
            makes.append(f"if {name} is MISSING: {name} = make_{name}()")
        else:
            heads.append(name)
        names.append(name)
    if len(names) < _MANY:
        fills = [f"set_{name}(self, {name})" for name in names]
    else:
        space["Open"] = type(f"Open{cls.__name__}", cls.__bases__, {"__slots__": tuple(names)})
        space["Shut"], space["set_class"] = cls, object.__dict__["__class__"].__set__
        fills = [
            "set_class(self, Open)",
            *(f"self.{name} = {name}" for name in names),
            "set_class(self, Shut)",
        ]
    source = f"def __init__(self, *, {', '.join(heads)}):\n    " + "\n    ".join([*makes, *fills])
    exec(compile(source, f"<quick {cls.__name__}>", "exec"), space)  # noqa: S102 - names of fields, nothing else
    made = space["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = dict(cls.__init__.__annotations__)
    cls.__init__ = made  # type: ignore[method-assign]
    return cls
