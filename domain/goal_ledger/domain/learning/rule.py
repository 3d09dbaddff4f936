"""A playbook rule: a directive drawn from lessons, which has to prove itself before every agent is told it."""

from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, Money, Seconds, Share, Texts, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, Invalid, NotFound, Rejected
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.learning.lesson import Scope
from goal_ledger.domain.learning.promotion import Choice, Trial, is_regression, judge, receipt_of, step_receipt
from goal_ledger.domain.policies import Receipt
from goal_ledger.domain.settings import Settings

BY_HAND = "by hand"
"""Why a rule was rolled back by a person, who says more in the reason."""
_UNPAIRED = 100  # control runs that wait for a treatment run to be compared with; older ones are forgotten

# --- Words


class Mode(StrEnum):
    """shadow: told to nobody, noted where it would have been. canary: told for a share of the goals. full: for all."""

    SHADOW = "shadow"
    CANARY = "canary"
    FULL = "full"


class Arm(StrEnum):
    """Which side of the comparison a run is on."""

    TREATMENT = "treatment"
    CONTROL = "control"


def rule_id(scope: Scope, text: str) -> str:
    """The id of the rule with this text in this scope, whoever drafts it: the same rule has one stream."""
    words = " ".join(text.casefold().split())
    return derived_id("rule_", f"{scope.goal_type or ''}\0{scope.action_type or ''}", words, None)


def assigned(rule_id: str, goal_id: str, share: float) -> Arm:
    """Whether the runs of a goal are told a rule that is tried on a share of the goals; always the same answer."""
    drawn = int.from_bytes(sha256(f"{rule_id}\0{goal_id}".encode()).digest()[:8], "big")
    return Arm.TREATMENT if drawn < share * 2**64 else Arm.CONTROL


# --- Events


class RuleDrafted(Event):
    """The rule begins, in shadow. applies_to_goal_type, applies_to_action_type: None for any."""

    stored = "rule.drafted"

    title: str
    rule_text: str
    applies_to_goal_type: Annotated[GoalType | None, Field(strict=False)] = None
    applies_to_action_type: str | None = None
    source_lesson_ids: Texts
    receipt: Receipt | None = None


class RuleShadowed(Event):
    """A run ended that would have been told the rule. Noted until there are enough of them to try it."""

    stored = "rule.shadowed"

    run_id: str


class RuleCanaried(Event):
    """The rule is tried on a share of the goals. round: how many times it has been, from 1."""

    stored = "rule.canaried"

    share: Share
    round: Annotated[int, Field(ge=1)]
    receipt: Receipt | None = None


class RuleTried(Event):
    """A run that the comparison counts has ended, or its time is up. success: whether it did what it should.

    costlier, slower: than the control run that a treatment run is paired with, by more than is tolerated; None when
    there is none, or one of the two is unknown. overdue: its time was up and it is open still; its end does not count
    again.
    """

    stored = "rule.tried"

    run_id: str
    arm: Annotated[Arm, Field(strict=False)]
    success: bool
    cost_usd: Money | None = None
    duration_seconds: Seconds | None = None
    costlier: bool | None = None
    slower: bool | None = None
    overdue: bool = False


class RuleValued(Event):
    """It became known what a counted run was worth. degraded: whether it made things worse."""

    stored = "rule.valued"

    run_id: str
    arm: Annotated[Arm, Field(strict=False)]
    degraded: bool


class RulePromoted(Event):
    """The rule is in force for all goals. receipt: what the counts said; a person, who gives a reason, may go ahead."""

    stored = "rule.promoted"

    receipt: Receipt | None = None


class RuleRolledBack(Event):
    """The rule goes back: from full to the next round of the canary, from canary to shadow. cause: what got worse."""

    stored = "rule.rolled_back"

    mode: Annotated[Mode, Field(strict=False)]
    cause: str
    receipt: Receipt | None = None


class RuleRetired(Event):
    """The rule was retired: it is no longer included in agent context."""

    stored = "rule.retired"


class RuleRecalled(Event):
    """A lesson that the rule was drawn from was recalled. root: the lesson whose recall began it."""

    stored = "rule.recalled"

    root: str


# --- State


class Rule(NamedTuple):
    """mode: None before it is drafted. active: whether it may still be told. recalled: the lesson with which it fell.

    round: how many times it has been in canary. share: of the goals that are told it there. shadow_runs: runs that it
    watched from the shadow. trial: the counts of the round. costs, durations: of control runs that no treatment run is
    paired with yet, the latest last. overdue: runs that were counted before they ended.
    """

    mode: Mode | None = None
    active: bool = False
    lesson_ids: tuple[str, ...] = ()
    recalled: str | None = None
    round: int = 0
    share: float = 0.0
    shadow_runs: int = 0
    trial: Trial = Trial()
    costs: tuple[float, ...] = ()
    durations: tuple[float, ...] = ()
    overdue: frozenset[str] = frozenset()


RULE = Decider("rule", Rule())


@RULE.on(RuleDrafted)
def _drafted(_: Rule, event: RuleDrafted) -> Rule:
    return Rule(Mode.SHADOW, active=True, lesson_ids=event.source_lesson_ids)


@RULE.on(RuleShadowed)
def _shadowed(rule: Rule, _: RuleShadowed) -> Rule:
    return rule._replace(shadow_runs=rule.shadow_runs + 1)


@RULE.on(RuleCanaried)
def _canaried(rule: Rule, event: RuleCanaried) -> Rule:
    return _new_round(rule, event.round, event.share)


@RULE.on(RuleTried)
def _tried(rule: Rule, event: RuleTried) -> Rule:
    costs, durations = rule.costs, rule.durations
    if event.arm is Arm.CONTROL:
        costs = _waiting(costs, event.cost_usd)
        durations = _waiting(durations, event.duration_seconds)
    else:
        costs = costs if event.costlier is None else costs[:-1]
        durations = durations if event.slower is None else durations[:-1]
    return rule._replace(
        trial=counted(rule.trial, event, promoted=rule.mode is Mode.FULL),
        costs=costs,
        durations=durations,
        overdue=rule.overdue | {event.run_id} if event.overdue else rule.overdue,
    )


@RULE.on(RuleValued)
def _valued(rule: Rule, event: RuleValued) -> Rule:
    return rule._replace(trial=valued(rule.trial, event))


@RULE.on(RulePromoted)
def _promoted(rule: Rule, _: RulePromoted) -> Rule:
    return rule._replace(mode=Mode.FULL)


@RULE.on(RuleRolledBack)
def _rolled_back(rule: Rule, event: RuleRolledBack) -> Rule:
    if event.mode is Mode.CANARY:
        return _new_round(rule, rule.round + 1, rule.share)
    return rule._replace(mode=event.mode, trial=Trial(), costs=(), durations=())


@RULE.on(RuleRetired)
def _retired(rule: Rule, _: RuleRetired) -> Rule:
    return rule._replace(active=False)


@RULE.on(RuleRecalled)
def _recalled(rule: Rule, event: RuleRecalled) -> Rule:
    return rule._replace(active=False, recalled=event.root)


def counted(trial: Trial, event: RuleTried, *, promoted: bool) -> Trial:
    """The counts of the round with this run. promoted: the rule is in force."""
    if event.arm is Arm.CONTROL:
        return trial._replace(control=trial.control.plus(event.success))
    if event.costlier is not None:
        trial = trial._replace(costs=trial.costs.plus(event.costlier))
    if event.slower is not None:
        trial = trial._replace(durations=trial.durations.plus(event.slower))
    if promoted:
        return trial.in_force(event.success)
    return trial._replace(treatment=trial.treatment.plus(event.success))


def valued(trial: Trial, event: RuleValued) -> Trial:
    """The counts of the round with what this run was worth."""
    if event.arm is Arm.CONTROL:
        return trial._replace(control_values=trial.control_values.plus(not event.degraded))
    return trial._replace(treatment_values=trial.treatment_values.plus(not event.degraded))


def _new_round(rule: Rule, number: int, share: float) -> Rule:
    return rule._replace(mode=Mode.CANARY, round=number, share=share, trial=Trial(), costs=(), durations=())


def _waiting(known: tuple[float, ...], one: Decimal | float | None) -> tuple[float, ...]:
    return known if one is None else (*known[1 - _UNPAIRED :], float(one))


# --- Decisions of people


@operation("rule.draft")
def draft(
    rule: Rule,
    *,
    title: str,
    text: str,
    scope: Scope,
    lesson_ids: tuple[str, ...],
    confidence: float,
    position: int,
    settings: Settings,
    reason: str | None = None,
) -> list[Event]:
    """Begin a rule, which is always in shadow. confidence: of the lessons that it is drawn from, the least.

    position: of the last event. The same rule again is quiet.

    Rejected: no_text, confidence_too_low, retired, recalled.
    """
    if not text.strip() or not title.strip():
        raise Rejected("no_text", "a rule needs a title and a text that are not blank")
    if rule.mode is not None:
        _active(rule)
        return []
    needed = settings.rule_confidence
    if confidence < needed:
        raise Rejected(
            "confidence_too_low",
            f"a rule needs a lesson of confidence {needed:g}; this one has {confidence:.4g}",
            hint=Hint("lesson", "confirm", lesson_ids[0] if lesson_ids else Blank("LESSON")),
        )
    why = f"confidence {confidence:.4g} of {needed:g} needed"
    return [
        RuleDrafted(
            title=title.strip(),
            rule_text=text.strip(),
            applies_to_goal_type=scope.goal_type,
            applies_to_action_type=scope.action_type,
            source_lesson_ids=lesson_ids,
            receipt=step_receipt("draft", confidence, needed, why, position=position, settings=settings),
            reason=reason,
        )
    ]


@operation("rule.canary")
def canary(
    rule: Rule, *, position: int, settings: Settings, share: float | None = None, reason: str | None = None
) -> list[Event]:
    """Try the rule on a share of the goals, as the settings say unless given.

    Rejected: in_force, no_reason, retired, recalled. NotFound: unknown_rule. Invalid: bad_share.
    """
    _active(rule)
    if share is not None and not 0 < share < 1:
        raise Invalid("bad_share", f"a share of {share:g} leaves nothing to compare with; it must be between 0 and 1")
    if rule.mode is Mode.CANARY:
        return []
    if rule.mode is Mode.FULL:
        raise Rejected(
            "in_force", "the rule is in force for all goals", hint=Hint("rule", "rollback", STREAM, reason=Blank())
        )
    _say_why(reason, "canary", "to try a rule")
    return [_canary(rule, share=share, position=position, settings=settings, reason=reason)]


@operation("rule.promote")
def promote(rule: Rule, *, position: int, settings: Settings, reason: str | None) -> list[Event]:
    """Put a rule in force that won often enough in canary, without a sign of harm.

    Rejected: skips_canary, not_validated, regression, no_reason, retired, recalled. NotFound: unknown_rule.
    """
    _active(rule)
    if rule.mode is Mode.FULL:
        return []
    if rule.mode is Mode.SHADOW:
        raise Rejected(
            "skips_canary", "the rule is in shadow; only a rule in canary can be put in force",
            hint=Hint("rule", "canary", STREAM, reason=Blank()),
        )  # fmt: skip
    trial, needed = rule.trial, settings.rule_validated_runs
    if trial.validated < needed:
        raise Rejected(
            "not_validated",
            f"{trial.validated:g} runs with the rule were won in this round; {needed} are needed",
            hint=Hint("rule", "evaluate", STREAM),
        )
    verdict = judge(trial, promoted=False, round=rule.round, settings=settings)
    if verdict.choice is Choice.ROLL_BACK or is_regression(trial, settings.rule_margin):
        told, kept = trial.treatment, trial.control
        raise Rejected(
            "regression",
            f"{told.successes:g} of {told.n:g} runs were won with the rule, {kept.successes:g} of {kept.n:g} without"
            + (f"; worse: {verdict.cause}" if verdict.cause else ""),
            hint=Hint("rule", "evaluate", STREAM),
        )
    _say_why(reason, "promote", "to put a rule in force")
    return [RulePromoted(receipt=receipt_of(verdict, position=position, settings=settings), reason=reason)]


@operation("rule.roll_back")
def roll_back(rule: Rule, *, position: int, settings: Settings, reason: str | None) -> list[Event]:
    """Take the rule back: from full to a new round of the canary, from canary to shadow.

    Rejected: no_reason, retired, recalled. NotFound: unknown_rule.
    """
    _active(rule)
    if rule.mode is Mode.SHADOW:
        return []
    _say_why(reason, "rollback", "to take a rule back")
    return [_back(rule, BY_HAND, position=position, settings=settings, reason=reason)]


@operation("rule.retire")
def retire(rule: Rule, *, reason: str | None) -> list[Event]:
    """Retire the rule: it is no longer included in agent context. Rejected: no_reason. NotFound: unknown_rule."""
    if not existing(rule):
        return []
    _say_why(reason, "retire", "to retire a rule")
    return [RuleRetired(reason=reason)]


@operation("rule.recall")
def recall(rule: Rule, *, root: str, reason: str | None) -> list[Event]:
    """Take the rule back for good. root: the lesson with whose recall it falls. NotFound: unknown_rule."""
    existing(rule)
    return [] if rule.recalled is not None else [RuleRecalled(root=root, reason=reason)]


# --- Decisions that follow from runs


@operation("rule.watch")
def watch(rule: Rule, *, run_id: str, settings: Settings) -> list[Event]:
    """Count a run that would have been told the rule, until there are enough of them."""
    if not rule.active or rule.mode is not Mode.SHADOW or rule.shadow_runs >= settings.rule_shadow_runs:
        return []
    return [RuleShadowed(run_id=run_id)]


@operation("rule.try_on")
def try_on(
    rule: Rule,
    *,
    run_id: str,
    arm: Arm,
    success: bool,
    position: int,
    settings: Settings,
    cost_usd: Decimal | None = None,
    duration_seconds: float | None = None,
    overdue: bool = False,
) -> list[Event]:
    """Count a run of the phase that the rule is in, and take the rule back when it shows harm."""
    if not rule.active or rule.mode in (None, Mode.SHADOW) or run_id in rule.overdue:
        return []
    if rule.mode is Mode.FULL and arm is Arm.CONTROL:
        return []
    told, most = arm is Arm.TREATMENT, 1 + settings.rule_cost_tolerance
    tried = RuleTried(
        run_id=run_id,
        arm=arm,
        success=success,
        cost_usd=cost_usd,
        duration_seconds=duration_seconds,
        costlier=_exceeds(cost_usd, rule.costs, most) if told else None,
        slower=_exceeds(duration_seconds, rule.durations, most) if told else None,
        overdue=overdue,
    )
    return [tried, *_harmed(RULE.evolve(rule, tried), position, settings)]


@operation("rule.value")
def value(rule: Rule, *, run_id: str, arm: Arm, degraded: bool, position: int, settings: Settings) -> list[Event]:
    """Count what a run of the round was worth, and take the rule back when it shows harm."""
    if not rule.active or rule.mode in (None, Mode.SHADOW):
        return []
    valued = RuleValued(run_id=run_id, arm=arm, degraded=degraded)
    return [valued, *_harmed(RULE.evolve(rule, valued), position, settings)]


@operation("rule.advance")
def advance(rule: Rule, *, position: int, settings: Settings) -> list[Event]:
    """Take the next step that the evidence allows: from shadow to canary, from canary to full.

    A rule that came back into the shadow is tried again by people only.
    """
    if not rule.active:
        return []
    if rule.mode is Mode.SHADOW:
        if rule.round or rule.shadow_runs < settings.rule_shadow_runs:
            return []
        return [_canary(rule, position=position, settings=settings)]
    verdict = judge(rule.trial, promoted=rule.mode is Mode.FULL, round=rule.round, settings=settings)
    if verdict.choice is Choice.PROMOTE:
        return [RulePromoted(receipt=receipt_of(verdict, position=position, settings=settings))]
    return _harmed(rule, position, settings)


def step_again(
    rule: Rule, taken: RuleCanaried | RulePromoted | RuleRolledBack, *, position: int, settings: Settings
) -> Event | None:
    """A step that was taken, as the policy sees it now; None when it would not take it, and no person asked for it."""
    if isinstance(taken, RuleCanaried):
        is_due = taken.reason is not None or rule.shadow_runs >= settings.rule_shadow_runs
        return _canary(rule, position=position, settings=settings, share=taken.share) if is_due else None
    verdict = judge(rule.trial, promoted=rule.mode is Mode.FULL, round=rule.round, settings=settings)
    return taken.model_copy(update={"receipt": receipt_of(verdict, position=position, settings=settings)})


# --- Rules shared by the decisions


def existing(rule: Rule) -> bool:
    """Whether the rule is active. NotFound: unknown_rule."""
    if rule.mode is None:
        raise NotFound("unknown_rule", "there is no such rule", hint=Hint("rule", "list"))
    return rule.active


def _active(rule: Rule) -> None:
    if existing(rule):
        return
    code = "retired" if rule.recalled is None else "recalled"
    raise Rejected(code, f"the rule is {code} and stays so", hint=Hint("rule", "show", STREAM) + " says why")


def _say_why(reason: str | None, verb: str, what: str) -> None:
    if not (reason and reason.strip()):
        raise Rejected("no_reason", f"{what}, say why", hint=Hint("rule", verb, STREAM, reason=Blank()))


def _canary(
    rule: Rule, *, position: int, settings: Settings, share: float | None = None, reason: str | None = None
) -> RuleCanaried:
    needed = settings.rule_shadow_runs
    why = f"{rule.shadow_runs} of {needed} runs watched from the shadow"
    return RuleCanaried(
        share=settings.rule_canary_share if share is None else share,
        round=rule.round + 1,
        receipt=step_receipt("canary", rule.shadow_runs, needed, why, position=position, settings=settings),
        reason=reason,
    )


def _harmed(rule: Rule, position: int, settings: Settings) -> list[Event]:
    promoted = rule.mode is Mode.FULL
    verdict = judge(rule.trial, promoted=promoted, round=rule.round, settings=settings)
    if verdict.cause is None:
        return []
    return [_back(rule, verdict.cause, position=position, settings=settings)]


def _back(rule: Rule, cause: str, *, position: int, settings: Settings, reason: str | None = None) -> RuleRolledBack:
    promoted = rule.mode is Mode.FULL
    verdict = judge(rule.trial, promoted=promoted, round=rule.round, settings=settings)
    return RuleRolledBack(
        mode=Mode.CANARY if promoted else Mode.SHADOW,
        cause=cause,
        receipt=receipt_of(verdict, position=position, settings=settings),
        reason=reason,
    )


def _exceeds(one: Decimal | float | None, others: tuple[float, ...], most: float) -> bool | None:
    return None if one is None or not others else float(one) > others[-1] * most
