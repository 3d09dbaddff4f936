"""Pipeline statistics of a CRM: JSON, JSON lines or CSV, one record a change of one metric.

| field | what it is |
|---|---|
| `external_id` or `id` | needed: names the record; the same one counts once |
| `revision` | a corrected record: counts as a word of its own, and the last one recorded wins |
| `metric` | needed: e.g. `reply_rate`, `meetings`, `deals_won` |
| `before`, `after` | two of these three are needed: what it was, what it is, |
| `delta` | and the difference |
| `at` or `period_end` | needed: when it was measured, ISO 8601 with a time zone, or a date |
| `window` or `period` | the time that was measured, in words |
| `run_id`, `goal_id`, `task_category`, `campaign` | which runs are meant; the caller says which goal a campaign is |

A list may stand alone, or in an object under `results` or `records`. Other fields are left alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from goal_ledger.adapters.ingest.feeds.documents import flat
from goal_ledger.adapters.ingest.feeds.port import Measurement, Selector, number_of, selector_of, text_of, time_of
from goal_ledger.adapters.ingest.lines import BadLine


def read_crm(contents: Iterable[bytes], *, campaigns: Mapping[str, str]) -> Iterator[Measurement | BadLine]:
    """The measurements of pipeline statistics; what cannot be read comes as `BadLine`. campaigns: goals, by name."""
    for item in (item for content in contents for item in flat(content)):
        if isinstance(item, BadLine):
            yield item
            continue
        line, record = item
        try:
            yield _understood(line, record, campaigns)
        except ValueError as error:
            yield BadLine(line, str(error))


def _understood(line: int, record: Any, campaigns: Mapping[str, str]) -> Measurement:
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    external_id = _needed(text_of(record, "external_id", "id"), "external_id")
    metric = _needed(text_of(record, "metric"), "metric")
    before, after = _change(record)
    at = time_of(record, "at", "period_end")
    if at is None:
        raise ValueError("at: needed, or period_end")
    if (revision := text_of(record, "revision")) is not None:
        external_id = f"{external_id}@{revision}"
    selector, campaign = selector_of(record), text_of(record, "campaign")
    if campaign is not None and selector.is_blank:
        if campaign not in campaigns:
            raise ValueError(f"campaign: nobody said which goal {campaign!r} is")
        selector = Selector(goal_id=campaigns[campaign])
    return Measurement(line, external_id, metric, before, after, at, selector, text_of(record, "window", "period"))


def _change(record: Mapping[str, Any]) -> tuple[float, float]:
    before, after, delta = (number_of(record, name) for name in ("before", "after", "delta"))
    if before is None and after is not None and delta is not None:
        before = after - delta
    if after is None and before is not None and delta is not None:
        after = before + delta
    if before is None or after is None:
        raise ValueError("before, after: two of before, after and delta are needed")
    if not (isfinite(before) and isfinite(after)):
        raise ValueError("delta: too large")
    return before, after


def _needed(value: str | None, name: str) -> str:
    if value is None:
        raise ValueError(f"{name}: needed")
    return value
