"""What stands on a lesson: everything that was drawn from it, from what was drawn from it, and so on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Graph(NamedTuple):
    """Who learned from whom, as ids.

    founded_on: the runs that taught each lesson. drawn_from: the lessons behind each rule. given: the lessons and rules
    that each run was told.
    """

    founded_on: Mapping[str, Iterable[str]]
    drawn_from: Mapping[str, Iterable[str]]
    given: Mapping[str, Iterable[str]]


class Standing(NamedTuple):
    """What stands on a lesson, itself included, each in order of the ids."""

    lessons: tuple[str, ...]
    rules: tuple[str, ...]
    runs: tuple[str, ...]


def standing_on(lesson_id: str, graph: Graph) -> Standing:
    """The lesson, the rules drawn from it, the runs that were told either, the lessons that those taught, and so on."""
    above: dict[str, list[str]] = defaultdict(list)
    for links in graph:
        for one, grounds in links.items():
            for ground in grounds:
                above[ground].append(one)
    reached, new = {lesson_id}, [lesson_id]
    while new:
        further = [one for one in above.get(new.pop(), ()) if one not in reached]
        reached.update(further)
        new += further
    return Standing(
        tuple(sorted(reached & graph.founded_on.keys() | {lesson_id})),
        tuple(sorted(reached & graph.drawn_from.keys())),
        tuple(sorted(reached & graph.given.keys())),
    )
