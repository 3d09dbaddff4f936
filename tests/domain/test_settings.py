"""Settings: strict numbers with defaults."""

from typing import Any

import pytest
from pydantic import ValidationError

from goal_ledger.domain.settings import Settings


def test_the_defaults_are_those_of_the_design():
    assert Settings().model_dump() == {
        "text_limit": 10_000,
        "lock_wait_s": 30.0,
        "durable": True,
        "state_cache": 10_000,
        "page": 5_000,
        "stale": "rebuild",
        "stuck_after_s": 300.0,
        "max_key_results": 5,
        "experiment_alpha": 0.05,
        "retry_base_s": 60.0,
        "retry_factor": 2.0,
        "retry_max_s": 3600.0,
        "retry_jitter": 0.1,
        "detect_every_s": 3600,
        "least_confidence": 0.7,
        "auto_approve": 0.9,
        "system_goals_a_day": 10,
        "detector_goals_a_day": 3,
        "duplicate_similarity": 0.8,
        "least_alignment": 0.5,
        "proposal_days": 7.0,
        "weight": {"value": 0.5, "effort": 0.25, "risk": 0.15, "urgency": 0.05, "alignment": 0.05},
        "detectors": {},
        "outcome_threshold": 0.05,
        "outcome_window_days": 7.0,
        "rule_confidence": 0.8,
        "rule_shadow_runs": 3,
        "rule_canary_share": 0.5,
        "rule_validated_runs": 3,
        "rule_alpha": 0.05,
        "rule_margin": 0.1,
        "rule_cost_tolerance": 0.25,
        "rule_deadline_s": 604_800.0,
        "context_tokens": 2_000,
        "review_watch_days": 14.0,
        "lesson_score": 2.0,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text_limit", 199),
        ("text_limit", 1_000_001),
        ("lock_wait_s", 0.0),
        ("lock_wait_s", 3601.0),
        ("lock_wait_s", float("nan")),
        ("durable", "yes"),
        ("durable", 1),
        ("state_cache", -1),
        ("page", 0),
        ("page", "5000"),
        ("max_key_results", 0),
        ("experiment_alpha", 0.0),
        ("experiment_alpha", 1.0),
        ("outcome_threshold", 1.1),
        ("outcome_window_days", 0.0),
        ("colour", "red"),
    ],
)
def test_a_setting_out_of_range_is_refused(name: str, value: Any):
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().page = 1  # type: ignore[misc]
