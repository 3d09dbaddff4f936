"""A belief: what the organisation holds true, so that goals can be measured against it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from goal_ledger.domain.base import Decider, Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, NotFound, Rejected
from goal_ledger.domain.ids import derived_id


class BeliefStatus(StrEnum):
    ACTIVE = "active"
    CONTRADICTED = "contradicted"
    RETRACTED = "retracted"


def belief_id(text: str) -> str:
    """The id of the belief with this text, whoever holds it; case and white space make no difference."""
    return derived_id("belief_", "", " ".join(text.casefold().split()), None)


# --- Events


class BeliefHeld(Event):
    """It is held true from now on, again where it was given up."""

    stored = "belief.held"

    text: str


class BeliefContradicted(Event):
    """Something speaks against it; until it is held again it counts for nothing."""

    stored = "belief.contradicted"


class BeliefRetracted(Event):
    """It is given up."""

    stored = "belief.retracted"


# --- State


class Belief(NamedTuple):
    status: BeliefStatus | None = None

    @property
    def is_active(self) -> bool:
        return self.status is BeliefStatus.ACTIVE


BELIEF = Decider("belief", Belief())


@BELIEF.on(BeliefHeld)
def _held(_: Belief, __: BeliefHeld) -> Belief:
    return Belief(BeliefStatus.ACTIVE)


@BELIEF.on(BeliefContradicted)
def _contradicted(_: Belief, __: BeliefContradicted) -> Belief:
    return Belief(BeliefStatus.CONTRADICTED)


@BELIEF.on(BeliefRetracted)
def _retracted(_: Belief, __: BeliefRetracted) -> Belief:
    return Belief(BeliefStatus.RETRACTED)


# --- Decisions


@operation("belief.hold")
def hold(belief: Belief, *, text: str, reason: str | None = None) -> list[Event]:
    """Hold it true. Rejected: no_text."""
    if not text.strip():
        raise Rejected("no_text", "a belief needs a text that is not blank")
    return [] if belief.is_active else [BeliefHeld(text=text.strip(), reason=reason)]


@operation("belief.contradict")
def contradict(belief: Belief, *, reason: str | None) -> list[Event]:
    """Say that something speaks against it. Rejected: no_reason, retracted. NotFound: unknown_belief."""
    status = existing(belief)
    if status is BeliefStatus.CONTRADICTED:
        return []
    if status is BeliefStatus.RETRACTED:
        raise Rejected(
            "retracted", "this belief was given up; hold it again first", hint=Hint("belief", "hold", Blank("TEXT"))
        )
    return [BeliefContradicted(reason=_needed(reason, "contradict"))]


@operation("belief.retract")
def retract(belief: Belief, *, reason: str | None) -> list[Event]:
    """Give it up. Rejected: no_reason. NotFound: unknown_belief."""
    if existing(belief) is BeliefStatus.RETRACTED:
        return []
    return [BeliefRetracted(reason=_needed(reason, "retract"))]


def existing(belief: Belief) -> BeliefStatus:
    """The belief's status. NotFound: unknown_belief."""
    if belief.status is None:
        raise NotFound("unknown_belief", "there is no such belief", hint=Hint("belief", "list"))
    return belief.status


def _needed(reason: str | None, verb: str) -> str:
    if not (reason and reason.strip()):
        raise Rejected("no_reason", f"to {verb} a belief, say why", hint=Hint("belief", verb, STREAM, reason=Blank()))
    return reason


# --- Alignment

NEUTRAL = 0.75
"""The alignment of what names no belief."""


def alignment(aligns_with: Sequence[str], contradicts: Sequence[str], beliefs: Mapping[str, bool]) -> float:
    """How well it fits what is held true, 0 to 1: the share of its beliefs that are active, 0 against an active one."""
    if any(beliefs.get(belief, False) for belief in contradicts):
        return 0.0
    if not aligns_with:
        return NEUTRAL
    return sum(beliefs.get(belief, False) for belief in aligns_with) / len(aligns_with)
