"""Measurements, from the formats that analytics and CRMs really have."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.ingest.feeds import documents
from goal_ledger.adapters.ingest.feeds.analytics import Counting, read_analytics
from goal_ledger.adapters.ingest.feeds.crm import read_crm
from goal_ledger.adapters.ingest.feeds.port import Measurement, Selector
from goal_ledger.adapters.ingest.lines import BadLine
from goal_ledger.ledger import Invalid

AT = datetime(2026, 3, 9, tzinfo=UTC)
GOAL = "goal_01KJ7E0WM0JN74MNPW0ARN644K"


def packed(*values: Any) -> bytes:
    return b"\n".join(value if isinstance(value, bytes) else json.dumps(value).encode() for value in values)


def steps(*counts: float, **more: Any) -> list[dict[str, Any]]:
    """The steps of a funnel as PostHog gives them."""
    return [
        {
            "action_id": f"event_{order}",
            "name": f"event_{order}",
            "custom_name": None,
            "order": order,
            "people": [],
            "count": count,
            "type": "events",
            "average_conversion_time": None,
            "median_conversion_time": None,
            **more,
        }
        for order, count in enumerate(counts)
    ]


def analytics(*values: Any, counting: Counting = Counting(), **more: Any) -> list[Measurement | BadLine]:  # noqa: B008
    return list(read_analytics([packed(*values)], counting, **more))


def crm(content: bytes, **campaigns: str) -> list[Measurement | BadLine]:
    return list(read_crm([content], campaigns=campaigns))


# --- Funnels


@pytest.mark.parametrize(
    ("funnel", "name"),
    [
        ({"short_id": "aB3", "name": "Sign-up", "last_refresh": "2026-03-09T00:00:00Z", "result": None}, "Sign-up"),
        ({"short_id": "aB3", "name": "", "last_refresh": "2026-03-09T01:00:00+01:00", "result": None}, "aB3"),
        (
            {"resolved_date_range": {"date_to": "2026-03-09T00:00:00Z"}, "last_refresh": "2026-03-10", "results": None},
            "event_0 to event_2",
        ),
    ],
)
def test_a_funnel_is_measured_as_the_share_that_reached_its_last_step(funnel, name):
    field = "result" if "result" in funnel else "results"
    [found] = analytics({**funnel, field: steps(200, 80, 50)})
    metric = f"conversion of {name}"
    external_id = f"{metric} at 2026-03-09T00:00:00.000000Z"
    assert found == Measurement(1, external_id, metric, None, 0.25, AT)


def test_the_steps_alone_are_a_funnel_when_the_caller_says_of_when():
    [found] = analytics(list(reversed(steps(4, 1))), at=AT)
    assert isinstance(found, Measurement)
    assert (found.metric, found.after, found.at) == ("conversion of event_0 to event_1", 0.25, AT)
    assert analytics(steps(4, 1)) == [BadLine(1, "at: the funnel does not say when it was measured")]


def test_two_periods_that_stand_together_are_compared():
    after = {"name": "Sign-up", "last_refresh": "2026-03-09T00:00:00Z", "result": steps(100, 30)}
    told = {"id": "w10", "before": {"result": steps(100, 20)}, "after": after, "goal_id": GOAL, "window": "week 10"}
    assert analytics(told) == [
        Measurement(1, "w10", "conversion of Sign-up", 0.2, 0.3, AT, Selector(goal_id=GOAL), "week 10")
    ]
    [found] = analytics({"metric": "activation", "before": 0.2, "after": "0.3", "at": "2026-03-09"})
    assert found == Measurement(1, "activation at 2026-03-09T00:00:00.000000Z", "activation", 0.2, 0.3, AT)


def test_a_funnel_that_was_told_to_compare_holds_both_periods():
    tagged = [*steps(100, 30, compare_label="current"), *steps(100, 20, compare_label="previous")]
    [found] = analytics({"id": 42, "name": "Sign-up", "result": tagged, "last_refresh": "2026-03-09T00:00:00Z"})
    metric = "conversion of Sign-up"
    assert found == Measurement(1, f"{metric} at 2026-03-09T00:00:00.000000Z", metric, 0.2, 0.3, AT)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": "a\0b", "result": steps(3, 1)}, "cannot be printed"),
        ({"name": "x" * 500, "result": steps(3, 1)}, "more than 500 characters"),
        ([*steps(3, 1), *steps(4, 1)], "two steps have the same place"),
        ({"results": steps(3, 1, compare_label="current")}, "neither a funnel"),
        ([steps(3, 1), steps(4, 1)], "broken down"),
        (steps(3, 1, breakdown_value=["Safari"]), "broken down"),
        ([{"count": 3, "data": [1.0, 2.0], "days": ["2026-03-01", "2026-03-02"]}], "funnels over time are not read"),
        (steps(3), "two steps"),
        (steps(0, 0), "nobody entered"),
        ([{"order": 0, "count": "many"}, {"order": 1, "count": 3}], "count: 'many' is not a number"),
        ([{"order": 0}, {"order": 1}], "count: not the steps of a funnel"),
        ({"bins": [[0, 3]]}, "neither a funnel nor an event"),
        ({"before": 1, "after": 2}, "neither a funnel nor an event"),
        ([7], "not the steps of a funnel"),
        (7, "neither JSON nor CSV"),
        ({"result": steps(3, 1), "at": "yesterday"}, "at: 'yesterday' is not an ISO 8601 time"),
        ({"result": steps(3, 1), "at": "2026-03-09T10:00:00"}, "has no time zone"),
        ({"result": steps(3, 1), "at": "2026-03-09", "goal_id": True}, "goal_id: text is needed"),
    ],
)
def test_what_is_no_plain_funnel_is_told_of(value, words):
    [found] = analytics(value, at=AT)
    assert isinstance(found, BadLine) and words in found.reason


# --- Events

SIGNED_UP, ACTIVATED = "signed_up", "activated"


def did(event: str, person: str, day: int, hour: int = 12) -> dict[str, Any]:
    """An event of March 2026, in which the 2nd, 9th and 16th are Mondays."""
    return {
        "uuid": f"{event}-{person}-{day}",
        "event": event,
        "distinct_id": person,
        "timestamp": f"2026-03-{day:02}T{hour:02}:00:00Z",
        "properties": {"$browser": "Firefox"},
    }


WEEKS = [
    did(SIGNED_UP, "ana", 2),
    did(SIGNED_UP, "ben", 3),
    did(ACTIVATED, "ben", 3, hour=13),
    did(ACTIVATED, "ben", 4),
    did(ACTIVATED, "stranger", 5),
    did(SIGNED_UP, "cyd", 9),
    did(ACTIVATED, "cyd", 15),
    did(ACTIVATED, "dan", 15),
    did(SIGNED_UP, "eve", 16),
]
SHARE = Counting(ACTIVATED, SIGNED_UP)


def values(found: list[Measurement | BadLine]) -> list[tuple[str, float]]:
    assert all(isinstance(each, Measurement) for each in found), found
    return [(f"{each.at:%m-%d}", each.after) for each in found if isinstance(each, Measurement)]


def test_events_are_counted_by_people_in_whole_weeks():
    assert values(analytics(*WEEKS, counting=Counting(ACTIVATED))) == [("03-09", 2.0), ("03-16", 2.0)]
    assert values(analytics(*WEEKS, counting=SHARE)) == [("03-09", 0.5), ("03-16", 1.0)]
    assert values(analytics(*WEEKS, counting=SHARE._replace(window_days=1)))[:2] == [("03-03", 0.0), ("03-04", 1.0)]


def test_the_order_of_events_and_of_pages_is_the_same_to_the_count():
    pages = [packed({"next": None, "results": part}) for part in (WEEKS[5:], WEEKS[:5])]
    assert values(list(read_analytics(pages, SHARE))) == values(analytics(*WEEKS, counting=SHARE))


def test_events_may_come_as_csv():
    rows = [f"{each['uuid']},{each['event']},{each['distinct_id']},{each['timestamp']}" for each in WEEKS]
    content = "\n".join(["uuid,event,distinct_id,timestamp", *rows]).encode()
    assert values(list(read_analytics([content], SHARE))) == values(analytics(*WEEKS, counting=SHARE))


def test_a_window_that_the_export_may_not_hold_whole_is_left_out():
    assert values(analytics(*WEEKS[1:], counting=SHARE)) == [("03-16", 1.0)]  # begins on a Tuesday
    assert values(analytics(*WEEKS[:-1], counting=SHARE)) == [("03-09", 0.5)]  # ends on a Sunday
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert values(analytics(*WEEKS[1:], counting=SHARE, since=monday)) == [("03-09", 1.0), ("03-16", 1.0)]


def test_a_week_in_which_nothing_happened_counts_and_has_no_share():
    events = [did(SIGNED_UP, "ana", 2), did(SIGNED_UP, "ben", 16)]
    assert values(analytics(*events, counting=Counting(SIGNED_UP))) == [("03-09", 1.0), ("03-16", 0.0)]
    assert values(analytics(*events, counting=SHARE)) == [("03-09", 0.0)]


def test_events_need_to_be_told_which_of_them_counts():
    with pytest.raises(Invalid) as refused:
        analytics(*WEEKS)
    assert refused.value.code == "no_event" and "activated, signed_up" in refused.value.message


def test_an_event_that_lacks_something_is_told_of_and_the_others_count():
    found = analytics({"event": ACTIVATED, "timestamp": "2026-03-02T00:00:00Z"}, *WEEKS, counting=SHARE)
    assert found[0] == BadLine(1, "event, distinct_id, timestamp: all three are needed")
    assert values(found[1:]) == [("03-09", 0.5), ("03-16", 1.0)]


# --- Pipeline statistics

REPLIES = {"id": 7, "metric": "reply_rate", "before": 0.12, "after": 0.08, "at": "2026-03-09T00:00:00Z"}


@pytest.mark.parametrize(
    "content",
    [
        packed(REPLIES),
        packed([REPLIES]),
        packed({"results": [REPLIES], "next": None}),
        packed({"records": [REPLIES]}),
        json.dumps([REPLIES], indent=2).encode(),
        b"\xef\xbb\xbf" + packed(REPLIES),
        b"id,metric,before,after,at,run_id\r\n7,reply_rate,0.12,0.08,2026-03-09T00:00:00Z,\r\n",
    ],
)
def test_a_record_reads_the_same_in_every_form(content):
    assert [found._replace(line=1) for found in crm(content)] == [Measurement(1, "7", "reply_rate", 0.12, 0.08, AT)]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"before": 10, "delta": -4}, 10.0, 6.0),
        ({"after": 6, "delta": "-4"}, 10.0, 6.0),
        ({"before": 10, "after": 6, "delta": 99}, 10.0, 6.0),
        ({"before": 0, "after": 0}, 0.0, 0.0),
    ],
)
def test_a_change_may_be_said_by_its_difference(change, before, after):
    [found] = crm(packed({"id": "a", "metric": "meetings", "at": "2026-03-09", **change}))
    assert isinstance(found, Measurement) and (found.before, found.after) == (before, after)


def test_a_corrected_record_is_a_word_of_its_own():
    found = crm(packed([REPLIES, {**REPLIES, "revision": 2}]))
    assert [each.external_id for each in found if isinstance(each, Measurement)] == ["7", "7@2"]


def test_a_campaign_is_the_goal_that_the_caller_says():
    record = {**REPLIES, "campaign": "spring", "period": "week 10"}
    [found] = crm(packed(record), spring=GOAL)
    assert isinstance(found, Measurement)
    assert (found.selector, found.window) == (Selector(goal_id=GOAL), "week 10")
    assert crm(packed(record)) == [BadLine(1, "campaign: nobody said which goal 'spring' is")]
    [found] = crm(packed({**record, "run_id": "grun_1"}))
    assert isinstance(found, Measurement) and found.selector == Selector(run_id="grun_1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "external_id: needed"),
        ({"metric": " "}, "metric: needed"),
        ({"after": None}, "two of before, after and delta"),
        ({"after": "lots"}, "after: 'lots' is not a number"),
        ({"after": "inf"}, "after: numbers must be finite"),
        ({"after": "nan"}, "after: numbers must be finite"),
        ({"after": True}, "after: text is needed"),
        ({"after": None, "before": 1.7e308, "delta": 1.7e308}, "delta: too large"),
        ({"at": None}, "at: needed"),
        ({"at": "2026-03-09T00:00:00"}, "has no time zone"),
    ],
)
def test_a_record_that_lacks_something_is_told_of_and_the_others_stand(change, words):
    bad, good = crm(packed({**REPLIES, **change}, REPLIES))
    assert isinstance(bad, BadLine) and bad.line == 1 and words in bad.reason
    assert isinstance(good, Measurement) and good.line == 2


def test_broken_lines_are_told_of_and_the_others_stand():
    found = crm(packed(b"{broken", REPLIES, b"7", b'"text"'))
    assert [(each.line, isinstance(each, BadLine)) for each in found] == [(1, True), (2, False), (3, True), (4, True)]
    assert [each.line for each in crm(b"id,metric\n1,2,3\n") if isinstance(each, BadLine)] == [2]
    [broken] = crm(b'{\n  "id": 7,\n  "metric": }')
    assert isinstance(broken, BadLine) and broken.reason.startswith("not JSON")
    [binary] = crm(b"\xff\xfe\x00")
    assert isinstance(binary, BadLine) and binary.reason.startswith("neither JSON nor CSV")
    assert crm(b"") == crm(b" \n ") == []


# --- Files


def test_a_file_may_be_packed_and_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "stats.json.gz"
    path.write_bytes(gzip.compress(packed(REPLIES)))
    assert documents.content(path) == documents.unpacked(path.read_bytes(), "there") == packed(REPLIES)
    monkeypatch.setattr(documents, "LARGEST", 20)
    for read in (lambda: documents.content(path), lambda: documents.unpacked(path.read_bytes(), "there")):
        with pytest.raises(Invalid) as refused:
            read()
        assert refused.value.code == "too_large"


def test_a_torn_gzip_is_told_of(tmp_path: Path):
    packed_up = gzip.compress(packed(*[REPLIES] * 100))
    for torn in (packed_up[:-20], packed_up[:30] + b"\0" * 30):
        path = tmp_path / "stats.json.gz"
        path.write_bytes(torn)
        with pytest.raises(Invalid) as refused:
            documents.content(path)
        assert refused.value.code == "bad_gzip"
        with pytest.raises(Invalid) as refused:
            documents.unpacked(torn, "there")
        assert refused.value.code == "bad_gzip"
