"""The benchmarks run and give figures. How good the figures are is told in docs/performance.md, not tested."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.__main__ import main
from benchmarks.cases import by_name, chosen
from benchmarks.detection import Judged, Named, judge
from benchmarks.measure import Budget, Figure, Result
from benchmarks.similar import recalled
from goal_ledger.domain.similar import Near


def test_a_quick_run_gives_figures_for_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["--quick", "--only", "append", "--dir", str(tmp_path), "--json", str(tmp_path / "figures.json")])

    report = orjson.loads((tmp_path / "figures.json").read_bytes())
    assert [result["case"] for result in report["results"]] == [
        "append one event per commit, NORMAL",
        "append one event per commit, FULL",
    ]
    printed = capsys.readouterr().out
    for result in report["results"]:
        assert result["case"] in printed
        assert all(result["ways"][way]["wall_s"] > 0 for way in ("ours", "raw"))
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def _is_measured(result: dict[str, Any]) -> bool:
    """Whether a line holds a figure: counted, of memory, or of time."""
    return result["value"] is not None or bool(result["peak_mb"] or result["ways"]["ours"]["wall_s"])


ON_A_SERVER = ("claims", "postgres")


@pytest.fixture
def _server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks' server is that of the tests; it is not started for those that need none."""
    if request.getfixturevalue("name") in ON_A_SERVER:
        monkeypatch.setenv("GOAL_LEDGER_TEST_POSTGRES", request.getfixturevalue("postgres").url)


@pytest.mark.usefixtures("_server")
@pytest.mark.parametrize("size", ["--quick", pytest.param("--rounds=1", marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", by_name())
def test_each_benchmark_runs_and_gives_figures(
    name: str, size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    main([size, "--only", name, "--dir", str(tmp_path), "--json", str(tmp_path / "figures.json")])

    results = orjson.loads((tmp_path / "figures.json").read_bytes())["results"]
    named = capsys.readouterr().out
    assert len({result["case"] for result in results}) == len(results)
    assert all(result["case"] in named for result in results)
    skipped = [result["case"] for result in results if result["skipped"]]
    assert all("LangGraph" in case or "rapidfuzz" in case for case in skipped)  # only `make bench` installs them
    measured = [result for result in results if not result["skipped"]]
    assert measured and all(_is_measured(result) for result in measured)
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_where_there_is_no_server_its_cases_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("GOAL_LEDGER_TEST_POSTGRES", f"postgresql://nobody@/postgres?host={tmp_path}")
    main(["--quick", "--only", "postgres", "--dir", str(tmp_path)])

    assert "PostgreSQL: skipped, " in capsys.readouterr().out


def test_a_share_is_our_throughput_by_that_of_raw():
    ways = {"ours": Figure(wall_s=0.004, cpu_s=0.004), "raw": Figure(wall_s=0.001, cpu_s=0.001)}

    assert Result("a case", 1, ways).share == 0.25
    assert Result("a case", 1, ways, (Budget("share", 0.25), Budget("times", 4), Budget("rate", 250))).met
    assert not Result("a case", 1, ways, (Budget("share", 0.25), Budget("ms", 3.9))).met
    assert Result("a case", 1, ways).met is None


def test_every_case_belongs_to_a_group_and_can_be_named():
    assert set(chosen(["core"])) <= set(chosen([]))
    assert set(chosen(list(by_name()))) == set(by_name().values())


def test_what_is_counted_has_a_least_or_a_most():
    assert Result("a case", value=0.6, budgets=(Budget("least", 0.6), Budget("most", 0.6))).met
    assert not Result("a case", value=0.59, budgets=(Budget("least", 0.6),)).met
    assert not Result("a case", value=201, budgets=(Budget("most", 200),)).met


def test_a_finding_is_right_when_one_of_its_tasks_fails_again_within_fourteen_days():
    backup, mail = "2026-01-08T00:00:00.000000Z", "2026-01-22T00:00:00.000001Z"
    begun = {"backup": [backup], "mail": [mail]}
    scan = "2026-01-08T00:00:00.000000Z"  # behind the one, and a microsecond too long before the other
    assert judge([Named(scan, frozenset({"backup", "mail"}))], begun) == Judged(precision=0.0, recall=0.0)

    later = "2026-01-08T00:00:00.000001Z"
    right, wrong = Named(later, frozenset({"backup", "mail"})), Named(later, frozenset({"backup"}))
    assert judge([right, wrong], begun) == Judged(precision=0.5, recall=0.5)
    assert judge([right, right], begun) == Judged(precision=1.0, recall=0.5)
    assert judge([], begun) == Judged(precision=0.0, recall=0.0)


def test_a_duplicate_is_recalled_when_a_true_one_is_among_the_first():
    found = {"a": [Near("b", 0.9), Near("c", 0.5)], "b": [Near("c", 0.8), Near("a", 0.7)], "c": []}
    same = {"a": {"b"}, "b": {"a"}, "c": {"a"}}
    assert recalled(found, same, 1) == 1 / 3
    assert recalled(found, same, 5) == 2 / 3
