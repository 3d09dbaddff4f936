"""Several ways to do the same work, timed in turns: what disturbs the machine disturbs all of them."""

import gc
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Literal, NamedTuple

Prepare = Callable[[], Callable[[], object]]
"""One way to do the work: called before every round, outside the clock; what it returns is timed."""


class Figure(NamedTuple):
    """One way's cost of one operation, in seconds: medians over the rounds.

    median_s, p95_s: how long single operations took, where that is another question: of many at once, or far apart.
    """

    wall_s: float
    cpu_s: float | None = None
    median_s: float | None = None
    p95_s: float | None = None


class Budget(NamedTuple):
    """What a figure should keep.

    kind: share (raw's time divided by ours, at least), times (our time divided by raw's, at most), rate (operations
    per second, at least), ms (at most), mb (peak memory, at most), least and most (of what is counted, not timed).
    """

    kind: Literal["share", "times", "rate", "ms", "mb", "least", "most"]
    value: float


class Result(NamedTuple):
    """One line of the report.

    ways: by name, `ours` and `raw` among them, further ones for comparisons. peak_mb: of a process that does our work
    alone. value: what was counted, where that is the figure. skipped: why there are no figures. told: what else was
    found, by name.
    """

    case: str
    operations: int = 0
    ways: Mapping[str, Figure] = {}
    budgets: tuple[Budget, ...] = ()
    peak_mb: float | None = None
    value: float | None = None
    skipped: str | None = None
    told: Mapping[str, float] = {}

    @property
    def share(self) -> float | None:
        """Raw's time divided by ours: our throughput as a share of raw's."""
        ours, raw = self.ways.get("ours"), self.ways.get("raw")
        return None if ours is None or raw is None else raw.wall_s / ours.wall_s

    @property
    def met(self) -> bool | None:
        """Whether every budget is kept; None when there is none to keep."""
        if self.skipped is not None or not self.budgets:
            return None
        return all(self._keeps(budget) for budget in self.budgets)

    def _keeps(self, budget: Budget) -> bool:
        ours, share = self.ways.get("ours"), self.share
        match budget.kind:
            case "share":
                return share is not None and share >= budget.value
            case "times":
                return share is not None and 1 / share <= budget.value
            case "rate":
                return ours is not None and 1 / ours.wall_s >= budget.value
            case "ms":
                return ours is not None and ours.wall_s * 1e3 <= budget.value
            case "mb":
                return self.peak_mb is not None and self.peak_mb <= budget.value
            case "least":
                return self.value is not None and self.value >= budget.value
            case "most":
                return self.value is not None and self.value <= budget.value


class Bench(NamedTuple):
    """What every case is given. folder: where its files go. data: real histories, when they are there."""

    folder: Path
    data: Path
    rounds: int = 5
    quick: bool = False
    large: bool = False

    def size(self, full: int, quick: int) -> int:
        """How much work: enough to measure, or just enough to see that it works."""
        return quick if self.quick else full

    def compare(self, ways: Mapping[str, Prepare], operations: int) -> dict[str, Figure]:
        """The cost of one operation each way; operations: how many one round does."""
        takes: dict[str, list[_Take]] = {name: [] for name in ways}
        for number in range(1 if self.quick else 0, self.rounds + 1):
            for name in sorted(ways, reverse=number % 2 == 1):
                take = _take(ways[name]())
                if number:  # the first round only warms up
                    takes[name].append(take)
        return {
            name: Figure(
                median(take.wall_s for take in taken) / operations, median(take.cpu_s for take in taken) / operations
            )
            for name, taken in takes.items()
        }

    def latencies(self, ways: Mapping[str, Callable[[], float]], operations: int) -> dict[str, Figure]:
        """How long single operations take. Each way does one and gives its seconds; ways take turns after each one."""
        takes: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(-(operations // 10 + 1), operations * self.rounds):
            for name, way in ways.items():
                took = way()
                if number >= 0:  # those before only warm up
                    takes[name].append(took)
        return {name: latency(taken) for name, taken in takes.items()}


Case = Callable[[Bench], Iterator[Result]]


def latency(taken: Sequence[float]) -> Figure:
    """The figure of operations that were timed one by one, in seconds."""
    ordered = sorted(taken)
    middle = median(ordered)
    return Figure(middle, median_s=middle, p95_s=ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))])


class _Take(NamedTuple):
    wall_s: float
    cpu_s: float


def _take(work: Callable[[], object]) -> _Take:
    gc.collect()
    cpu, wall = _cpu_s(), perf_counter()
    work()
    return _Take(perf_counter() - wall, _cpu_s() - cpu)


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
