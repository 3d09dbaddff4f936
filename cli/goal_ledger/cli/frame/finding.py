"""The commands, found by where they lie: a file each, listed in the help without being imported."""

import os
import re
from importlib import import_module
from typing import NamedTuple

import click

SECTIONS = {"noun": "Nouns", "verb": "Verbs on their own"}  # of the help, in their order
_HEAD = re.compile(r'"""(.+?)(?:"""|$)(?:\n\nListed: (noun|verb) (\d+)$)?', re.MULTILINE)
_LONGEST = 1000  # characters of a file that can hold its head
_LAST = 1_000_000  # the place of a file that names none


class Listed(NamedTuple):
    """A command in the help. section: a key of SECTIONS. place: the lowest comes first, equal ones by name."""

    section: str
    place: int
    name: str
    help: str


class Commands:
    """The commands of a package: the file `belief.py` holds the command `belief`, under that name.

    A name that is taken in Python ends in `_` (`import_.py`); a file whose name begins with `_` holds no command. A
    file begins with its line in the help, and below it can say where that stands: `Listed: noun 60`.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def get(self, name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if (module := self._modules().get(name)) is None:
            return None
        command: click.Command = vars(import_module(f"{self._package}.{module}"))[module]
        return command

    def listed(self) -> list[Listed]:
        """All of them, in the order of the help; none is imported."""
        order = list(SECTIONS)
        found = [self._listed(name, module) for name, module in self._modules().items()]
        return sorted(found, key=lambda each: (order.index(each.section), each.place, each.name))

    def _folder(self) -> str:
        folder: str = import_module(self._package).__path__[0]
        return folder

    def _modules(self) -> dict[str, str]:
        files = [name.removesuffix(".py") for name in os.listdir(self._folder()) if name.endswith(".py")]
        return {file.rstrip("_").replace("_", "-"): file for file in files if not file.startswith("_")}

    def _listed(self, name: str, module: str) -> Listed:
        with open(os.path.join(self._folder(), f"{module}.py"), encoding="utf-8") as file:
            head = _HEAD.match(file.read(_LONGEST))
        help_, section, place = ("", None, None) if head is None else head.groups()
        return Listed(section or "noun", int(place or _LAST), name, help_)
