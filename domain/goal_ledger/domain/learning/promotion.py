"""When a rule is put in force and when it is taken back: the policy `promotion@1`.

Runs that were told the rule (treatment) are compared with runs from which it was kept (control). The evidence is
weighed with e-values (see `evidence`), so that looking after every run makes no error more likely.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from goal_ledger.domain.learning.evidence import Counts, against_half, against_no_harm, against_worse
from goal_ledger.domain.policies import Receipt, Scored, ranked, receipt
from goal_ledger.domain.sample_size import further
from goal_ledger.domain.settings import Settings

POLICY = "promotion@1"
_MOST = 10**9  # further runs beyond which an estimate says nothing
FIRST_MARK = 100
"""Runs of a rule in force after which its wins are noted; then after twice as many, and so on."""


class Choice(StrEnum):
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    WAIT = "wait"


class Cause(StrEnum):
    """What got worse."""

    SUCCESS = "success"
    COST = "cost"
    DURATION = "duration"
    BUSINESS_OUTCOME = "business_outcome"


class Trial(NamedTuple):
    """What a round has shown so far.

    treatment, control: runs of the canary, and how many were won. full: runs since the rule is in force;
    full_marks: how many were won of the first 100, 200, 400 of them, and so on. costs, durations: pairs of a treatment
    and a control run, and in how many the treatment was worse. treatment_values, control_values: runs whose business
    outcome is known, and how many did not make things worse.
    """

    treatment: Counts = Counts()
    control: Counts = Counts()
    full: Counts = Counts()
    full_marks: tuple[int, ...] = ()
    costs: Counts = Counts()
    durations: Counts = Counts()
    treatment_values: Counts = Counts()
    control_values: Counts = Counts()

    @property
    def validated(self) -> float:
        """Runs of the canary that were told the rule and won."""
        return self.treatment.successes

    def in_force(self, success: bool) -> "Trial":
        """One more run since the rule is in force."""
        full = self.full.plus(success)
        if full.n < _mark(len(self.full_marks)):
            return self._replace(full=full)
        return self._replace(full=full, full_marks=(*self.full_marks, int(full.successes)))


class Question(NamedTuple):
    """One question to the counts. reached, needed: natural logarithms of the e-value; it says yes at needed."""

    name: str
    counts: str
    reached: float
    needed: float

    @property
    def says_yes(self) -> bool:
        return self.reached >= self.needed

    @property
    def score(self) -> float:
        """How far it got: 1.0 says yes. Rounded, so that it is the same on every machine."""
        return round(self.reached / self.needed, 6)

    @property
    def why(self) -> str:
        return f"{self.name}: {self.counts}; e-value {_number(self.reached)} of {_number(self.needed)} needed"


class Verdict(NamedTuple):
    """What the counts say. cause: what got worse, when it is to be rolled back. questions: that of promotion first,
    while it is open.
    """

    choice: Choice
    cause: Cause | None
    questions: Sequence[Question]


def judge(trial: Trial, *, promoted: bool, round: int, settings: Settings) -> Verdict:
    """What follows from the counts of a round.

    A kind of error (a wrong promotion, a wrong rollback) happens with probability `rule_alpha` at the most, over all
    rounds and looks: round r has rule_alpha / (r·(r + 1)) of it. Of that, success has a quarter to roll back the canary
    and a quarter to roll back the rule in force; cost, duration and business outcome have a sixth each.

    A rule in force is compared over all its runs, with half of that quarter, and over those since each mark, with
    1 / (j·(j + 1)) of the other half for mark j: a rule that was good for long does not hide behind that.

    promoted: whether the rule is in force. round: from 1.
    """
    alpha = _alpha(round, settings)
    harms = {
        Cause.SUCCESS: _harm_in_force(trial, alpha / 4)
        if promoted
        else _harm(Cause.SUCCESS, trial.treatment, trial.control, alpha / 4),
        Cause.COST: _pairs(Cause.COST, trial.costs, alpha / 6),
        Cause.DURATION: _pairs(Cause.DURATION, trial.durations, alpha / 6),
        Cause.BUSINESS_OUTCOME: _harm(
            Cause.BUSINESS_OUTCOME, trial.treatment_values, trial.control_values, alpha / 6, "not degraded"
        ),
    }
    questions = list(harms.values())
    if not promoted:
        questions.insert(0, _promotion(trial, settings.rule_margin, alpha))
    cause = next((cause for cause, question in harms.items() if question.says_yes), None)
    if cause is not None:
        return Verdict(Choice.ROLL_BACK, cause, questions)
    if not promoted and questions[0].says_yes and trial.validated >= settings.rule_validated_runs:
        return Verdict(Choice.PROMOTE, None, questions)
    return Verdict(Choice.WAIT, None, questions)


def missing(
    trial: Trial, verdict: Verdict, *, promoted: bool, round: int, share: float, settings: Settings
) -> int | None:
    """About how many more runs would settle whether the rule helps or harms, if the rates of success stay as they are.

    0 when that is settled; None when nothing can be said, or no number of runs would settle it.
    """
    if verdict.choice is not Choice.WAIT:
        return 0
    alpha = _alpha(round, settings)
    told = trial.full if promoted else trial.treatment
    if not told.n or not trial.control.n:
        return None

    def harms(more: int) -> bool:
        return any(
            window.told.n and against_no_harm(window.told.projected(more), trial.control) >= _needed(window.alpha)
            for window in _windows(trial, alpha / 4)
        )

    def settles(more: int) -> bool:
        treatment, control = told.projected(more * share), trial.control.projected(more * (1 - share))
        helps = against_worse(treatment, control, settings.rule_margin) >= _needed(alpha)
        if helps and treatment.successes >= settings.rule_validated_runs:
            return True
        return against_no_harm(treatment, control) >= _needed(alpha / 4)

    return further(harms if promoted else settles, most=_MOST)


def is_regression(trial: Trial, margin: float) -> bool:
    """Whether the canary shows fewer wins with the rule than without it, by the margin or more; plain rates."""
    told, kept = trial.treatment.rate, trial.control.rate
    return told is not None and kept is not None and told < kept - margin


def receipt_of(verdict: Verdict, *, position: int, settings: Settings) -> Receipt:
    """What the counts said when a step was taken: how far each choice got; 1.0 suffices, and a rollback goes first.

    chosen: what the policy would do; a person may have gone ahead of it, and then the event has a reason.
    """
    choices = [
        Scored(
            question.name if question.name == Choice.PROMOTE else f"{Choice.ROLL_BACK}:{question.name}",
            question.score,
            question.why,
        )
        for question in verdict.questions
    ]
    choices.append(Scored(Choice.WAIT, 1.0, "until another choice has the evidence that it needs"))
    choices.sort(key=lambda one: -one.score)
    chosen = verdict.choice if verdict.cause is None else f"{verdict.choice}:{verdict.cause}"
    return receipt(POLICY, ranked(choices), chosen, position=position, settings=settings_used(settings))


def step_receipt(step: str, reached: float, needed: float, why: str, *, position: int, settings: Settings) -> Receipt:
    """The receipt of a step that asks for so much of one thing."""
    only = [Scored(step, round(reached / needed, 6) if needed else 1.0, why)]
    return receipt(POLICY, ranked(only), step, position=position, settings=settings_used(settings))


def settings_used(settings: Settings) -> Mapping[str, Any]:
    """The settings that the policy goes by."""
    return {name: getattr(settings, name) for name in Settings.model_fields if name.startswith("rule_")}


# --- The questions


def _promotion(trial: Trial, margin: float, alpha: float) -> Question:
    counts = f"{_share(trial.treatment)} won with it, {_share(trial.control)} without"
    return Question(Choice.PROMOTE, counts, against_worse(trial.treatment, trial.control, margin), _needed(alpha))


def _harm(cause: Cause, treatment: Counts, control: Counts, alpha: float, what: str = "won") -> Question:
    counts = f"{_share(treatment)} {what} with it, {_share(control)} without"
    return Question(cause, counts, against_no_harm(treatment, control), _needed(alpha))


class _Window(NamedTuple):
    """Runs since a rule is in force, from the first one or from a mark, and what their comparison may err."""

    told: Counts
    alpha: float
    words: str = ""


def _windows(trial: Trial, alpha: float) -> list[_Window]:
    marks = [Counts(_mark(number), won) for number, won in enumerate(trial.full_marks)]
    return [
        _Window(trial.full, alpha / 2),
        *(
            _Window(trial.full.since(mark), alpha / 2 / (number * (number + 1)), f" since run {mark.n:g}")
            for number, mark in enumerate(marks, 1)
        ),
    ]


def _harm_in_force(trial: Trial, alpha: float) -> Question:
    asked = [
        _harm(Cause.SUCCESS, window.told, trial.control, window.alpha, f"won{window.words}")
        for window in _windows(trial, alpha)
    ]
    return max(asked, key=lambda question: question.reached - question.needed)


def _pairs(cause: Cause, pairs: Counts, alpha: float) -> Question:
    return Question(cause, f"worse in {_share(pairs)} pairs", against_half(pairs), _needed(alpha))


def _mark(number: int) -> int:
    return FIRST_MARK << number


def _alpha(round: int, settings: Settings) -> float:
    return settings.rule_alpha / (round * (round + 1))


def _needed(alpha: float) -> float:
    return -math.log(alpha)


def _share(counts: Counts) -> str:
    return f"{counts.successes:g} of {counts.n:g}"


def _number(log: float) -> str:
    return f"{math.exp(log):.4g}" if log < 30 else f"10^{log / math.log(10):.1f}"
