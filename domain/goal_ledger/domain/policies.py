"""What every policy shares: the receipt of a choice, from which it can be explained and made again."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Count, Payload

MOST_KEPT = 10


class Scored(NamedTuple):
    """A candidate as a policy judged it. score: higher is better. why: in words."""

    id: str
    score: float
    why: str


class Considered(Payload):
    """A candidate as a receipt keeps it."""

    id: str
    score: float
    why: str


class Receipt(Payload):
    """What a policy saw and why it chose.

    policy: name and version, e.g. `router@1`. settings_digest: of the settings it used. position: the last event it
    could know of. candidates: the best, ten at most; count, digest: of the full list. propensity: how likely it was,
    1.0 without chance. seed: of the chance, None without it.
    """

    policy: str
    settings_digest: str
    position: Count
    candidates: Annotated[tuple[Considered, ...], Field(strict=False)]
    count: Count
    digest: str
    chosen: str
    propensity: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None


def receipt(
    policy: str,
    ranked: Sequence[Scored],
    chosen: str,
    *,
    position: int,
    settings: Mapping[str, Any],
    propensity: float = 1.0,
    seed: int | None = None,
) -> Receipt:
    """The receipt of a choice. ranked: every candidate, the best first. settings: those that the policy used."""
    return Receipt(
        policy=policy,
        settings_digest=digest(settings),
        position=position,
        candidates=tuple(Considered(id=one.id, score=one.score, why=one.why) for one in ranked[:MOST_KEPT]),
        count=len(ranked),
        digest=digest([[one.id, one.score] for one in ranked]),
        chosen=chosen,
        propensity=propensity,
        seed=seed,
    )


def digest(value: Any) -> str:
    """Names what was used: sha256 of its canonical JSON, in hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)
    return sha256(text.encode()).hexdigest()
