"""What every policy shares: the receipt of a choice, from which it can be explained and re-evaluated."""

import json
from collections.abc import Iterable, Mapping, Sequence
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


class Ranked(NamedTuple):
    """What a receipt keeps of a ranking. best: the first ten. of: how many there are. digest: of the full list."""

    best: Sequence[Scored]
    of: int
    digest: str


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
    ranked: Ranked,
    chosen: str,
    *,
    position: int,
    settings: Mapping[str, Any],
    propensity: float = 1.0,
    seed: int | None = None,
) -> Receipt:
    """The receipt of a choice. settings: those that the policy used."""
    return Receipt(
        policy=policy,
        settings_digest=digest(settings),
        position=position,
        candidates=tuple(Considered(id=one.id, score=one.score, why=one.why) for one in ranked.best),
        count=ranked.of,
        digest=ranked.digest,
        chosen=chosen,
        propensity=propensity,
        seed=seed,
    )


def ranked(candidates: Sequence[Scored]) -> Ranked:
    """Of every candidate, the best first, what a receipt keeps. The digest is that of the list of [id, score]."""
    return Ranked(candidates[:MOST_KEPT], len(candidates), digest_of_list(map(id_and_score, candidates)))


def id_and_score(one: Scored) -> str:
    """A candidate as the digest of the full list sees it."""
    return _canonical([one.id, one.score])


def digest_of_list(items: Iterable[str]) -> str:
    """The digest of a list whose items are canonical JSON already, so that those that stay need no encoding again."""
    return sha256(f"[{','.join(items)}]".encode()).hexdigest()


def digest(value: Any) -> str:
    """Names what was used: sha256 of its canonical JSON, in hex."""
    return sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)
