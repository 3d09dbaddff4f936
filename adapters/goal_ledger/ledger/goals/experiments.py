"""Experiments: record what their arms gave, and ask who wins."""

from __future__ import annotations

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.goals import experiment as rules
from goal_ledger.domain.goals.experiment import Report
from goal_ledger.domain.goals.goal import GOAL, Goal
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import Goals


class Experiments:
    """The experiments of a ledger. Both methods answer with how the experiment then stands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @operation("experiment.record")
    def record(
        self, goal_id: str, arm: str, *, success: bool, run_id: str | None = None, reason: str | None = None
    ) -> Report:
        """Note the result of an arm. run_id: the run that gave it, which counts once.

        Rejected: not_an_experiment, archived, unknown_arm, already_counted. NotFound: unknown_goal, unknown_run.
        """

        stood: list[Goal] = []

        def work(tx: Tx) -> None:
            if run_id is not None:
                run_rules.existing(tx.load(require_id("grun_", run_id), RUN))
            tx.act(
                require_id("goal_", goal_id), GOAL, rules.record, arm=arm, success=success, run_id=run_id, reason=reason
            )
            stood.append(tx.load(goal_id, GOAL))

        wish = {"goal_id": goal_id, "arm": arm, "success": success, "run_id": run_id, "reason": reason}
        self._engine.transact(work, operation="experiment.record", arguments=wish)
        return self._report(stood[-1]) if stood else self.report(goal_id)  # a repeated command does not run again

    def report(self, goal_id: str) -> Report:
        """How each arm did, and which one wins, at the setting `experiment_alpha`.

        Rejected: not_an_experiment. NotFound: unknown_goal.
        """
        Goals(self._engine).get(goal_id)
        goal = GOAL.initial
        for recorded in self._engine.stream(goal_id):
            if isinstance(recorded, Recorded):
                goal = GOAL.evolve(goal, recorded.event)
        rules.require_experiment(goal)
        return self._report(goal)

    def _report(self, goal: Goal) -> Report:
        counts = rules.tally(goal.results, goal.contract["arms"])
        return rules.report(counts, alpha=self._engine.settings.experiment_alpha)
