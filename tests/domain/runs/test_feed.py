"""The rules of feeds: how far a source was read."""

from typing import Any

import pytest

from goal_ledger.domain.runs.feed import FEED, FeedAdvanced, Level, advance, feed_id
from goal_ledger.ledger import Invalid
from tests.spec import Spec

MONDAY, TUESDAY = "2026-03-02T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z"
READ = FeedAdvanced(
    source="crm", cursor=MONDAY, records=1, outcomes=1, problems=0, levels=(Level(metric="a", value=1.0, at=MONDAY),)
)
NOTHING: dict[str, Any] = {"source": "crm", "records": 3, "outcomes": 0, "problems": 0}


def test_what_was_read_is_noted():
    Spec(FEED).when(
        advance, source="crm", cursor=MONDAY, records=3, outcomes=2, problems=1,
        levels=[Level(metric="a", value=0.5, at=MONDAY)],
    ).then(
        FeedAdvanced(
            source="crm", cursor=MONDAY, records=3, outcomes=2, problems=1,
            levels=(Level(metric="a", value=0.5, at=MONDAY),),
        )
    )  # fmt: skip


def test_reading_nothing_new_is_quiet():
    Spec(FEED).given(READ).when(advance, cursor=MONDAY, **NOTHING).then_quiet()
    Spec(FEED).when(advance, cursor=None, **NOTHING).then_quiet()


def test_a_cursor_never_goes_back():
    Spec(FEED).given(READ).when(advance, cursor="2026-02-01T00:00:00.000000Z", **NOTHING).then_quiet()
    Spec(FEED).given(READ).when(advance, cursor=None, **NOTHING).then_quiet()
    Spec(FEED).given(READ).when(advance, cursor=TUESDAY, **NOTHING).then(FeedAdvanced(cursor=TUESDAY, **NOTHING))


def test_a_metric_keeps_its_level_until_it_moves_on():
    later = Level(metric="b", value=2.0, at=TUESDAY)
    feed = Spec(FEED).given(READ, FeedAdvanced(cursor=TUESDAY, levels=(later,), **NOTHING)).state()
    assert feed.levels == {"a": READ.levels[0], "b": later}


def test_a_source_has_one_feed_wherever_it_is_read():
    assert feed_id("crm") == feed_id("crm") != feed_id("crm-2")
    assert feed_id("crm").startswith("feed_")


@pytest.mark.parametrize("source", ["", "  ", "a\nb", "x" * 201])
def test_a_source_without_a_proper_name_is_refused(source):
    with pytest.raises(Invalid) as refused:
        feed_id(source)
    assert refused.value.code == "bad_source"
