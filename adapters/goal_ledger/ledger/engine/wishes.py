"""Wishes: what makes one the same when its command id comes again, and the digest that is stored for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from hashlib import sha256
from inspect import Parameter, signature
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from goal_ledger.adapters.store.codec import unstorable
from goal_ledger.domain.base import named


class Wish(NamedTuple):
    """An operation by its stored name, and the caller's own arguments: never generated ids or times."""

    operation: str
    arguments: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """JSON: the operation, and the arguments without those that equal their default.

        Fields of models are left out likewise, so that a new optional argument or field changes nothing.

        Invalid: bad_number, bad_text.
        """
        given = {name: _brief(value) for name, value in _given(self.operation, self.arguments, ())}
        return _json([self.operation, given], str)

    @property
    def digest(self) -> str:
        """What is stored. Errors of `content`."""
        return _hashed(self.content)

    @property
    def first_digest(self) -> str:
        """What version 0.1.0 stored: the operation and all arguments that it knew, with all fields that it knew."""
        return self._in_full(_FIELDS)

    def is_stored_as(self, digest: str) -> bool:
        """Whether a stored digest is that of this wish, in the present form or in one of 0.1.0."""
        return (
            digest == self.digest
            or digest == self.first_digest
            or digest == self._in_full(_FIELDS | _EARLIEST_FIELDS)  # early builds of it
        )

    def _in_full(self, fields: Mapping[str, str]) -> str:
        known = _ARGUMENTS.get(self.operation)
        given = dict(_given(self.operation, self.arguments, self.arguments if known is None else known.split()))
        return _hashed(_json([self.operation, given], partial(_full, fields=fields)))


def _hashed(content: bytes) -> str:
    return sha256(content).hexdigest()[:32]


def _json(value: object, default: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(value, default=default, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise unstorable(error) from None


# --- Defaults


def _given(operation: str, arguments: Mapping[str, Any], kept: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The arguments of an operation that are kept anyway, or differ from their default."""
    defaults: dict[str, Any] = {"args": ()}
    for function in named(operation):  # a module that comes in late may add one
        defaults |= _defaults(function)
    return _differing(arguments.items(), defaults, kept)


def _differing(
    pairs: Iterable[tuple[str, Any]], defaults: Mapping[str, Any], kept: Iterable[str]
) -> Iterator[tuple[str, Any]]:
    always = frozenset(kept)
    for name, value in pairs:
        if name in always or name not in defaults or not _is_same(value, defaults[name]):
            yield name, value


def _is_same(value: Any, other: Any) -> bool:
    """Whether both are the same JSON: 0 is not False, and 1 is not 1.0."""
    return value is other or _json(_brief(value), str) == _json(_brief(other), str)


@cache
def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of a function's parameters."""
    parameters = signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not Parameter.empty}


@cache
def _field_defaults(kind: Any) -> dict[str, Any]:
    """The defaults of a model's or named tuple's fields."""
    if issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}
    found: dict[str, Any] = kind._field_defaults
    return found


def _brief(value: Any) -> Any:
    """JSON without fields that equal their default; what it cannot hold stays for the writer of the JSON."""
    try:
        if isinstance(value, BaseModel):
            pairs = _differing(value.__dict__.items(), _field_defaults(type(value)), ())
            return {name: _brief(item) for name, item in pairs}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            pairs = _differing(zip(value._fields, value, strict=True), _field_defaults(type(value)), ())
            return {name: _brief(item) for name, item in pairs}
        if isinstance(value, Mapping):
            return {key: _brief(item) for key, item in value.items()}
        if isinstance(value, (set, frozenset)):
            return sorted(value)
        if isinstance(value, (list, tuple)):
            return [_brief(item) for item in value]
        return value
    except (TypeError, RecursionError) as error:
        raise unstorable(TypeError(str(error))) from None


# --- The form of 0.1.0, frozen: command ids that are stored with it stay valid


def _full(value: Any, fields: Mapping[str, str]) -> Any:
    if isinstance(value, BaseModel):
        return dict(_differing(value.__dict__.items(), _field_defaults(type(value)), _known_fields(value, fields)))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        pairs = zip(value._fields, value, strict=True)
        return [item for _, item in _differing(pairs, _field_defaults(type(value)), _known_fields(value, fields))]
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def _known_fields(value: Any, fields: Mapping[str, str]) -> Iterable[str]:
    """The fields that were known of one of our types; those of other programs' types are all known."""
    for kind in type(value).__mro__:
        if kind.__name__ in fields and kind.__module__.startswith("goal_ledger.domain."):
            return fields[kind.__name__].split()
    every: Iterable[str] = value.__dict__ if isinstance(value, BaseModel) else value._fields
    return every


_ARGUMENTS = {
    "belief.contradict": "args reason stream",
    "belief.hold": "args reason stream text",
    "belief.retract": "args reason stream",
    "cycle.complete": "args completed stream",
    "experiment.record": "arm goal_id reason run_id success",
    "feed.advance": "args cursor levels outcomes problems records source stream",
    "goal.activate": "args dependencies goal_id reason stream",
    "goal.adopt": "args goal_id goal_type stream",
    "goal.after_bill": "after args before stream",
    "goal.after_failure": "args is_busy now reason run_id settings stream",
    "goal.amend": (
        "args changes dependencies depends_on goal_id key_results max_key_results now parent parent_of reason stream"
    ),
    "goal.approve": "args dependencies goal_id reason stream",
    "goal.archive": "args cause reason stream",
    "goal.block": "args reason stream",
    "goal.checkpoint": "args checkpoint_ref reason stream",
    "goal.clear": "args reason stream",
    "goal.complete": "args caveats dependencies evidence reason stream tasks",
    "goal.complete_by_run": "args run_id stream",
    "goal.complete_occurrence": "args caveats evidence reason run_id stream",
    "goal.create": ("args contract dependencies goal_id key_results max_key_results now origin parent reason stream"),
    "goal.dispatch": "agent args dependencies overlap queued reason receipt run_id running spent stream",
    "goal.dispatch_queued": "agent args attempt dependencies reason receipt run_id running spent stream",
    "goal.enqueue": "args reason run_id stream",
    "goal.fail": "args reason stream task task_id",
    "goal.fall_due": "args due stream",
    "goal.fire": "args incident reason stream",
    "goal.follow": "args standing stream",
    "goal.measure": "args measured_at note reason stream value",
    "goal.ready": "args dependencies goal_id reason stream",
    "goal.record": "args arm reason run_id stream success",
    "goal.record_activity": "activity args attributes reason source_id stream",
    "goal.record_dispatch": "agent args run_id stream",
    "goal.reject": "args reason stream",
    "goal.resume": "args reason stream",
    "goal.retry": "args reason stream",
    "goal.unblock": "args reason stream",
    "goal.wait": "args due_at goal_id question reason stream",
    "history.record": "at duration_seconds error ok reason source task",
    "key_result.record": "at goal_id note reason value",
    "learn": "until",
    "learn.advance": "about",
    "learn.lessons": "about",
    "learn.reviews": "about",
    "learn.rules": "about",
    "lesson.apply": "args given lesson_id reason run_id stream",
    "lesson.confirm": "aar_id args lesson_id reason run_id stream",
    "lesson.contradict": "args lesson_id reason run_id stream",
    "lesson.judge": "args held run_id stream",
    "lesson.learn": "args category confidence evidence lesson_id reason run_id scope stream text",
    "lesson.recall": "args lesson_id reason root stream",
    "lesson.retire": "args lesson_id reason stream",
    "loop.close": "answer args loop_id reason stream",
    "loop.open": "args due_at goal_id holds_goal kind matter question reason run_id stream",
    "monitor.record": "args duration_seconds error ok reason source source_id stream task",
    "project.amend": "args description reason stream",
    "project.record_feature": "args done feature_id reason stream title",
    "project.register": "args description name reason stream",
    "project.report_bug": "args bug_id reason severity stream title",
    "project.resolve_bug": "args bug_id reason stream",
    "proposal.accept": "args auto goal_id receipt stream",
    "proposal.expire": "args reason stream",
    "proposal.make": "args made stream",
    "proposal.propose": "by finding",
    "proposal.reject": "args code receipt stream value",
    "proposals.expire": "",
    "proposals.scan": "dry_run now",
    "review.promote": "aar_id args lesson_ids reason stream",
    "review.reopen": "args reason run_id stream",
    "review.write": "args reason run_id stream written",
    "rule.advance": "args position settings stream",
    "rule.canary": "args position reason rule_id settings share stream",
    "rule.count_overdue": "runs",
    "rule.draft": "args confidence lesson_id lesson_ids position reason scope settings stream text title",
    "rule.promote": "args position reason rule_id settings stream",
    "rule.recall": "args reason root stream",
    "rule.retire": "args reason stream",
    "rule.roll_back": "args position reason rule_id settings stream",
    "rule.try_on": "args arm cost_usd duration_seconds overdue position run_id settings stream success",
    "rule.value": "args arm degraded position run_id settings stream",
    "rule.watch": "args run_id settings stream",
    "run.act": "action action_type allowed args attributes detail ok reason stream",
    "run.checkpoint": "args checkpoint_ref reason stream",
    "run.enqueue": "args queued stream",
    "run.expire_leases": "",
    "run.finish": (
        "args detail duration_seconds failure_category local_outcome metrics_after reason source_outcome stream"
    ),
    "run.heartbeat": "args lease_s note reason silent_s stream",
    "run.interrupt": "args orphaned reason stream successor",
    "run.record_cost": "args cost_usd model reason stream tokens_in tokens_out",
    "run.record_outcome": "args business_outcome detail external_id reason source stream",
    "run.resume": "args reason stream",
    "run.start": "agent args goal_id job_id metrics_before overlap plan_summary reason started stream",
    "run.take_over": "agent lease_s of reason",
    "run.verify": "args detail reason score stream verifier verifier_status",
    "scan.complete": "args completed stream",
    "session.drain": "args reason stream",
    "session.start": "args owner reason report stream",
    "session.stop": (
        "active_goals args blocked_goals checkpointed_runs key_results now open_loops reason stream summary"
    ),
    "tick.conditions": "goal_id version",
    "tick.deadlines": "goal_id time_horizon",
    "work.claim": "agent lease_s reason",
}
"""By operation, the arguments that 0.1.0 digested whatever they were. What is not here was not ours, or is newer."""

_FIELDS = {
    "ArmResult": "arm success run_id",
    "Candidate": "text category",
    "Considered": "id score why",
    "Contract": (
        "title description goal_type category task_category parent_goal_id owner_agent priority criteria "
        "failure_conditions constraints review_cadence start_condition stop_condition time_horizon "
        "dependencies allowed_capabilities learning_required value effort risk horizon_min_minutes "
        "horizon_max_minutes aligns_with contradicts metadata baseline target unit watch arms overlap "
        "max_attempts budget_usd resume_if_checkpointed catch_up"
    ),
    "Criterion": "id text metric op target unit weight required",
    "CycleCompleted": "reason report receipt",
    "Evidence": "run_id aar_id",
    "Finding": (
        "text category pattern subject evidence confidence value effort risk success_metrics aligns_with "
        "contradicts capabilities"
    ),
    "Goal": (
        "status contract done checkpoint_ref key_results attempts running current measured_at last_due "
        "open_occurrences incident results queued not_before tasks has_caveats tasks_blocked"
    ),
    "GoalReconciliationReport": (
        "position last_stop last_clean_shutdown_at active_goals blocked_goals running_runs checkpointed_runs "
        "orphaned_runs resumed_runs left_runs open_loops closed_loops lessons rules missed_cadences errors "
        "actions"
    ),
    "Group": "goal_type action_type failure_category runs",
    "KeyResultValue": "goal_id value",
    "LearningCycleReport": (
        "since until runs failed partial untimed reviews groups group_count candidate_count lessons rules advanced"
    ),
    "LeftRun": "run_id goal_id why",
    "Level": "metric value at",
    "Listed": "count ids digest",
    "Matter": "kind question goal_id run_id",
    "MissedCadence": "goal_id policy missed became",
    "OpenLoops": "pending_retry clarification follow_up",
    "Origin": "source created_by proposal_id auto_approved source_id",
    "ProposalMade": (
        "reason text category pattern subject detector evidence confidence value effort risk success_metrics "
        "aligns_with contradicts capabilities detected_at expires_at scan_id"
    ),
    "Receipt": "policy settings_digest position candidates count digest chosen propensity seed",
    "ReviewWritten": (
        "reason run_id goal_id notable goal_type action_type what_happened root_cause what_worked what_failed "
        "lesson_candidates recommended_changes signature watch_until"
    ),
    "RootCause": "category detail",
    "RunContext": "lessons rules controls shadows",
    "RunQueued": "reason goal_id attempt agent job_id task_category plan_summary",
    "RunStarted": (
        "reason goal_id attempt agent job_id task_category plan_summary metrics_before source source_id "
        "source_attempt source_digest lease_s takes_over checkpoint_ref context"
    ),
    "ScanCompleted": "reason scanned_at detectors failed proposals telemetry",
    "Scope": "goal_type action_type",
    "Settings": (
        "text_limit lock_wait_s durable state_cache page stale stuck_after_s max_key_results experiment_alpha "
        "retry_base_s retry_factor retry_max_s retry_jitter detect_every_s least_confidence auto_approve "
        "system_goals_a_day detector_goals_a_day duplicate_similarity least_alignment proposal_days weight "
        "detectors outcome_threshold outcome_window_days rule_confidence rule_shadow_runs rule_canary_share "
        "rule_validated_runs rule_alpha rule_margin rule_cost_tolerance rule_deadline_s context_tokens "
        "review_watch_days lesson_score"
    ),
    "Spent": "usd unknown",
    "Telemetry": (
        "total_proposals_evaluated total_goals_created total_goals_rejected auto_approved_count rejection_reasons"
    ),
    "Weights": "value effort risk urgency alignment",
}
"""By type, the fields that 0.1.0 knew."""

_EARLIEST_FIELDS = {
    "Contract": (
        "title description goal_type category task_category parent_goal_id owner_agent priority criteria "
        "failure_conditions constraints review_cadence start_condition stop_condition time_horizon "
        "dependencies allowed_capabilities learning_required value effort risk horizon_min_minutes "
        "horizon_max_minutes aligns_with contradicts metadata"
    ),
}
"""Those that early builds of 0.1.0 knew, when they were fewer."""
