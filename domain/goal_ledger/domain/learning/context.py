"""What an agent is told before it starts: the rules in force and the lessons that apply, the most useful first."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import PRIOR_STRENGTH, LessonCategory, Scope, confidence_of

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English; what a model counts differs."""


class Use(StrEnum):
    """What is done with what applies, in the order in which it is offered.

    rule, canary, lesson: told, a canary as being on trial. control: kept from this goal, so that others can be compared
    with it. shadow: noted, told to nobody.
    """

    RULE = "rule"
    CANARY = "canary"
    CONTROL = "control"
    SHADOW = "shadow"
    LESSON = "lesson"


class Offer(NamedTuple):
    """Something that applies. line: how it is told. worth: of two of one use the higher one goes first.

    lesson_ids: of a rule, the lessons that it was drawn from.
    """

    id: str
    use: Use
    line: str
    worth: float = 0.0
    lesson_ids: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """offers: what is told or noted, in order. left_out: how many found no room. tokens: of the text."""

    offers: tuple[Offer, ...]
    left_out: int
    tokens: int

    def ids(self, *uses: Use) -> tuple[str, ...]:
        """The ids of what is put to these uses, in order."""
        return tuple(offer.id for offer in self.offers if offer.use in uses)


_TOLD = frozenset({Use.RULE, Use.CANARY, Use.LESSON})
_ORDER = {use: number for number, use in enumerate((Use.RULE, Use.CANARY, Use.CONTROL, Use.SHADOW, Use.LESSON))}
_ORDER[Use.CONTROL] = _ORDER[Use.SHADOW] = _ORDER[Use.CANARY]


def applies(scope: Scope, goal_type: GoalType | None, allowed: Collection[str]) -> bool:
    """Whether what was learned in a scope applies to a goal. allowed: the actions it allows, empty for any."""
    of_type = scope.goal_type is None or scope.goal_type == goal_type
    return of_type and (scope.action_type is None or not allowed or scope.action_type in allowed)


def worth(stated_confidence: float, evidence_for: int, evidence_against: int) -> float:
    """How sure we are of a lesson at the least, 0.0 to 1.0.

    The lower end of the Wilson score interval, one standard deviation wide, around the confidence; the stated one
    counts like `PRIOR_STRENGTH` pieces of evidence. So what was often confirmed comes before what was merely claimed.
    """
    number = PRIOR_STRENGTH + evidence_for + evidence_against
    share = confidence_of(stated_confidence, evidence_for, evidence_against)
    spread = sqrt(share * (1 - share) / number + 1 / (4 * number * number))
    return max(0.0, (share + 1 / (2 * number) - spread) / (1 + 1 / number))


def tokens(line: str) -> int:
    """How many tokens a line takes, about, its end included."""
    return -(-(len(line) + 1) // CHARACTERS_PER_TOKEN)


def choose(offers: Iterable[Offer], *, most_tokens: int) -> Chosen:
    """What is told within so many tokens: rules in force before those on trial before lessons, then by worth, then id.

    What finds no room is passed over; what is shorter may still find some. Of what is kept from the agent that is noted
    for which there would have been room, so that both sides of a comparison are chosen alike. A lesson behind a rule
    that is told is not told twice, and one behind a rule that is kept from the agent is kept from it too: it would be
    told by another name what it is compared for not knowing.
    """
    taken: list[Offer] = []
    spoken_for: set[str] = set()
    used = left_out = 0
    for offer in sorted(offers, key=lambda one: (_ORDER[one.use], -one.worth, one.id)):
        if offer.id in spoken_for:
            continue
        size = tokens(offer.line)
        if used + size > most_tokens:
            left_out += offer.use in _TOLD
            continue
        taken.append(offer)
        used += size if offer.use in _TOLD else 0
        spoken_for.update(() if offer.use is Use.SHADOW else offer.lesson_ids)
    return Chosen(tuple(taken), left_out, used)


def lesson_line(lesson_id: str, text: str, category: LessonCategory, confidence: float) -> str:
    """A lesson as an agent reads it."""
    return f"- Lesson ({category.replace('_', ' ')}, confidence {confidence:.2f}): {_one_line(text)} [{lesson_id}]"


def rule_line(rule_id: str, text: str, *, on_trial: bool) -> str:
    """A rule as an agent reads it."""
    return f"- {'Rule on trial' if on_trial else 'Rule'}: {_one_line(text)} [{rule_id}]"


def _one_line(text: str) -> str:
    return " ".join(text.split())
