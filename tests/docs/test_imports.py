"""What the page about imports shows is what the imports read."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from goal_ledger.cli.nouns.import_ import import_
from goal_ledger.ledger import BusinessOutcome, Ledger, LocalOutcome
from tests.tools import Clock

PAGE = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def finished(ledger: Ledger, category: str) -> tuple[str, str]:
    goal_id = ledger.goals.create(f"Grow {category}", task_category=category).goal_id
    ledger.goals.ready(goal_id)
    then = ledger.using(occurred_at=MONDAY - timedelta(days=2))
    run_id = then.runs.start(goal_id).run_id
    then.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    return goal_id, run_id


def test_every_import_is_listed_on_the_page():
    assert re.findall(r"^\| `import (\w+)", PAGE, re.MULTILINE) == ["runs", "events", "checks", "analytics", "crm"]
    assert set(import_.commands) == {"runs", "events", "checks", "analytics", "crm"}


def test_the_records_of_the_page_are_taken(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    correction, funnel, compared, event = blocks("json")
    Path("stats.csv").write_text(blocks("csv")[0], encoding="utf-8")
    for name, text in (("correction", correction), ("funnel", funnel), ("compared", compared), ("events", event)):
        Path(f"{name}.json").write_text(text, encoding="utf-8")
    with Ledger.open(":memory:", clock=Clock(MONDAY)) as ledger:
        goal_id, run_id = finished(ledger, "outreach")
        _, onboarded = finished(ledger, "onboarding")
        names: dict[str, Any] = {"ledger": ledger, "goal_id": goal_id}
        exec(blocks("python")[0], names)
        assert (names["done"].outcomes, names["done"].problems) == (2, [])
        assert ledger.runs.get(run_id).business_outcome is BusinessOutcome.IMPROVED
        assert ledger.feeds.crm("correction.json").outcomes == 1
        assert len(ledger.feeds.outcomes(run_id=run_id).rows) == 3
        assert ledger.feeds.analytics("compared.json").outcomes == 1
        assert ledger.runs.get(onboarded).business_outcome is BusinessOutcome.IMPROVED
        to = names["Attribution"](goal_id=goal_id)
        assert ledger.feeds.analytics("funnel.json", to=to).baselines == 1
        later = json.loads(event) | {"timestamp": "2026-03-16T10:00:00Z"}
        earlier = json.loads(event) | {"timestamp": "2026-03-02T10:00:00Z"}
        Path("events.jsonl").write_text("\n".join(map(json.dumps, (earlier, json.loads(event), later))))
        assert ledger.feeds.analytics("events.jsonl", event="activated", to=to).records == 2
