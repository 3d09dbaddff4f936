"""The answer of the router by its definition: every goal judged anew."""

from collections.abc import Iterable

from goal_ledger.domain.settings import Weights
from goal_ledger.domain.work.router import BY_PRIORITY, CLOSED, ROUTER, Choice, Work, judged, place


def route(work: Iterable[Work], *, now: str, weights: Weights | None = None, policy: str = ROUTER) -> list[Choice]:
    """Every open goal in the order in which it should be served, then those that are not eligible, with the reason."""
    known = {one.goal_id: one for one in work}
    used = None if policy == BY_PRIORITY else weights or Weights()
    choices = [judged(one, known, now, used, policy) for one in known.values() if one.status not in CLOSED]
    return sorted(choices, key=place)
