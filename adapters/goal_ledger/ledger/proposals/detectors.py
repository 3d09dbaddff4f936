"""Which detectors there are: those of this package, found where they lie, and those that other packages declare.

Ours is each `Detector` at the top of a module of `goal_ledger.domain.proposals.detectors`. A package declares one as an
entry point of the group `goal_ledger.detectors` that names a `Detector`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from goal_ledger.domain.errors import LedgerError
from goal_ledger.domain.proposals import detectors as built_in
from goal_ledger.domain.proposals.detectors.base import Detector, Finding, History
from goal_ledger.domain.scan import found
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import Declared, by_name


class Found(NamedTuple):
    """What the detectors found, each finding with the detector's name. failed: those that raised, with the error."""

    detectors: Sequence[str]
    findings: Sequence[tuple[str, Finding]]
    failed: Mapping[str, str]


class BuiltIn(NamedTuple):
    """A detector of this package, beside those that others declare."""

    detector: Detector

    def load(self, _: type[Detector]) -> Detector:
        return self.detector


def installed() -> dict[str, BuiltIn | Declared]:
    """The detectors by name; those of other packages are not loaded yet, see `by_name`."""
    there: dict[str, BuiltIn | Declared] = {each.name: BuiltIn(each) for each in found(built_in, Detector)}
    there |= by_name(extensions.DETECTORS, tuple(there))
    return {name: there[name] for name in sorted(there)}


def look(history: History, settings: Mapping[str, Mapping[str, Any]], *, now: datetime) -> Found:
    """Let every detector look that is switched on; one that raises is named and stops nobody.

    settings: of each detector by its name; `enabled` False switches it off.
    """
    names: list[str] = []
    findings: list[tuple[str, Finding]] = []
    failed: dict[str, str] = {}
    for name, entry in installed().items():
        own = dict(settings.get(name, {}))
        if not own.pop("enabled", True):
            continue
        names.append(name)
        try:
            detect = entry.load(Detector).configure(own)
            findings += [(name, finding) for finding in detect(history, now=now)]
        except LedgerError as error:
            failed[name] = error.message
        except Exception as error:  # somebody else's code: whatever it raises must stop nobody
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return Found(names, findings, failed)
