"""Key results and experiments: their data, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

if TYPE_CHECKING:
    from goal_ledger.domain.goals.experiment import Report
    from goal_ledger.ledger import Ledger
    from goal_ledger.projections.goals.goal_definitions import GoalRow


def key_result_data(_: Ledger, row: GoalRow) -> Data:
    """A key result: where it began, where it is and where it should get."""
    return {
        "goal_id": row.goal_id,
        "objective_id": row.parent_goal_id,
        "title": row.title,
        "status": row.status,
        "baseline": row.baseline,
        "current": row.current,
        "target": row.target,
        "unit": row.unit,
        "progress": row.progress,
        "measured_at": row.measured_at,
    }


def whole_key_result_data(ledger: Ledger, row: GoalRow) -> Data:
    """A key result with every value."""
    history = [value._asdict() for value in ledger.key_results.history(row.goal_id).rows]
    return {**key_result_data(ledger, row), "history": history}


def report_data(_: Ledger, found: tuple[str, Report]) -> Data:
    """How the experiment of this id stands."""
    goal_id, report = found
    arms = [arm._asdict() for arm in report.arms]
    verdict = "inconclusive" if report.winner is None else "winner"
    return {"goal_id": goal_id, "verdict": verdict, **report._asdict(), "arms": arms}


def key_result_line(row: Data) -> None:
    """A short confirmation after a measurement."""
    draw.line(
        (row["goal_id"], "bold"), (_amount(row["current"], row["unit"]), ""), (draw.percent(row["progress"]) or "", "")
    )


def key_results(rows: Sequence[Data]) -> None:
    """A table of key results."""
    draw.table(
        rows,
        draw.ids("goal", "goal_id"),
        Column("progress", lambda row: draw.percent(row["progress"]), number=True),
        Column("current", lambda row: _amount(row["current"], row["unit"]), number=True),
        Column("target", lambda row: _amount(row["target"], row["unit"]), number=True),
        Column("title", "title"),
    )


def key_result(row: Data) -> None:
    """A key result, and what it measured."""
    draw.heading(row["goal_id"], row["status"], row["title"])
    shown = {name: _amount(row[name], row["unit"]) for name in ("baseline", "current", "target")}
    draw.details(shown, {"progress": draw.percent(row["progress"]), "objective": row["objective_id"]})
    if row["history"]:
        values(row["history"])


def values(rows: Sequence[Data]) -> None:
    """Measurements, the first one first."""
    draw.table(
        rows,
        Column("position", "position", number=True, whole=draw.USUAL_WIDTH),
        draw.moments("measured", "occurred_at"),
        Column("value", lambda row: _amount(row["value"], row["unit"]), number=True),
        Column("progress", lambda row: draw.percent(row["progress"]), number=True),
        Column("by", "by"),
        Column("note", "note"),
    )


def report(data: Data) -> None:
    """How the arms of an experiment did, and who wins."""
    draw.table(
        data["arms"],
        Column("arm", "arm"),
        Column("results", "n", number=True),
        Column("rate", lambda arm: None if arm["rate"] is None else f"{arm['rate']:.3f}", number=True),
        Column("between", lambda arm: f"{arm['low']:.3f} and {arm['high']:.3f}"),
    )
    if data["winner"] is not None:
        draw.line(("winner", "green"), (data["winner"], "bold"))
    else:
        draw.inconclusive(data["further"], "results")


def _amount(value: float | None, unit: str | None) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" + ("" if not unit else unit if unit == "%" else f" {unit}")
