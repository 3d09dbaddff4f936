"""Every read model, by name: each `Projection` at the top of a module of this package."""

from typing import Any

from goal_ledger import projections
from goal_ledger.domain.scan import found
from goal_ledger.projections.base import Projection

_FOUND = sorted(found(projections, Projection), key=lambda projection: projection.name)

PROJECTIONS: dict[str, Projection[Any]] = {each.name: each for each in _FOUND}

NOUNS: dict[str, Projection[Any]] = {each.noun: each for each in PROJECTIONS.values() if each.noun is not None}
"""What people call the rows that belong to one stream each."""
