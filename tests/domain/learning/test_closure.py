"""What stands on a lesson."""

from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.learning.closure import Graph, Standing, standing_on

LESSONS, RULES, RUNS = (
    [f"les_{n}" for n in range(5)],
    [f"rule_{n}" for n in range(3)],
    [f"grun_{n}" for n in range(6)],
)


def some(of: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), max_size=3)


graphs = st.builds(
    Graph,
    st.fixed_dictionaries({each: some(RUNS) for each in LESSONS}),
    st.dictionaries(st.sampled_from(RULES), some(LESSONS)),
    st.dictionaries(st.sampled_from(RUNS), some(LESSONS + RULES)),
)


def by_trying(root: str, graph: Graph) -> set[str]:
    """Everything that has a ground that fell falls, until nothing more does."""
    fallen = {root}
    while True:
        more = {one for links in graph for one, grounds in links.items() if fallen & set(grounds)} - fallen
        if not more:
            return fallen
        fallen |= more


@given(graphs, st.sampled_from(LESSONS))
def test_everything_that_stands_on_a_lesson_is_found_and_nothing_else(graph: Graph, root: str):
    found = standing_on(root, graph)
    assert {*found.lessons, *found.rules, *found.runs} == by_trying(root, graph)
    assert set(found.lessons) <= set(LESSONS) and set(found.rules) <= set(RULES) and set(found.runs) <= set(RUNS)
    assert all(list(part) == sorted(set(part)) for part in found)


def test_a_chain_of_lesson_rule_run_and_lesson_falls_whole():
    graph = Graph(
        {"les_a": ["grun_0"], "les_b": ["grun_1"], "les_c": []}, {"rule_a": ["les_a"]}, {"grun_1": ["rule_a"]}
    )
    assert standing_on("les_a", graph) == Standing(("les_a", "les_b"), ("rule_a",), ("grun_1",))
    assert standing_on("les_b", graph) == Standing(("les_b",), (), ())


def test_a_lesson_on_which_nothing_stands_falls_alone():
    assert standing_on("les_a", Graph({}, {}, {})) == Standing(("les_a",), (), ())
