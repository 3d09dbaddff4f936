"""The answer of the router, kept while goals change and time passes."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from goal_ledger.domain.policies import MOST_KEPT, Ranked, digest_of_list, id_and_score
from goal_ledger.domain.settings import Weights
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.domain.work.router import CLOSED, ROUTER, Choice, Place, Work, judged, place


class ServingOrder:
    """What the router says of the goals given so far, judging again only those that a change concerns.

    A goal is concerned when it changed itself, when one that it depends on or one above it did, when its pause began or
    ended, and on the last day before its deadline, when it becomes more urgent all the time. Closed goals are
    remembered as long as an open one needs them. About 1 kB a goal. weights: None leaves out what a goal is worth.
    policy: the version of the router.
    """

    def __init__(self, weights: Weights | None, policy: str = ROUTER) -> None:
        self._weights = weights
        self._policy = policy
        self._known: dict[str, Work] = {}
        self._named_by: dict[str, set[str]] = {}
        self._pauses: list[tuple[str, str]] = []  # until when, goal; in order
        self._deadlines: list[tuple[str, str]] = []  # when, goal; in order
        self._choices: dict[str, Choice] = {}
        self._entries: dict[str, str] = {}
        self._places: list[Place] = []  # in order; the last field is the goal
        self._now = ""

    def update(self, changed: Mapping[str, Work], *, now: str) -> None:
        """Take over what goals are now, and the time, which may have gone back.

        changed: with what they name that is `unknown`, as far as it exists.
        """
        earlier, later = sorted((self._now, now))
        concerned = _until_between(self._pauses, earlier, later)
        concerned |= _until_between(self._deadlines, earlier, _a_day_after(later))
        self._now = now
        news = {goal_id: work for goal_id, work in changed.items() if work != self._known.get(goal_id)}
        no_longer_named: set[str] = set()
        for goal_id, work in news.items():
            no_longer_named |= self._set(goal_id, work)
        self._forget_closed({*news, *no_longer_named})
        concerned |= self._concerned_by(news)
        self._judge(concerned)

    def unknown(self, works: Iterable[Work]) -> set[str]:
        """The goals that these name and that are not known yet."""
        return {other for work in works for other in _named(work)} - self._known.keys()

    def works(self) -> Mapping[str, Work]:
        """What is known of the goals, by id; closed ones among them."""
        return self._known

    def worth(self) -> Iterator[tuple[float, str]]:
        """What each open goal is worth, in no order."""
        return ((choice.worth, choice.goal_id) for choice in self._choices.values())

    def choices(self) -> list[Choice]:
        """Every open goal, the one to serve first at the top, then those that are not eligible, with the reason."""
        return [self._choices[goal_id] for *_, goal_id in self._places]

    def choice(self, goal_id: str) -> Choice | None:
        """What the router thinks of one open goal; None when it is closed or unknown."""
        return self._choices.get(goal_id)

    def eligible(self) -> Iterator[Choice]:
        """Those that can be served, the best first."""
        return (self._choices[goal_id] for *_, goal_id in self._places[: self._eligible])

    def ranked(self) -> Ranked:
        """What a receipt keeps of those that can be served."""
        served = [goal_id for *_, goal_id in self._places[: self._eligible]]
        best = [self._choices[goal_id].scored for goal_id in served[:MOST_KEPT]]
        return Ranked(best, len(served), digest_of_list(map(self._entries.__getitem__, served)))

    @property
    def _eligible(self) -> int:
        return bisect_left(self._places, (True,))

    def _set(self, goal_id: str, work: Work | None) -> set[str]:
        """Know a goal as it is now. The goals that it named before and names no more."""
        before = self._known.pop(goal_id, None)
        if before is not None:
            _leave(self._pauses, before.not_before, goal_id)
            _leave(self._deadlines, before.estimates.deadline, goal_id)
        if work is not None:
            self._known[goal_id] = work
            _enter(self._pauses, work.not_before, goal_id)
            _enter(self._deadlines, work.estimates.deadline, goal_id)
        gone = _named(before) - _named(work)
        for other in gone:
            self._named_by[other].discard(goal_id)
            if not self._named_by[other]:
                del self._named_by[other]
        for other in _named(work) - _named(before):
            self._named_by.setdefault(other, set()).add(goal_id)
        return gone

    def _forget_closed(self, goal_ids: Iterable[str]) -> None:
        """Forget those of them that are over and that nobody names, and what they alone had named."""
        pending = list(goal_ids)
        while pending:
            goal_id = pending.pop()
            work = self._known.get(goal_id)
            if work is not None and work.status in CLOSED and goal_id not in self._named_by:
                pending.extend(self._set(goal_id, None))

    def _concerned_by(self, changed: Iterable[str]) -> set[str]:
        """These goals, those that depend on them, and everything below them."""
        found, pending = set(changed), list(changed)
        dependants = {other for goal_id in pending for other in self._named_by.get(goal_id, ())}
        while pending:
            goal_id = pending.pop()
            below = {other for other in self._named_by.get(goal_id, ()) if self._known[other].parent_goal_id == goal_id}
            pending.extend(below - found)
            found |= below
        return found | dependants

    def _judge(self, goal_ids: set[str]) -> None:
        gone: list[Place] = []
        new: list[Place] = []
        for goal_id in goal_ids:
            if (before := self._choices.pop(goal_id, None)) is not None:
                gone.append(place(before))
                self._entries.pop(goal_id, None)
            work = self._known.get(goal_id)
            if work is not None and work.status not in CLOSED:
                choice = self._choices[goal_id] = judged(work, self._known, self._now, self._weights, self._policy)
                new.append(place(choice))
                if choice.eligible:
                    self._entries[goal_id] = id_and_score(choice.scored)
        if len(goal_ids) > len(self._places) // 8:  # sooner sorted than moved one by one
            self._places = sorted(map(place, self._choices.values()))
            return
        for at in gone:
            del self._places[bisect_left(self._places, at)]
        for at in new:
            insort(self._places, at)


def _named(work: Work | None) -> set[str]:
    """What the router looks at beside a goal: what is above it and, while it is open, what it depends on."""
    if work is None:
        return set()
    above = set() if work.parent_goal_id is None else {work.parent_goal_id}
    return above if work.status in CLOSED else above.union(work.dependencies)


def _enter(times: list[tuple[str, str]], time: str | None, goal_id: str) -> None:
    if time is not None:
        insort(times, (time, goal_id))


def _leave(times: list[tuple[str, str]], time: str | None, goal_id: str) -> None:
    if time is not None:
        del times[bisect_left(times, (time, goal_id))]


def _until_between(times: Sequence[tuple[str, str]], first: str, last: str) -> set[str]:
    """The goals whose time lies behind one instant and not behind the other."""
    start = bisect_right(times, first, key=_time)
    return {goal_id for _, goal_id in times[start : bisect_right(times, last, key=_time)]}


def _time(entry: tuple[str, str]) -> str:
    return entry[0]


def _a_day_after(now: str) -> str:
    try:
        return utc_text(parse_utc(now) + timedelta(days=1))
    except OverflowError:
        return now
