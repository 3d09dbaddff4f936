"""What every list and every stream with a row has in common: pages, names of before, what is refused."""

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

import pytest

from goal_ledger.ledger import Ledger, NotFound
from goal_ledger.ledger.engine.pages import Page
from tests.histories.scenario import tell
from tests.tools import Clock

NOBODY = "01HZX3KQ5N8RWT2M4V6Y7B9DEF"


class Listed(NamedTuple):
    """A list. formerly: what its pages called their rows in 0.1. ask: for a page. order: the columns that it is in."""

    formerly: str
    ask: Callable[..., Page[Any]]
    order: tuple[str, ...] = ("position",)
    descending: bool = True


LISTS = {
    "goals": Listed("goals", lambda ledger, **page: ledger.goals.list(**page), ("priority", "goal_id"), False),
    "goals found": Listed(
        "goals", lambda ledger, **page: ledger.goals.list(search="e", **page), ("priority", "goal_id"), False
    ),
    "key results": Listed(
        "goals", lambda ledger, **page: ledger.key_results.list(**page), ("priority", "goal_id"), False
    ),
    "values": Listed(
        "values", lambda ledger, **page: ledger.key_results.history(measured(ledger), **page), ("position",), False
    ),
    "loops": Listed(
        "loops", lambda ledger, **page: ledger.loops.list(status=None, **page), ("due_order", "position"), False
    ),
    "runs": Listed("runs", lambda ledger, **page: ledger.runs.list(**page), ("run_id",)),
    "outcomes": Listed("outcomes", lambda ledger, **page: ledger.feeds.outcomes(**page)),
    "lessons": Listed("lessons", lambda ledger, **page: ledger.lessons.list(active=None, **page)),
    "rules": Listed("rules", lambda ledger, **page: ledger.rules.list(active=None, **page)),
    "reviews": Listed("reviews", lambda ledger, **page: ledger.reviews.list(**page)),
    "cycles": Listed("cycles", lambda ledger, **page: ledger.learning.list(**page), ("until", "cycle_id")),
    "groups": Listed("groups", lambda ledger, **page: ledger.learning.groups(**page), ("runs", "signature")),
    "proposals": Listed("proposals", lambda ledger, **page: ledger.proposals.list(**page), ("proposal_id",)),
    "checks": Listed("checks", lambda ledger, **page: ledger.history.list(**page)),
    "beliefs": Listed("beliefs", lambda ledger, **page: ledger.beliefs.list(status=None, **page)),
    "projects": Listed("projects", lambda ledger, **page: ledger.projects.list(**page)),
    "sessions": Listed("sessions", lambda ledger, **page: ledger.sessions.list(**page), ("number",)),
}
NAMES = {listed.formerly for listed in LISTS.values()}

KINDS = {
    "goals": ("goal_", "goal_id", "goal", "goal", "goal list"),
    "runs": ("grun_", "run_id", "run", "run", "run list"),
    "loops": ("loop_", "loop_id", "loop", "loop", "loop list"),
    "lessons": ("les_", "lesson_id", "lesson", "lesson", "lesson list"),
    "rules": ("rule_", "rule_id", "rule", "rule", "rule list"),
    "reviews": ("aar_", "aar_id", "review", "review", "review list"),
    "learning": ("cycle_", "cycle_id", "cycle", "learning cycle", "learn list"),
    "proposals": ("prop_", "proposal_id", "proposal", "proposal", "proposal list"),
    "beliefs": ("belief_", "belief_id", "belief", "belief", "belief list"),
    "projects": ("project_", "project_id", "project", "project", "project list"),
}
"""By capability: how its ids begin, what a row calls its id, the noun of codes, how messages call one, its command."""


def measured(ledger: Ledger) -> str:
    return ledger.key_results.list().rows[0].goal_id


def first_id(ledger: Ledger, capability: str) -> str:
    every = {"status": None} if capability in ("loops", "beliefs") else {}
    row = getattr(ledger, capability).list(**every).rows[0]
    return str(getattr(row, KINDS[capability][1]))


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="test:rows", clock=Clock()) as opened:
        tell(opened, Random(20))
        opened.beliefs.hold("Backups matter")
        opened.projects.create("Depot")
        objective = opened.goals.create("Lose nothing", goal_type="objective").goal_id
        opened.goals.create("Restores tested", goal_type="key_result", target=12, parent_goal_id=objective)
        opened.learning.cycle(opened.now())
        yield opened


@pytest.fixture(params=LISTS)
def listed(request: pytest.FixtureRequest) -> Listed:
    return LISTS[request.param]


# --- Pages


def test_a_list_in_pages_gives_each_row_once_in_its_order(ledger: Ledger, listed: Listed):
    whole = listed.ask(ledger)
    assert whole.next is None and len(whole.rows) > 1
    in_order = sorted(
        whole.rows, key=lambda row: [getattr(row, column) for column in listed.order], reverse=listed.descending
    )
    assert list(whole.rows) == in_order
    for limit in {1, 2, len(whole.rows) - 1, len(whole.rows), len(whole.rows) + 1} - {0}:
        found: list[Any] = []
        after = None
        while True:
            page = listed.ask(ledger, after=after, limit=limit)
            found += page.rows
            if (after := page.next) is None:
                break
            assert len(page.rows) == limit
            assert after == tuple(getattr(page.rows[-1], column) for column in listed.order)
        assert found == in_order


def test_a_page_of_no_rows_is_refused_by_every_list(ledger: Ledger, listed: Listed):
    with pytest.raises(Exception, match="a page of 0 holds nothing; the least is 1") as refused:
        listed.ask(ledger, limit=0)
    assert getattr(refused.value, "code", None) == "bad_limit"


def test_rows_are_readable_under_the_name_of_before_with_a_warning(ledger: Ledger, listed: Listed):
    for page in (listed.ask(ledger), listed.ask(ledger, limit=1)):
        with pytest.warns(DeprecationWarning, match=f"^Page.{listed.formerly} is deprecated: use Page.rows$") as warned:
            assert getattr(page, listed.formerly) is page.rows
        assert [one.filename for one in warned] == [__file__]


def test_no_page_has_the_name_of_another_list(ledger: Ledger, listed: Listed):
    page = listed.ask(ledger, limit=1)
    for name in (NAMES - {listed.formerly}) | {"row", "__wrapped__", ""}:
        with pytest.raises(AttributeError, match=f"'Page' object has no attribute '{name}'"):
            getattr(page, name)


def test_a_page_is_a_pair_that_can_be_copied(ledger: Ledger):
    page = ledger.goals.list(limit=2)
    rows, after = page
    assert (rows, after) == (page.rows, page.next) == tuple(page)
    assert page == ledger.goals.list(limit=2) != ledger.goals.list(limit=1)
    for other in (copy.copy(page), copy.deepcopy(page), pickle.loads(pickle.dumps(page))):
        assert (other, type(other), other.formerly) == (page, Page, "goals")
    assert repr(page) == f"Page(rows={rows!r}, next={after!r})"


# --- Rows


@pytest.mark.parametrize("capability", KINDS)
def test_what_is_not_there_is_not_found_in_the_same_words(ledger: Ledger, capability: str):
    prefix, _, noun, words, command = KINDS[capability]
    for ask in (getattr(ledger, capability).get, getattr(ledger, capability).timeline):
        with pytest.raises(NotFound) as refused:
            ask(prefix + NOBODY)
        error = refused.value
        assert (error.code, error.message) == (f"unknown_{noun}", f"there is no {words} {prefix}{NOBODY}")
        assert error.hint == f"{command}"
        with pytest.raises(NotFound, match=f"^there is no {noun} 'nonsense': {noun} ids look like {prefix}01HZX3…"):
            ask("nonsense")


@pytest.mark.parametrize("capability", KINDS)
def test_the_row_of_one_is_that_of_the_list_and_its_events_are_those_of_its_stream(ledger: Ledger, capability: str):
    one, asked = first_id(ledger, capability), getattr(ledger, capability)
    every = {"status": None} if capability in ("loops", "beliefs") else {}
    assert asked.get(one) == asked.list(**every).rows[0]
    assert [event for event in asked.timeline(one) if event.stream == one] == ledger.stream(one) != []


@pytest.mark.parametrize("capability", KINDS)
def test_an_id_may_be_named_as_its_row_names_it_with_a_warning(ledger: Ledger, capability: str):
    name, one, asked = KINDS[capability][1], first_id(ledger, capability), getattr(ledger, capability)
    told = rf"^get\({name}=…\) is deprecated: give the id without a name$"
    with pytest.warns(DeprecationWarning, match=told) as warned:
        assert asked.get(**{name: one}) == asked.get(one)
    assert [each.filename for each in warned] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert list(asked.timeline(**{name: one})) == list(asked.timeline(one))
    for wrong in ({"stream": one}, {name: one, "more": one}, {}):
        with pytest.raises(TypeError):
            asked.get(**wrong)
    with pytest.raises(TypeError):
        asked.get(one, **{name: one})
