"""How often the true duplicate of a goal is found by its title: real issue titles, with the duplicates people marked.

R@1, R@5: of the issues that have a marked duplicate, those for which one comes first, or among the first five. Every
way is called as `domain.similar.nearest` is: it gets the titles with each question and keeps nothing between two.
"""

import gzip
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from heapq import nsmallest
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import orjson

from benchmarks.measure import Bench, Budget, Figure, Result, latency
from goal_ledger.domain.similar import Candidate, Near, nearest
from goal_ledger.domain.words import likeness, words
from goal_ledger.ledger import Ledger, Settings

_MOST = 5
_OURS = "tf-idf of three letters"
_FUZZY = ("token_set_ratio", "token_sort_ratio", "ratio", "WRatio")
_QUICK = (
    ("Fix the build on Debian", "Build fails on Debian"),
    ("Speed up the listing of large folders", "Listing large folders is slow"),
    ("Update the manual", "The manual is out of date"),
)


class Way(Protocol):
    """Finds the candidates that are most like a text, the best first."""

    def __call__(self, text: str, candidates: Sequence[Candidate], *, limit: int) -> Sequence[Near]: ...


def similar(bench: Bench) -> Iterator[Result]:
    """Ask for each issue that has a marked duplicate, each way; then the ledger itself, one question after another."""
    issues, pairs = bench.data / "issues_hadoop.jsonl.gz", bench.data / "dup_pairs_hadoop.jsonl.gz"
    if bench.quick:
        titles = [Candidate(f"{pair}{side}", _QUICK[pair][side]) for pair in range(len(_QUICK)) for side in range(2)]
        same = {f"{pair}{side}": {f"{pair}{1 - side}"} for pair in range(len(_QUICK)) for side in range(2)}
    elif issues.exists() and pairs.exists():
        titles = [Candidate(row["issue_id"], row["title"]) for row in _rows(issues)]
        same = _duplicates(_rows(pairs))
    else:
        yield Result("similar goals", skipped=f"{issues.name} or {pairs.name} is not there")
        return
    for name, way in (_ways() | _fuzzy()).items():
        yield from _judged(name, way, titles, same)
    if not _fuzzy():
        yield Result("R@1, R@5: rapidfuzz", skipped="not installed; make bench installs it")
    yield _asked_of_a_ledger(bench, titles, sorted(same))


def recalled(found: Mapping[str, Sequence[Near]], same: Mapping[str, Iterable[str]], most: int) -> float:
    """The share of the questions with a true answer among the first so many. same: the true ones, by question."""
    hits = sum(any(near.id in same[asked] for near in nears[:most]) for asked, nears in found.items())
    return hits / len(found)


def _judged(name: str, way: Way, titles: Sequence[Candidate], same: Mapping[str, set[str]]) -> Iterator[Result]:
    found, took = {}, []
    for asked in titles:
        if asked.id in same:
            others = [title for title in titles if title.id != asked.id]
            begun = perf_counter()
            found[asked.id] = way(asked.text, others, limit=_MOST)
            took.append(perf_counter() - begun)
    is_ours = name == _OURS
    yield Result(f"R@1: {name}", len(found), value=recalled(found, same, 1))
    yield Result(
        f"R@5: {name}",
        len(found),
        value=recalled(found, same, _MOST),
        budgets=(Budget("least", 0.60),) if is_ours else (),
    )
    yield Result(f"a question: {name}", len(found), {"ours": latency(took)}, (Budget("ms", 200),) if is_ours else ())


def _asked_of_a_ledger(bench: Bench, titles: Sequence[Candidate], asked: Sequence[str]) -> Result:
    """`goals.similar` by id, the titles as goals."""
    with Ledger.open(bench.folder / "similar.db", actor="cli:bench", settings=Settings(durable=False)) as ledger:
        goals = {title.id: ledger.goals.create(title.text).goal_id for title in titles}
        ledger.views.catch_up()
        figure: Figure = latency([_seconds(partial(ledger.goals.similar, goals[one])) for one in asked])
    return Result(f"goals.similar, {len(titles):,} goals", len(asked), {"ours": figure}, (Budget("ms", 200),))


def _ways() -> dict[str, Way]:
    """The ways by name."""
    return {
        _OURS: nearest,
        "FTS5 trigram, bm25": _FullText("trigram", lambda text: [text[at : at + 3] for at in range(len(text) - 2)]),
        "FTS5 porter, bm25": _FullText("porter", words),
        "words in common (Jaccard)": _jaccard,
    }


def _fuzzy() -> dict[str, Way]:
    """rapidfuzz's scorers by name; none when it is not installed."""
    try:
        from rapidfuzz import fuzz
    except ImportError:
        return {}
    return {f"rapidfuzz {scorer}": _Fuzzy(getattr(fuzz, scorer)) for scorer in _FUZZY}


class _FullText:
    """SQLite's full-text search: any of the text's pieces. cut: makes the pieces that the tokenizer makes."""

    def __init__(self, tokenizer: str, cut: Callable[[str], Iterable[str]]) -> None:
        self._tokenizer, self._cut = tokenizer, cut

    def __call__(self, text: str, candidates: Sequence[Candidate], *, limit: int) -> Sequence[Near]:
        pieces = sorted({piece.replace('"', '""') for piece in self._cut(text.casefold())})
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(
                f"CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text, tokenize='{self._tokenizer}')"
            )
            connection.executemany("INSERT INTO texts VALUES (?, ?)", candidates)
            found = connection.execute(
                "SELECT id, -bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), id LIMIT ?",
                (" OR ".join(f'"{piece}"' for piece in pieces), limit),
            )
            return [Near(*row) for row in found]


class _Fuzzy:
    """One of rapidfuzz's scorers, on lower-case text."""

    def __init__(self, scorer: Callable[..., float]) -> None:
        self._scorer = scorer

    def __call__(self, text: str, candidates: Sequence[Candidate], *, limit: int) -> Sequence[Near]:
        from rapidfuzz import process

        texts = {candidate.id: candidate.text.casefold() for candidate in candidates}
        found: list[Any] = process.extract(text.casefold(), texts, scorer=self._scorer, limit=limit)
        return [Near(key, score / 100) for _, score, key in found]


def _jaccard(text: str, candidates: Sequence[Candidate], *, limit: int) -> Sequence[Near]:
    own = words(text)
    found = (Near(candidate.id, likeness(own, words(candidate.text))) for candidate in candidates)
    return nsmallest(limit, found, key=lambda near: (-near.score, near.id))


def _duplicates(pairs: Iterable[Any]) -> dict[str, set[str]]:
    same: dict[str, set[str]] = {}
    for pair in pairs:
        same.setdefault(pair["a"], set()).add(pair["b"])
        same.setdefault(pair["b"], set()).add(pair["a"])
    return same


def _rows(path: Path) -> list[Any]:
    with gzip.open(path) as lines:
        return [orjson.loads(line) for line in lines]


def _seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun
