"""Goals: create them, move them through their life, ask where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, TypedDict, Unpack

from pydantic import ValidationError

from goal_ledger.domain.base import Event, Recorded, Unreadable, invalid, operation, operation_of
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals import maintenance
from goal_ledger.domain.goals.contract import CatchUp, Contract, Origin, Overlap, is_overdue, typed_changes
from goal_ledger.domain.goals.criteria import Criterion, numbered
from goal_ledger.domain.goals.goal import GOAL, ChildAdded, Goal, RunDispatched, RunEnqueued
from goal_ledger.domain.goals.key_result import progress_of_goal
from goal_ledger.domain.goals.lifecycle import FINISHED, ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.similar import Candidate, nearest
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.pages import Cursor, Page, cursor, page_of
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals import conditions
from goal_ledger.ledger.goals.loops import wait_for_answer
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions

P = ParamSpec("P")

GoalSort = Literal["priority", "newest", "updated"]
"""Orders of a list: the most urgent first, the one that began last, the one that changed last."""

_ORDERS: dict[GoalSort, tuple[tuple[str, ...], bool]] = {
    "priority": (("priority", "goal_id"), False),
    "newest": (("goal_id",), True),
    "updated": (("position",), True),
}
_OPEN = tuple(status for status in GoalStatus if status not in FINISHED)
_SEARCHED = 1000  # goals looked at in one go when titles are searched


class ContractFields(TypedDict, total=False):
    """The fields of `Contract` beside the title, as a caller gives them: for type checkers, which cannot derive it."""

    description: str
    goal_type: GoalType | str
    category: str | None
    task_category: str | None
    parent_goal_id: str | None
    owner_agent: str | None
    priority: int
    criteria: Sequence[Criterion | Mapping[str, Any] | str]
    failure_conditions: Sequence[str]
    constraints: Sequence[str]
    review_cadence: str | None
    start_condition: str | None
    stop_condition: str | None
    time_horizon: str
    dependencies: Sequence[str]
    allowed_capabilities: Sequence[str]
    learning_required: bool
    value: float | None
    effort: float | None
    risk: float | None
    horizon_min_minutes: int | None
    horizon_max_minutes: int | None
    aligns_with: Sequence[str]
    contradicts: Sequence[str]
    metadata: dict[str, Any]
    baseline: float | None
    target: float | None
    unit: str | None
    watch: str | None
    arms: Sequence[str]
    overlap: Overlap | str
    max_attempts: int | None
    budget_usd: Decimal | str | float | int | None
    resume_if_checkpointed: bool
    catch_up: CatchUp | str


class Amendment(ContractFields, total=False):
    title: str


class GoalNode(NamedTuple):
    """A goal and what stands under it. progress: 0.0 to 1.0, see `Goals.progress`. flags: see `Goals.flags`."""

    goal: GoalRow
    progress: float
    flags: Sequence[str]
    children: Sequence[GoalNode]


class SimilarGoal(NamedTuple):
    """A goal whose title is like a text. score: 0.0, nothing in common, to 1.0, the same; see `domain.similar`."""

    goal_id: str
    title: str
    status: GoalStatus
    score: float


class Goals(Rows[GoalRow]):
    """The goals of a ledger. Every method that writes returns the goal as it then stands."""

    kind = Kind(goal_definitions, "goal_", "goal")

    # --- Writing

    @operation("goal.create")
    def create(
        self, title: str, *, origin: Origin | None = None, reason: str | None = None, **fields: Unpack[ContractFields]
    ) -> GoalRow:
        """Start a goal; see `Contract` for the fields. A criterion may be plain text.

        Rejected: no_title, deadline_passed, wrong_parent, too_many_key_results, no_target. NotFound: unknown_goal,
        unknown_run. Invalid: invalid_value, bad_cadence, bad_condition, bad_time.
        """
        contract = contract_of({"title": title, **fields})
        origin = origin or Origin()

        def work(tx: Tx) -> None:
            most = self._engine.settings.max_key_results
            create_in(tx, tx.new_id("goal_"), contract, origin, max_key_results=most, reason=reason)

        recorded = self._engine.transact(
            work, operation="goal.create", arguments={"contract": contract, "origin": origin, "reason": reason}
        )
        return self._answer(recorded[0].stream, recorded)

    @operation("goal.amend")
    def amend(self, goal_id: str, *, reason: str | None = None, **changes: Unpack[Amendment]) -> GoalRow:
        """Change fields of the contract; what already holds is not written.

        Rejected: archived, cycle, fixed_field, and what `create` refuses. Invalid: unknown_field, invalid_value.
        """
        given: dict[str, Any] = {**changes}
        if "criteria" in given:
            given["criteria"] = numbered(given["criteria"])
        given = typed_changes(given)
        _check_cadence(given.get("review_cadence"))
        conditions.check(given)

        def work(tx: Tx) -> None:
            goal = self._known(tx, goal_id)
            parent_id = given.get("parent_goal_id")
            tx.act(
                goal_id,
                GOAL,
                rules.amend,
                goal_id=goal_id,
                changes=given,
                now=tx.now,
                dependencies=_load_all(tx, given.get("dependencies") or ()),
                depends_on=lambda other: tx.load(other, GOAL).dependencies,
                parent_of=lambda other: tx.load(other, GOAL).contract.get("parent_goal_id"),
                reason=reason,
                **_family(tx, parent_id, self._engine.settings.max_key_results),
            )
            conditions.check_named(tx, given)
            if parent_id is not None and parent_id != goal.contract.get("parent_goal_id"):
                tx.act(parent_id, GOAL, rules.adopt, goal_id=goal_id, goal_type=goal.goal_type)

        recorded = self._engine.transact(
            work, operation="goal.amend", arguments={"goal_id": goal_id, "changes": given, "reason": reason}
        )
        return self._answer(goal_id, recorded)

    @operation("goal.approve")
    def approve(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Let a proposed goal start; its dependencies must be done."""
        return self._move_when_free(goal_id, rules.approve, reason)

    def reject(self, goal_id: str, *, reason: str | None) -> GoalRow:
        """Turn a proposed goal down."""
        return self._move(goal_id, rules.reject, reason=reason)

    @operation("goal.ready")
    def ready(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Release a planned goal for work; its dependencies must be done, and its start condition hold."""
        return self._move_when_free(goal_id, rules.ready, reason, before=conditions.check_start)

    @operation("goal.activate")
    def activate(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Start, or take up again what was waiting; its dependencies must be done."""
        return self._move_when_free(goal_id, rules.activate, reason)

    @operation("goal.wait")
    def wait(
        self,
        goal_id: str,
        *,
        question: str | None = None,
        due_at: datetime | str | None = None,
        reason: str | None = None,
    ) -> GoalRow:
        """Pause until something arrives.

        question: what must be answered: an open loop, whose answer takes the goal up again. due_at: until when.

        Rejected: not_allowed, no_question. Invalid: bad_time, naive_time.
        """
        if question is None:
            return self._move(goal_id, rules.wait, reason=reason)
        asked, arguments = question, {"goal_id": goal_id, "question": question, "due_at": due_at, "reason": reason}

        def work(tx: Tx) -> None:
            wait_for_answer(tx, goal_id, asked, due_at=due_at, reason=reason)

        return self._answer(goal_id, self._engine.transact(work, operation="goal.wait", arguments=arguments))

    def retry(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Try again after waiting."""
        return self._move(goal_id, rules.retry, reason=reason)

    def block(self, goal_id: str, *, reason: str | None) -> GoalRow:
        """Say that something stands in the way."""
        return self._move(goal_id, rules.block, reason=reason)

    def unblock(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Say that the way is free again."""
        return self._move(goal_id, rules.unblock, reason=reason)

    def checkpoint(self, goal_id: str, *, checkpoint_ref: str | None = None, reason: str | None = None) -> GoalRow:
        """Lay the goal down so that it can be resumed."""
        return self._move(goal_id, rules.checkpoint, checkpoint_ref=checkpoint_ref, reason=reason)

    def resume(self, goal_id: str, *, reason: str | None = None) -> GoalRow:
        """Go on from the checkpoint, or after waiting."""
        return self._move(goal_id, rules.resume, reason=reason)

    def complete(
        self, goal_id: str, *, evidence: str | None = None, caveats: str | None = None, reason: str | None = None
    ) -> GoalRow:
        """Say that the goal is reached; with caveats when it is not quite.

        Of a maintenance goal, its oldest open occurrence is done, and the goal stays active. Rejected: no_occurrence.
        """
        return self._move(goal_id, maintenance.complete, evidence=evidence, caveats=caveats, reason=reason)

    def fail(self, goal_id: str, *, reason: str | None) -> GoalRow:
        """Give the goal up as failed."""
        return self._move(goal_id, rules.fail, reason=reason)

    def archive(self, goal_id: str, *, cause: ArchiveCause | None = None, reason: str | None = None) -> GoalRow:
        """Put the goal away for good."""
        return self._move(goal_id, rules.archive, cause=cause, reason=reason)

    # --- Reading

    def list(
        self,
        *,
        status: GoalStatus | Iterable[GoalStatus] | None = None,
        goal_type: GoalType | None = None,
        owner_agent: str | None = None,
        source: str | None = None,
        parent_goal_id: str | None = None,
        priority: int | Iterable[int] | None = None,
        search: str | None = None,
        sort: GoalSort = "priority",
        reverse: bool = False,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[GoalRow]:
        """Goals by priority, then age, unless `sort` says otherwise.

        search: a part of the title, in any case. after: where the page before ended, in the same order.
        """
        wanted = {
            "status": status if status is None or isinstance(status, str) else tuple(status),
            "goal_type": goal_type,
            "owner_agent": owner_agent,
            "source": source,
            "parent_goal_id": parent_goal_id,
            "priority": priority if priority is None or isinstance(priority, int) else tuple(priority),
        }
        where = {column: value for column, value in wanted.items() if value is not None}
        order, newest_first = _ORDERS[sort]
        descending = newest_first != reverse

        def select(after: Cursor | None, most: int | None) -> Sequence[GoalRow]:
            return self._engine.views.select(
                goal_definitions, where, order=order, descending=descending, after=after, limit=most
            )

        def ask(most: int | None) -> Sequence[GoalRow]:
            return select(after, most) if search is None else _found(search, select, order, after, most)

        return page_of(ask, order=order, limit=limit, formerly="goals")

    def similar(self, text_or_id: str, *, limit: int = 5, closed: bool = False) -> Sequence[SimilarGoal]:
        """The open goals whose titles are most like a text or another goal's title, for a person to confirm.

        text_or_id: one word that begins with `goal_` is an id; that goal is left out. closed: those that are over too.

        Invalid: no_text, bad_limit. NotFound: unknown_goal.
        """
        if limit < 1:
            raise Invalid("bad_limit", f"a list of {limit} holds nothing; the least is 1")
        text, own_id = text_or_id.strip(), None
        if not text:
            raise Invalid("no_text", "there is nothing to compare with", hint="give a text or the id of a goal")
        if text.startswith("goal_") and len(text.split()) == 1:
            own_id, text = text, self.get(text).title
        columns, where = ("goal_id", "title", "status"), {} if closed else {"status": _OPEN}
        rows = self._engine.views.select_columns(goal_definitions, columns, where, order=("goal_id",))
        others = {goal_id: (title, status) for goal_id, title, status in rows if goal_id != own_id}
        candidates = [Candidate(goal_id, title) for goal_id, (title, _) in others.items()]
        return [SimilarGoal(near.id, *others[near.id], near.score) for near in nearest(text, candidates, limit=limit)]

    def tree(self, goal_id: str | None = None) -> Sequence[GoalNode]:
        """A goal with everything under it, or all goals that stand under none."""
        if goal_id is not None:
            top = self.get(goal_id)
            return [self._node(top, self._children_of, measured=self._is_measured(top))]
        rows = self.list().rows
        children: dict[str | None, list[GoalRow]] = {}
        known = {row.goal_id for row in rows}
        for row in rows:  # as of then, a parent may not have been there yet
            children.setdefault(row.parent_goal_id if row.parent_goal_id in known else None, []).append(row)
        return [self._node(row, lambda parent: children.get(parent, [])) for row in children.get(None, [])]

    def progress(self, goal: GoalRow) -> float:
        """How far a goal is, 0.0 to 1.0.

        A key result goes by its last value, an objective is the mean of its key results, any other goal the share of
        its children that are completed, or its own completion when it has none.
        """
        placed = [
            recorded.event.goal_id
            for recorded in self._engine.stream(goal.goal_id)
            if isinstance(recorded, Recorded) and isinstance(recorded.event, ChildAdded)
        ]
        rows = [self._engine.fold(goal_definitions, child) for child in dict.fromkeys(placed)]
        return _progress(goal, [row for row in rows if row is not None and row.parent_goal_id == goal.goal_id])

    def flags(self, goal: GoalRow) -> Sequence[str]:
        """What is unusual about a goal: `no_key_result`, an initiative that stands under no key result; `no_target`."""
        return _flags(goal, measured=self._is_measured(goal))

    def timeline(self, goal_id: str) -> Sequence[Recorded | Unreadable]:
        """The goal's events and those of its runs, in order. NotFound: unknown_goal."""
        own = self._engine.stream(require_id("goal_", goal_id))
        if not own:
            raise Goals.kind.unknown(goal_id)
        runs = [
            recorded.event.run_id
            for recorded in own
            if isinstance(recorded, Recorded) and isinstance(recorded.event, RunDispatched | RunEnqueued)
        ]
        return self._engine.stream(goal_id, *dict.fromkeys(runs)) if runs else own

    def blocked_by(self, goal: GoalRow) -> Sequence[str]:
        """The dependencies that are not done."""
        rows = {other: self._engine.fold(goal_definitions, other) for other in goal.dependencies}
        return [other for other, row in rows.items() if row is None or not row.done]

    def is_overdue(self, goal: GoalRow) -> bool:
        """Whether the deadline passed before it was started."""
        return is_overdue(goal.status, goal.time_horizon, utc_text(self._engine.now()))

    def acting(self, goal: GoalRow) -> Sequence[str]:
        """Its conditions that are understood, so that they act, as `field: text`; the others are for people."""
        return conditions.acting(goal._asdict())

    # --- Shared

    def _move(
        self,
        goal_id: str,
        decide: Callable[Concatenate[Goal, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> GoalRow:
        return self._answer(goal_id, self._engine.act(require_id("goal_", goal_id), GOAL, decide, *args, **wish))

    def _move_when_free(
        self,
        goal_id: str,
        decide: Callable[..., Sequence[Event]],
        reason: str | None,
        *,
        before: Callable[[Tx, str], None] = lambda _tx, _goal_id: None,
    ) -> GoalRow:
        """Move a goal by a decision that looks at its dependencies. before: what may refuse it."""

        def work(tx: Tx) -> None:
            dependencies = _load_all(tx, self._known(tx, goal_id).dependencies)
            before(tx, goal_id)
            tx.act(goal_id, GOAL, decide, dependencies=dependencies, reason=reason)

        arguments = {"goal_id": goal_id, "reason": reason}
        recorded = self._engine.transact(work, operation=operation_of(GOAL, decide), arguments=arguments)
        return self._answer(goal_id, recorded)

    def _known(self, tx: Tx, goal_id: str) -> Goal:
        goal = tx.load(require_id("goal_", goal_id), GOAL)
        rules.existing(goal)
        return goal

    def _children_of(self, goal_id: str) -> Sequence[GoalRow]:
        return self.list(parent_goal_id=goal_id).rows

    def _node(
        self, goal: GoalRow, children_of: Callable[[str], Sequence[GoalRow]], *, measured: bool = False
    ) -> GoalNode:
        """The goal with everything under it. measured: whether a key result stands above it."""
        below = children_of(goal.goal_id)
        measures = measured or goal.goal_type is GoalType.KEY_RESULT
        children = [self._node(child, children_of, measured=measures) for child in below]
        return GoalNode(goal, _progress(goal, below), _flags(goal, measured=measured), children)

    def _is_measured(self, goal: GoalRow) -> bool:
        """Whether a key result stands above it."""
        above = goal.parent_goal_id
        while above is not None and (row := self._engine.fold(goal_definitions, above)) is not None:
            if row.goal_type is GoalType.KEY_RESULT:
                return True
            above = row.parent_goal_id
        return False


def _progress(goal: GoalRow, children: Iterable[GoalRow]) -> float:
    parts = [(child.goal_type, child.progress or 0.0, child.status, child.done) for child in children]
    return progress_of_goal(goal.goal_type, goal.progress, done=goal.done, children=parts)


def _flags(goal: GoalRow, *, measured: bool) -> list[str]:
    if goal.status in (GoalStatus.ARCHIVED, GoalStatus.REJECTED):
        return []
    unmeasured = goal.goal_type is GoalType.INITIATIVE and not measured
    untargeted = goal.goal_type is GoalType.KEY_RESULT and goal.target is None
    return [name for name, raised in (("no_key_result", unmeasured), ("no_target", untargeted)) if raised]


def _found(
    words: str,
    select: Callable[[Cursor | None, int], Sequence[GoalRow]],
    order: Sequence[str],
    after: Cursor | None,
    most: int | None,
) -> Sequence[GoalRow]:
    """The first goals whose titles hold the words; databases disagree about case beyond ASCII."""
    rows: list[GoalRow] = []
    while most is None or len(rows) < most:
        looked_at = select(after, _SEARCHED)
        rows += [row for row in looked_at if words.casefold() in row.title.casefold()]
        if len(looked_at) < _SEARCHED:
            break
        after = cursor(looked_at[-1], order)
    return rows[:most]


def contract_of(fields: Mapping[str, Any]) -> Contract:
    """The contract that the fields describe. Invalid: invalid_value, unknown_field, bad_cadence."""
    try:
        contract = Contract.model_validate({**fields, "criteria": numbered(fields.get("criteria", ()))})
    except ValidationError as error:
        raise invalid(error) from None
    _check_cadence(contract.review_cadence)
    conditions.check(dict(contract))
    return contract


def create_in(
    tx: Tx,
    goal_id: str,
    contract: Contract,
    origin: Origin,
    *,
    max_key_results: int = Settings().max_key_results,
    reason: str | None = None,
) -> None:
    """Create a goal inside a transaction, and note it on its parent."""
    tx.act(
        goal_id,
        GOAL,
        rules.create,
        goal_id=goal_id,
        contract=contract,
        origin=origin,
        now=tx.now,
        dependencies=_load_all(tx, contract.dependencies),
        reason=reason,
        **_family(tx, contract.parent_goal_id, max_key_results),
    )
    conditions.check_named(tx, dict(contract))
    if contract.parent_goal_id is not None:
        tx.act(contract.parent_goal_id, GOAL, rules.adopt, goal_id=goal_id, goal_type=contract.goal_type)


def _check_cadence(cadence: str | None) -> None:
    if cadence is not None:
        from goal_ledger.ledger.goals.cadence import check_cadence  # time zones are slow to import

        check_cadence(cadence)


def _family(tx: Tx, parent_id: str | None, max_key_results: int) -> dict[str, Any]:
    if parent_id is None:
        return {}
    parent = tx.load(parent_id, GOAL)
    return {
        "parent": parent,
        "key_results": [tx.load(key_result, GOAL) for key_result in parent.key_results],
        "max_key_results": max_key_results,
    }


def _load_all(tx: Tx, goal_ids: Iterable[str]) -> dict[str, Goal]:
    return {goal_id: tx.load(goal_id, GOAL) for goal_id in goal_ids}
