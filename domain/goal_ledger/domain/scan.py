"""Things that are found by where they lie, so that whoever adds one writes its module and no list."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def found(package: ModuleType, kind: type[T]) -> list[T]:
    """What of a kind stands at the top of the modules of a package and of its folders, each once.

    In order of the modules' names, then of the definitions. All of these modules are imported.
    """
    things = {
        id(value): value
        for name in sorted(_modules(package))
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, kind)
    }
    return list(things.values())


def _modules(package: ModuleType) -> Iterator[str]:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.ispkg:
            yield from _modules(importlib.import_module(module.name))
        else:
            yield module.name
