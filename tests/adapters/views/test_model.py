"""Whatever is done to goals and runs, and whatever happens to their ledger, it says what a plain dict says."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from goal_ledger.adapters.store.codec import envelope
from goal_ledger.adapters.views.shelf import Role
from goal_ledger.domain.goals.goal import GoalAmended
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, RunStatus, VerifierStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger import Ledger, LedgerError, Settings
from goal_ledger.projections.registry import PROJECTIONS
from tests.domain.goals.test_lifecycle import VERBS as GOAL_VERBS
from tests.domain.runs.test_run import VERBS as RUN_VERBS
from tests.tools import START, Clock, examples, recorded, tables

WISHES: dict[str, dict[str, Any]] = {
    "reject": {"reason": "moot"},
    "block": {"reason": "no key"},
    "fail": {"reason": "no space"},
    "complete --caveats": {"caveats": "one disk"},
    "archive": {"cause": ArchiveCause.STOPPED},
}
RUN_STATUS_AFTER = {
    "checkpoint": RunStatus.CHECKPOINTED,
    "resume": RunStatus.RUNNING,
    "interrupt": RunStatus.INTERRUPTED,
    "finish": RunStatus.FINISHED,
}


class Interrupted(Exception):
    """What ends a rebuild in the middle."""


def _as_it_was_named(data: dict[str, Any]) -> dict[str, Any]:
    """An upcast that the code of this test has, for bytes that older code would have written."""
    return {"changes": data["altered"], "was": data["before"]}


class Histories(RuleBasedStateMachine):
    """Commands at random on a few goals and runs of one ledger, beside dicts that know the rules of the design."""

    @initialize(page=st.sampled_from([1, 2, 3, 5_000]), cache=st.sampled_from([0, 1, 10_000]))
    def open(self, page: int, cache: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.db"
        self.options: dict[str, Any] = {
            "actor": "test:model",
            "clock": Clock(),
            "settings": Settings(durable=False, page=page, state_cache=cache),
        }
        GoalAmended.schema_version = 2
        GoalAmended.upcast_v1 = staticmethod(_as_it_was_named)  # type: ignore[attr-defined]
        self.left_open: list[Ledger] = []
        self.ledger = Ledger.open(self.path, **self.options)
        self.goals: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            for ledger in (self.ledger, *self.left_open):
                ledger.close()
            self.folder.cleanup()
            GoalAmended.schema_version = 1
            del GoalAmended.upcast_v1  # type: ignore[attr-defined]

    def attempt(self, ask: Any, *arguments: Any, **wish: Any) -> Any:
        """The answer, or the code of the refusal; a refusal writes nothing."""
        before = self.ledger.log.stats().events
        try:
            return ask(*arguments, **wish)
        except LedgerError as error:
            assert self.ledger.log.stats().events == before
            return error.code

    @precondition(lambda self: len(self.goals) < 4)
    @rule(title=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
    def create(self, title: str) -> None:
        made = self.attempt(self.ledger.goals.create, title)
        if not title.strip():
            assert made == "no_title"
            return
        expected = {"status": GoalStatus.PLANNED, "title": title, "priority": 3, "attempts": 0}
        self.goals[made.goal_id] = expected

    @precondition(lambda self: self.goals)
    @rule(pick=st.integers(0, 3), priority=st.integers(0, 6))
    def amend(self, pick: int, priority: int) -> None:
        goal_id, known = self.picked(self.goals, pick)
        answer = self.attempt(self.ledger.goals.amend, goal_id, priority=priority)
        if not 1 <= priority <= 5:
            assert answer == "invalid_value"
        elif known["status"] is GoalStatus.ARCHIVED:
            assert answer == "archived"
        else:
            known["priority"] = priority
            assert answer.priority == priority

    @precondition(lambda self: self.goals)
    @rule(pick=st.integers(0, 3), verb=st.sampled_from(sorted(GOAL_VERBS)))
    def move(self, pick: int, verb: str) -> None:
        goal_id, known = self.picked(self.goals, pick)
        _, event, _, sources = GOAL_VERBS[verb]
        answer = self.attempt(getattr(self.ledger.goals, verb.split()[0]), goal_id, **WISHES.get(verb, {}))
        if known["status"] in sources or known["status"] is event.to_status:
            known["status"] = event.to_status
            assert answer.status is event.to_status
        else:
            assert answer == "not_allowed"

    @precondition(lambda self: self.goals)
    @rule(pick=st.integers(0, 3), overlap=st.booleans())
    def start(self, pick: int, overlap: bool) -> None:
        goal_id, known = self.picked(self.goals, pick)
        answer = self.attempt(self.ledger.runs.start, goal_id, overlap=overlap)
        is_open = any(
            run["goal_id"] == goal_id and run["status"] in (RunStatus.RUNNING, RunStatus.CHECKPOINTED)
            for run in self.runs.values()
        )
        if known["status"] not in (GoalStatus.READY, GoalStatus.ACTIVE):
            assert answer == "not_allowed"
        elif is_open and not overlap:
            assert answer == "run_overlap"
        else:
            known["status"] = GoalStatus.ACTIVE
            known["attempts"] += 1
            self.runs[answer.run_id] = {
                "status": RunStatus.RUNNING, "goal_id": goal_id, "attempt": known["attempts"], "actions_taken": (),
                "tokens_in": None,
            }  # fmt: skip

    @precondition(lambda self: self.runs)
    @rule(pick=st.integers(0, 9), verb=st.sampled_from(sorted(RUN_VERBS)))
    def work(self, pick: int, verb: str) -> None:
        run_id, known = self.picked(self.runs, pick)
        _, wish, _, acts, quiet = RUN_VERBS[verb]
        answer = self.attempt(getattr(self.ledger.runs, verb), run_id, **wish)
        if known["status"] in acts:
            known["status"] = RUN_STATUS_AFTER.get(verb, known["status"])
            known["actions_taken"] += ("copied",) if verb == "act" else ()
            known["tokens_in"] = (known["tokens_in"] or 0) + 5 if verb == "cost" else known["tokens_in"]
        elif known["status"] not in quiet:
            assert answer == "not_allowed"
            return
        assert answer.status is known["status"]

    @precondition(lambda self: self.runs)
    @rule(pick=st.integers(0, 9), category=st.sampled_from(FailureCategory), verdict=st.sampled_from(VerifierStatus))
    def fail_with(self, pick: int, category: FailureCategory, verdict: VerifierStatus) -> None:
        run_id, known = self.picked(self.runs, pick)
        self.attempt(self.ledger.runs.verify, run_id, verdict)
        answer = self.attempt(self.ledger.runs.finish, run_id, LocalOutcome.FAILED, failure_category=category)
        if known["status"] is RunStatus.RUNNING:
            known["status"] = RunStatus.FINISHED
            known["failure_category"] = category
        else:
            assert answer == "not_allowed"
        self.attempt(self.ledger.runs.outcome, run_id, BusinessOutcome.DEGRADED, external_id="5")

    @rule()
    def open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(self.path, **self.options)

    @precondition(lambda self: len(self.left_open) < 3)
    @rule()
    def open_again_while_it_is_open(self) -> None:
        """As after a crash: nobody closed it."""
        self.left_open.append(self.ledger)
        self.ledger = Ledger.open(self.path, **self.options)

    @precondition(lambda self: self.goals)
    @rule(pick=st.integers(0, 3), priority=st.integers(1, 5))
    def amended_by_older_code(self, pick: int, priority: int) -> None:
        goal_id, known = self.picked(self.goals, pick)
        if known["status"] is GoalStatus.ARCHIVED or known["priority"] == priority:
            return
        data = b'{"altered":{"priority":%d},"before":{"priority":%d}}' % (priority, known["priority"])
        shared = envelope(at=utc_text(START), occurred_at=None, by="test:older", command=None, cause=None)
        version = recorded(self.ledger, goal_id)[-1].version + 1
        with self.ledger.core.store.transaction() as log:
            log.append([(log.head() + 1, goal_id, version, "goal.amended", b'{"v":1,%b,"data":%b}' % (shared, data))])
        known["priority"] = priority

    @rule(after=st.integers(0, 3))
    def interrupt_a_rebuild(self, after: int) -> None:
        left = after

        def interrupt(_: int, __: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Interrupted

        with suppress(Interrupted):
            self.ledger.views.rebuilds.rebuild(progress=interrupt)

    @rule()
    def build_beside(self) -> None:
        self.ledger.views.rebuilds.build()

    @rule()
    def swap_back(self) -> None:
        with self.ledger.views.models.reading() as shelf:
            kept = [name for name, each in PROJECTIONS.items() if shelf.place(each, Role.OLD) is not None]
        if kept:
            self.ledger.views.rebuilds.swap_back(kept)

    @rule()
    def compare(self) -> None:
        for name in PROJECTIONS:
            found = self.attempt(self.ledger.views.rebuilds.diff, name)
            assert found == "nothing_built" or found == "nothing_to_compare" or found.is_empty

    @rule()
    def rebuild(self) -> None:
        self.ledger.views.catch_up()
        before = tables(self.path.with_name("a.views.db"))
        self.ledger.views.rebuilds.rebuild()
        assert tables(self.path.with_name("a.views.db")) == before

    @rule()
    def lose_the_views(self) -> None:
        self.ledger.close()
        self.path.with_name("a.views.db").unlink(missing_ok=True)
        self.ledger = Ledger.open(self.path, **self.options)

    def picked(self, known: dict[str, dict[str, Any]], pick: int) -> tuple[str, dict[str, Any]]:
        key = sorted(known)[pick % len(known)]
        return key, known[key]

    @invariant()
    def lists_are_what_was_done(self) -> None:
        if not hasattr(self, "ledger"):
            return
        goals = {row.goal_id: row for row in self.ledger.goals.list().rows}
        runs = {row.run_id: row for row in self.ledger.runs.list().rows}
        for rows, known in ((goals, self.goals), (runs, self.runs)):
            assert {key: {name: getattr(rows[key], name) for name in known[key]} for key in rows} == known
        assert [self.ledger.goals.get(key) for key in goals] == list(goals.values())
        assert [self.ledger.runs.get(key) for key in runs] == list(runs.values())

    @invariant()
    def lists_are_folds_of_the_log(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for projection in PROJECTIONS.values():
            folded: dict[Any, Any] = {}
            for event in recorded(self.ledger):
                if fold := projection.folds.get(type(event.event)):
                    key = event.stream if fold.at is None else fold.at(event, event.event)
                    folded[key] = fold.handler(folded.get(key), event, event.event)
            listed = self.ledger.views.select(projection, order=(projection.key,))
            assert repr(listed) == repr([row for _, row in sorted(folded.items()) if row is not None])

    @invariant()
    def the_log_is_sound(self) -> None:
        if hasattr(self, "ledger"):
            assert self.ledger.log.verify() == len(recorded(self.ledger))


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=examples(12), stateful_step_count=30)
