"""Whether a proposal becomes a goal: the policy `evaluation@1`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from goal_ledger.domain.policies import Scored
from goal_ledger.domain.proposals.proposal import ProposalMade, RejectionCode
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.strategy.belief import alignment

EVALUATION = "evaluation@1"


class Similar(NamedTuple):
    """The goal that is nearest to a proposal. is_same: it is open and came of the same pattern and subject."""

    goal_id: str
    score: float
    is_same: bool = False


class Circumstances(NamedTuple):
    """What a proposal is measured against.

    now: UTC text. today, today_by_detector: goals that the system set on this UTC day, all and by this detector.
    nearest: the most similar goal that still counts. beliefs: ids, True for the active ones.
    """

    now: str
    today: int
    today_by_detector: int
    nearest: Similar | None
    beliefs: Mapping[str, bool]


class Verdict(NamedTuple):
    """code: why not, None when it becomes a goal. value: what decided. auto: it is active without a person."""

    code: RejectionCode | None
    value: str | None = None
    auto: bool = False
    checks: Sequence[Scored] = ()


def evaluate(proposal: ProposalMade, seen: Circumstances, settings: Settings) -> Verdict:
    """The first check that fails decides: expired, confidence, rate limits, duplicate, beliefs."""
    passed: list[Scored] = []
    for check in (_expired, _confidence, _limits, _duplicate, _beliefs):
        name, score, refused, value = check(proposal, seen, settings)
        passed.append(Scored(name, score, value))
        if refused:
            return Verdict(RejectionCode(name), value, checks=passed)
    return Verdict(None, auto=proposal.confidence >= settings.auto_approve, checks=passed)


_Check = tuple[str, float, bool, str]


def _expired(proposal: ProposalMade, seen: Circumstances, _: Settings) -> _Check:
    is_over = seen.now > proposal.expires_at
    return RejectionCode.EXPIRED, 1.0 - is_over, is_over, proposal.expires_at


def _confidence(proposal: ProposalMade, _: Circumstances, settings: Settings) -> _Check:
    sure = proposal.confidence
    return RejectionCode.CONFIDENCE_TOO_LOW, sure, sure < settings.least_confidence, f"{sure:g}"


def _limits(_: ProposalMade, seen: Circumstances, settings: Settings) -> _Check:
    by_all, by_one = settings.system_goals_a_day, settings.detector_goals_a_day
    value = f"{seen.today}/{by_all} a day, {seen.today_by_detector}/{by_one} by the detector"
    is_over = seen.today >= by_all or seen.today_by_detector >= by_one
    return RejectionCode.RATE_LIMIT_EXCEEDED, 1.0 - is_over, is_over, value


def _duplicate(_: ProposalMade, seen: Circumstances, settings: Settings) -> _Check:
    nearest = seen.nearest
    if nearest is None:
        return RejectionCode.DUPLICATE_GOAL_EXISTS, 1.0, False, "no other goal"
    is_one = nearest.is_same or nearest.score > settings.duplicate_similarity
    return RejectionCode.DUPLICATE_GOAL_EXISTS, 1.0 - nearest.score, is_one, nearest.goal_id


def _beliefs(proposal: ProposalMade, seen: Circumstances, settings: Settings) -> _Check:
    score = alignment(proposal.aligns_with, proposal.contradicts, seen.beliefs)
    against = [belief for belief in proposal.contradicts if seen.beliefs.get(belief, False)]
    value = ", ".join(against) or f"{score:g}"
    return RejectionCode.BELIEF_MISALIGNMENT, score, bool(against) or score < settings.least_alignment, value
