"""Run records: one JSON object a line, one attempt of one agent at one task.

| field | what it becomes |
|---|---|
| `run_id`, `task_id` | needed: the run's and the goal's identity within `source` |
| `source` | where the records come from; `import` by default |
| `title`, `instruction` | the goal's title and description |
| `category` | the goal's and run's task category, and the type of the run's action |
| `agent`, `attempt` | who tried; the source's own count, kept beside ours |
| `outcome` or `success` | `success`, `failure`, `partial`; or 1, 0, true, false |
| `failure_category` | a word of the taxonomy or one that maps onto it (`CATEGORIES`); the original is kept |
| `verifier`, `verifier_status`, `score` | `pass`, `fail`, `none` |
| `started_at`, `finished_at` | ISO 8601 with a time zone; may be missing |
| `duration_s`, `cost_usd` | numbers, also as text; missing stays unknown |

Every other field is kept with the run's action.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from goal_ledger.adapters.ingest.lines import BadLine, read_lines
from goal_ledger.domain.base import Count, Money, Seconds, invalid
from goal_ledger.domain.runs.run import FailureCategory, LocalOutcome, VerifierStatus

OUTCOMES = {
    "success": LocalOutcome.SUCCEEDED,
    "succeeded": LocalOutcome.SUCCEEDED,
    "failure": LocalOutcome.FAILED,
    "failed": LocalOutcome.FAILED,
    "partial": LocalOutcome.PARTIAL,
}
VERDICTS = {
    "pass": VerifierStatus.PASSED,
    "passed": VerifierStatus.PASSED,
    "fail": VerifierStatus.FAILED,
    "failed": VerifierStatus.FAILED,
    "none": VerifierStatus.SKIPPED,
    "skipped": VerifierStatus.SKIPPED,
}
CATEGORIES = {
    **{str(category): category for category in FailureCategory},
    "usage_limits": FailureCategory.RESOURCE_LIMIT,
    "wrong_result": FailureCategory.VERIFICATION_FAILURE,
    "wrong_final_state": FailureCategory.VERIFICATION_FAILURE,
    "tests_failed": FailureCategory.VERIFICATION_FAILURE,
    "partial_result": FailureCategory.VERIFICATION_FAILURE,
    "agent_timeout": FailureCategory.EXECUTION_TIMEOUT,
    "no_write_action": FailureCategory.PLANNING_ERROR,
    "unneeded_write_action": FailureCategory.INTERPRETATION_ERROR,
    "transferred_to_human": FailureCategory.MISSING_CONTEXT,
}
_PARTIAL = "partial_result"

W = TypeVar("W")


_Id = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Record(BaseModel):
    """A line without what it leaves blank: lenient about numbers in text and ids in numbers, strict about the rest."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, coerce_numbers_to_str=True)

    run_id: _Id
    task_id: _Id
    source: _Id = "import"
    title: str | None = None
    instruction: str | None = None
    category: str | None = None
    agent: str | None = None
    attempt: Count | None = None
    outcome: str | None = None
    success: bool | None = None
    failure_category: str | None = None
    verifier: str | None = None
    verifier_status: str | None = None
    score: float | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    duration_s: Seconds | None = None
    cost_usd: Money | None = None


class RunRecord(NamedTuple):
    """A run record in the ledger's words. digest: of its content, whatever the order of its fields."""

    line: int
    source: str
    run_id: str
    task_id: str
    title: str
    description: str
    category: str | None
    agent: str | None
    attempt: int | None
    outcome: LocalOutcome
    failure_category: FailureCategory | None
    original_outcome: str
    verifier: str | None
    verdict: VerifierStatus | None
    score: float | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    cost_usd: Decimal | None
    rest: dict[str, Any]
    digest: str


def read_runs(path: Path) -> Iterator[RunRecord | BadLine]:
    """The records of a file; what cannot be read comes as `BadLine`. Errors: those of `read_lines`."""
    for found in read_lines(path):
        if isinstance(found, BadLine):
            yield found
            continue
        number, line = found
        try:
            yield _understood(number, orjson.loads(line))
        except orjson.JSONDecodeError as error:
            yield BadLine(number, f"not JSON: {error}")
        except ValidationError as error:
            yield BadLine(number, invalid(error).message)
        except ValueError as error:
            yield BadLine(number, str(error))
        except OverflowError:
            yield BadLine(number, "a time lies outside the calendar")


def _understood(line: int, given: Any) -> RunRecord:
    if not isinstance(given, dict):
        raise ValueError("not a JSON object")
    said = {
        name: value
        for name, value in given.items()
        if not (value is None or (type(value) is str and not value.strip()))
    }
    record = _Record.model_validate(said)
    outcome, category = _outcome(record)
    started, finished = _utc(record.started_at), _utc(record.finished_at)
    if started is not None and finished is not None and finished < started:
        raise ValueError("finished_at: before started_at")
    if started is not None and finished is None and record.duration_s is not None:
        finished = started + timedelta(seconds=record.duration_s)
    verdict = None
    rest = record.model_extra or {}
    if record.verifier_status is not None:
        verdict = _word("verifier_status", record.verifier_status, VERDICTS)
    else:
        rest |= {name: value for name in ("verifier", "score") if (value := getattr(record, name)) is not None}
    return RunRecord(
        line,
        record.source,
        record.run_id,
        record.task_id,
        record.title or (f"{record.source} {record.task_id}" if record.task_id.isdecimal() else record.task_id),
        record.instruction or "",
        record.category,
        record.agent,
        record.attempt,
        outcome,
        category,
        record.failure_category or record.outcome or str(outcome),
        record.verifier,
        verdict,
        record.score,
        started,
        finished,
        record.duration_s,
        record.cost_usd,
        rest,
        sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32],
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _outcome(record: _Record) -> tuple[LocalOutcome, FailureCategory | None]:
    said = None if record.outcome is None else _word("outcome", record.outcome, OUTCOMES)
    if said is None and record.success is None:
        raise ValueError("outcome: needed, or success")
    if said is not None and record.success is not None and record.success is not (said is LocalOutcome.SUCCEEDED):
        raise ValueError(f"outcome: {record.outcome!r} contradicts success {int(record.success)}")
    outcome = said or (LocalOutcome.SUCCEEDED if record.success else LocalOutcome.FAILED)
    if record.failure_category is None:
        if outcome is not LocalOutcome.FAILED:
            return outcome, None
        if record.verifier_status is not None and VERDICTS.get(record.verifier_status) is VerifierStatus.FAILED:
            return outcome, FailureCategory.VERIFICATION_FAILURE
        raise ValueError(f"failure_category: a failed run needs one of {', '.join(CATEGORIES)}")
    if outcome is LocalOutcome.SUCCEEDED:
        raise ValueError(f"failure_category: {record.failure_category!r} on a run that succeeded")
    category = _word("failure_category", record.failure_category, CATEGORIES)
    return (LocalOutcome.PARTIAL if record.failure_category == _PARTIAL else outcome), category


def _word(field: str, word: str, known: Mapping[str, W]) -> W:
    if word not in known:
        raise ValueError(f"{field}: {word!r} is none of {', '.join(known)}")
    return known[word]
