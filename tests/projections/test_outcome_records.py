"""Every word on the worth of a run, beside the latest one in its row."""

from datetime import UTC, datetime

from goal_ledger.ledger import BusinessOutcome, Ledger, LocalOutcome
from goal_ledger.projections.runs.outcome_records import OutcomeRecord, outcome_records
from tests.tools import Clock


def test_each_word_has_a_row_and_the_latest_one_is_the_runs():
    with Ledger.open(":memory:", actor="test:audit", clock=Clock()) as ledger:
        goal_id = ledger.goals.create("Write to those who left").goal_id
        ledger.goals.ready(goal_id)
        run_id = ledger.runs.start(goal_id).run_id
        ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
        first = ledger.head + 1
        when = datetime(2026, 3, 1, tzinfo=UTC)
        late = ledger.using(occurred_at=when, actor="feed:crm")
        late.runs.outcome(run_id, BusinessOutcome.IMPROVED, source="crm", external_id="7", detail="+9%", reason="audit")
        ledger.runs.outcome(run_id, BusinessOutcome.DEGRADED)
        rows = ledger.views.select(outcome_records, {"run_id": run_id}, order=("position",))
        assert rows[0] == OutcomeRecord(
            position=first,
            run_id=run_id,
            goal_id=goal_id,
            business_outcome=BusinessOutcome.IMPROVED,
            source="crm",
            external_id="7",
            detail="+9%",
            reason="audit",
            occurred_at="2026-03-01T00:00:00.000000Z",
            recorded_at=rows[0].recorded_at,
            recorded_by="feed:crm",
        )
        assert [(row.position, row.business_outcome, row.recorded_by) for row in rows[1:]] == [
            (first + 1, BusinessOutcome.DEGRADED, "test:audit")
        ]
        assert ledger.runs.get(run_id).business_outcome is BusinessOutcome.DEGRADED
