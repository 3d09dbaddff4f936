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

GROUP = "goal_ledger.detectors"


class Found(NamedTuple):
    """What the detectors found, each finding with the detector's name. failed: those that raised, with the error."""

    detectors: Sequence[str]
    findings: Sequence[tuple[str, Finding]]
    failed: Mapping[str, str]


class BuiltIn(NamedTuple):
    """A detector of this package, beside the entry points of others."""

    value: str
    detector: Detector

    def load(self) -> Detector:
        return self.detector


def installed() -> dict[str, Any]:
    """The detectors by name; those that are declared are not loaded yet, and take the place of ours of that name."""
    from importlib.metadata import entry_points  # slow to import

    ours = {each.name: BuiltIn(each.name, each) for each in found(built_in, Detector)}
    declared = {entry.name: entry for entry in entry_points(group=GROUP)}
    return dict(sorted({**ours, **declared}.items()))


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
            detector = entry.load()
            if not isinstance(detector, Detector):
                raise TypeError(f"{entry.value} is no Detector")
            findings += [(name, finding) for finding in detector.configure(own)(history, now=now)]
        except LedgerError as error:
            failed[name] = error.message
        except Exception as error:  # somebody else's code: whatever it raises must stop nobody
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return Found(names, findings, failed)
