"""What PostHog gives: funnels and events, as JSON, JSON lines or CSV.

A **funnel** is a saved insight (`GET /api/projects/…/insights/…/`, its steps under `result`), the answer of the query
API (under `results`), or the bare list of steps `{"name", "order", "count", …}`. Its metric is the share of those on
the first step who reached the last. PostHog measures one period at a time, so a funnel is compared with what it was
when it was last read, unless it was told to compare and tags steps with `compare_label`, or both are said: `{"before":
funnel, "after": funnel}`, where a number may stand for a funnel when `metric` names it. `id`, `at`, `run_id`, `goal_id`
and `task_category` may stand beside.

**Events** are the lines of a batch export, the rows of a CSV, or pages of the events API (under `results`):
`{"event", "distinct_id", "timestamp", …}`. They are counted in whole windows of days, UTC, weeks from Monday: how many
people, told apart by `distinct_id`, did `event`, or which share of those who did `per` in the same window. A window
that the export does not reach beyond is left for the next one, as is one that began before the first event.

Not read: funnels broken down by a property, funnels over time (historical trends), time to convert, trends, Parquet.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from goal_ledger.adapters.ingest.feeds.documents import documents
from goal_ledger.adapters.ingest.feeds.port import Measurement, number_of, selector_of, text_of, time_of
from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.domain.errors import Blank, Hint, Invalid
from goal_ledger.domain.times import utc_text

_A_MONDAY = date(1970, 1, 5)
_LONGEST_NAME = 500
_STEPS = 2  # a funnel needs where it begins and where it ends


class Counting(NamedTuple):
    """What is counted in events. event: who did this. per: of those who did that. window_days: in so many days."""

    event: str | None = None
    per: str | None = None
    window_days: int = 7

    @property
    def metric(self) -> str:
        """The name of what is counted."""
        told = f"people who did {self.event}" if self.per is None else f"share of {self.per} who did {self.event}"
        return f"{told} in {self.window_days} {'day' if self.window_days == 1 else 'days'}"

    def window(self, day: date) -> int:
        """The number of the window that a day is in."""
        return (day - _A_MONDAY).days // self.window_days

    def start(self, window: int) -> datetime:
        """When a window begins."""
        return datetime.combine(_A_MONDAY, time(), UTC) + timedelta(days=window * self.window_days)


class _Did(NamedTuple):
    line: int
    event: str
    person: str
    at: datetime


def read_analytics(
    contents: Iterable[bytes], counting: Counting, *, at: datetime | None = None, since: datetime | None = None
) -> Iterator[Measurement | BadLine]:
    """The measurements of an export; what cannot be read comes as `BadLine`.

    at: when funnels were measured that do not say so. since: from when on the events are all there, from the first one
    by default. Invalid: no_event, for events without the event that counts.
    """
    did: list[_Did] = []
    for item in (item for content in contents for item in documents(content)):
        if isinstance(item, BadLine):
            yield item
            continue
        line, value = item
        try:
            if (events := _events(value)) is None:
                yield _measured(line, value, at)
                continue
        except ValueError as error:
            yield BadLine(line, str(error))
            continue
        single = isinstance(value, dict) and "results" not in value
        for number, event in enumerate(events, start=1):
            where = line if single else number
            try:
                did.append(_done(where, event))
            except ValueError as error:
                yield BadLine(where, str(error))
    if did:
        yield from _counted(did, counting, since)


# --- Funnels


def _measured(line: int, value: Any, at: datetime | None) -> Measurement:
    """A funnel, or two of them that are compared."""
    if isinstance(value, list):
        value = {"result": value}
    if not isinstance(value, dict):
        raise ValueError("neither a funnel nor an event of PostHog")
    said, before = text_of(value, "metric"), None
    # The id of an insight names the insight, not what it was at a time; that of a comparison names the record.
    named = text_of(value, "external_id", "id") if "before" in value else None
    if (periods := _two_periods(value)) is not None:
        value = {**value, "before": periods[0], "after": periods[1]}
    if "before" in value and "after" in value:
        _, before = _conversion(value["before"], said)
        name, after = _conversion(value["after"], said)
        when = _when(value) or _when(value["after"]) or at
    else:
        name, after = _conversion(value, said)
        when = _when(value) or at
    if when is None:
        raise ValueError("at: the funnel does not say when it was measured")
    metric = said or f"conversion of {name}"
    if len(metric) > _LONGEST_NAME or not metric.isprintable():
        raise ValueError(f"name: more than {_LONGEST_NAME} characters, or some that cannot be printed")
    return Measurement(
        line, named or f"{metric} at {utc_text(when)}", metric, before, after, when, selector_of(value),
        text_of(value, "window"),
    )  # fmt: skip


def _two_periods(funnel: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """The period before and the present one, when PostHog was asked to compare them: it tags each step."""
    steps = funnel.get("result", funnel.get("results"))
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "compare_label" in step for step in steps):
        return None
    before, after = (
        {**funnel, "result": [step for step in steps if step["compare_label"] == label]}
        for label in ("previous", "current")
    )
    return before, after


def _conversion(funnel: Any, metric: str | None) -> tuple[str, float]:
    """What a funnel is called, and which share of those on the first step reached the last."""
    if isinstance(funnel, (int, float, str)) and not isinstance(funnel, bool) and metric is not None:
        number = number_of({"value": funnel}, "value")
        if number is not None:
            return metric, number
    held = funnel if isinstance(funnel, dict) else {"result": funnel}
    steps = held.get("result", held.get("results"))
    if not (isinstance(steps, list) and steps):
        raise ValueError("neither a funnel nor an event of PostHog")
    if any(isinstance(step, list) or (isinstance(step, dict) and "breakdown_value" in step) for step in steps):
        raise ValueError("the funnel is broken down by a property; export it without")
    if not all(isinstance(step, dict) for step in steps) or any("data" in step for step in steps):
        raise ValueError("not the steps of a funnel; trends and funnels over time are not read")
    counts = sorted((_number(step, "order"), _number(step, "count"), number) for number, step in enumerate(steps))
    if len(counts) < _STEPS:
        raise ValueError("a funnel needs two steps")
    if len({order for order, _, _ in counts}) < len(counts):
        raise ValueError("order: two steps have the same place")
    (_, entered, first), (_, converted, last) = counts[0], counts[-1]
    if entered <= 0:
        raise ValueError("nobody entered the funnel, so there is no conversion")
    ends = f"{_step_name(steps[first])} to {_step_name(steps[last])}"
    return text_of(held, "name", "derived_name", "short_id") or ends, converted / entered


def _step_name(step: Mapping[str, Any]) -> str:
    return text_of(step, "custom_name", "name", "action_id") or "a step"


def _number(step: Mapping[str, Any], name: str) -> float:
    if (number := number_of(step, name)) is None:
        raise ValueError(f"{name}: not the steps of a funnel")
    return number


def _when(funnel: Any) -> datetime | None:
    """When a funnel was measured: the end of its period, or when PostHog computed it if that was earlier."""
    if not isinstance(funnel, dict):
        return None
    period, computed = funnel.get("resolved_date_range"), time_of(funnel, "last_refresh")
    ended = time_of(period, "date_to") if isinstance(period, dict) else None
    return time_of(funnel, "at") or min(filter(None, (ended, computed)), default=None)


# --- Events


def _events(value: Any) -> list[Any] | None:
    """The events of a document, None when it holds none."""
    if isinstance(value, dict):
        if "event" in value and "timestamp" in value:
            return [value]
        value = value.get("results")
    if isinstance(value, list) and all(isinstance(each, dict) and "event" in each for each in value):
        return value
    return None


def _done(line: int, event: Mapping[str, Any]) -> _Did:
    name, person = text_of(event, "event"), text_of(event, "distinct_id")
    at = time_of(event, "timestamp")
    if name is None or person is None or at is None:
        raise ValueError("event, distinct_id, timestamp: all three are needed")
    return _Did(line, name, person, at)


def _counted(did: list[_Did], counting: Counting, since: datetime | None) -> Iterator[Measurement]:
    """A measurement for every whole window between the first event and the last."""
    if counting.event is None:
        names = sorted({each.event for each in did})
        raise Invalid(
            "no_event",
            f"events were found, and not said which of them counts; there are {', '.join(names[:10])}",
            hint=Hint(event=Blank("NAME")) + ", and " + Hint(per=Blank("NAME")) + " for a share",
        )
    windows: dict[int, list[_Did]] = {}
    for each in did:
        windows.setdefault(counting.window(each.at.date()), []).append(each)
    first, last = min(each.at for each in did), max(each.at for each in did)
    first = datetime.combine(first.date(), time(), UTC)  # an export begins with a day
    if since is not None:
        first = min(first, since)
    for window in range(counting.window(first.date()), max(windows) + 1):
        end = counting.start(window + 1)
        if first > counting.start(window) or last < end:
            continue
        within = windows.get(window, [])
        people = {each.person for each in within if each.event == counting.event}
        value = float(len(people))
        if counting.per is not None:
            of = {each.person for each in within if each.event == counting.per}
            if not of:
                continue  # no share of nobody
            value = len(people & of) / len(of)
        yield Measurement(
            within[0].line if within else did[0].line, f"{counting.metric} at {utc_text(end)}", counting.metric, None,
            value, end,
        )  # fmt: skip
