"""What other packages add: entry points, found and imported when something asks for them.

| group | an entry point names | what a broken one does |
|---|---|---|
| `goal_ledger.backends` | a function from a url of this scheme to a `Backend` | refuses its urls |
| `goal_ledger.projections` | a `Projection` | refuses questions to the read models |
| `goal_ledger.reactions` | a `Reaction` | refuses writes, for nothing happens without what follows from it |
| `goal_ledger.duties` | a `Duty` | is a failed duty; the others run |
| `goal_ledger.detectors` | a `Detector` | is a failed detector; the others look |

One event can be read whatever is broken. Names are unique: built in, given to `Ledger.open`, or installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeVar

from goal_ledger.domain.errors import Invalid, Unavailable

T = TypeVar("T")
N = TypeVar("N", bound="Named")

OURS = "goal-ledger"

BACKENDS = "goal_ledger.backends"
PROJECTIONS = "goal_ledger.projections"
REACTIONS = "goal_ledger.reactions"
DUTIES = "goal_ledger.duties"
DETECTORS = "goal_ledger.detectors"
GROUPS = (BACKENDS, PROJECTIONS, REACTIONS, DUTIES, DETECTORS)


class Named(Protocol):
    """What has a name of its own."""

    @property
    def name(self) -> str: ...


class Declared(NamedTuple):
    """An entry point. value: `module:attribute`. refused: why it must not be loaded."""

    group: str
    name: str
    value: str
    package: str
    refused: Invalid | None = None

    def __str__(self) -> str:
        return f"{self.group} {self.name!r} of the package {self.package} ({self.value})"

    def load(self, kind: type[T]) -> T:
        """What it names. Unavailable: bad_extension, whatever importing it raises, and when it is of another type."""
        if self.refused is not None:
            raise self.refused
        try:
            found = load(self.value)
        except (Exception, SystemExit) as error:  # somebody else's code
            raise self._bad(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}") from error
        if not isinstance(found, kind):
            raise self._bad(f"{type(found).__name__} is no {kind.__name__}")
        return found

    def _bad(self, why: str) -> Unavailable:
        hint = f"mend it, or take it away: pip uninstall {self.package}"
        return Unavailable("bad_extension", f"{self} cannot be used: {why}", hint=hint)


def load(value: str) -> Any:
    """What `module:attribute` names."""
    module, _, attribute = value.partition(":")
    found: Any = import_module(module)
    for name in filter(None, attribute.split(".")):
        found = getattr(found, name)
    return found


def installed(group: str) -> list[Declared]:
    """What the installed packages declare, in order of name, our own before those of others."""
    path = tuple(sys.path)
    return [*_entry_points(group, path)] if group in _declared(path) else []


def by_name(group: str, taken: Collection[str] = ()) -> dict[str, Declared]:
    """The same by name; one whose name is taken already is called `<name> of <package>`, and cannot be loaded."""
    found: dict[str, Declared] = {}
    for declared in installed(group):
        try:
            require_new(declared.name, (*taken, *found), str(declared))
            found[declared.name] = declared
        except Invalid as error:
            found[f"{declared.name} of {declared.package}"] = declared._replace(refused=error)
    return found


def all_of(kind: type[T], given: object, what: str) -> tuple[T, ...]:
    """What is given to `Ledger.open` as `what`, each of this kind. Invalid: wrong_type."""
    found = tuple(given) if isinstance(given, Iterable) and not isinstance(given, (str, kind)) else (given,)
    for each in found:
        if not isinstance(each, kind):
            raise Invalid("wrong_type", f"{what}: {type(each).__name__} is no {kind.__name__}")
    return found


def given_by_name(given: Iterable[tuple[str, T]], taken: Collection[str]) -> dict[str, T]:
    """What is given to `Ledger.open`. taken: names that are built in. Invalid: duplicate_name."""
    found: dict[str, T] = {}
    for name, each in given:
        require_new(name, (*taken, *found), "what is given to Ledger.open")
        found[name] = each
    return found


def with_installed(group: str, kind: type[N], given: Mapping[str, N], taken: Collection[str]) -> dict[str, N]:
    """What is given, then what is installed, by the name that each has itself.

    Invalid: duplicate_name. Unavailable: bad_extension.
    """
    found = dict(given)
    for declared in installed(group):
        each = declared.load(kind)
        require_new(each.name, (*taken, *found), str(declared))
        found[each.name] = each
    return found


def require_new(name: str, taken: Collection[str], who: str) -> None:
    """Refuse a name that another has. who: brings it. Invalid: duplicate_name."""
    if name in taken:
        raise Invalid("duplicate_name", f"{who} is called {name!r}, as another is", hint="give it a name of its own")


# --- Looking


@cache
def _declared(path: tuple[str, ...]) -> frozenset[str]:
    """The groups that anybody may declare: a quick look, for asking the standard library takes ten times as long."""
    found: set[str] = set()
    for folder in path:
        try:
            names = os.listdir(folder or os.curdir)
        except NotADirectoryError:  # an archive, which only the standard library can read
            return frozenset(GROUPS)
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                text = _text(f"{folder or os.curdir}/{name}/entry_points.txt")
            elif name.endswith(".egg"):
                text = _text(f"{folder or os.curdir}/{name}/EGG-INFO/entry_points.txt")
            else:
                continue
            if b"[goal_ledger." in text:
                found.update(group for group in GROUPS if f"[{group}]".encode() in text)
    return frozenset(found)


def _text(file: str) -> bytes:
    """What it holds; nothing when it is not there."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    text = b""
    try:
        while part := os.read(descriptor, 16_384):  # there are dozens of them, and `open` takes half as long again
            text += part
    finally:
        os.close(descriptor)
    return text


@cache
def _entry_points(group: str, _path: tuple[str, ...]) -> Sequence[Declared]:
    from importlib.metadata import entry_points

    try:
        entries = entry_points(group=group)
    except Exception as error:  # a malformed file of any package
        raise Unavailable(
            "bad_extension", f"an installed package's entry_points.txt cannot be read: {error}", hint="pip check"
        ) from error
    found = [
        Declared(
            group, entry.name, entry.value.partition("[")[0].strip(), "?" if entry.dist is None else entry.dist.name
        )
        for entry in entries
    ]
    return sorted(found, key=lambda each: (each.name, each.package != OURS, each.package))
