"""The figures as a table for people, and as JSON for comparisons."""

import os
import platform
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Bench, Budget, Figure, Result

_WIDTHS = (44, 10, 10, 7, 13, 17, 8, 15)
_HEAD = ("case", "ours", "raw", "ratio", "cpu ours/raw", "budget", "", "one: median/p95")


def machine(folder: Path) -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "folder": str(folder),
        "filesystem": _filesystem(folder),
    }


def heading(where: dict[str, Any], bench: Bench) -> Iterator[str]:
    """What is said before the first figure."""
    yield (
        f"Python {where['python']}, SQLite {where['sqlite']}, {where['system']}, {where['cores']} cores, "
        f"{where['filesystem']} at {where['folder']}"
    )
    size = "quick sizes, good for nothing but a look" if bench.quick else "full sizes"
    yield f"medians of {bench.rounds} rounds, ours and raw in turns; {size}"
    yield ""
    yield _line(_HEAD)
    yield "-" * sum(_WIDTHS)


def line(result: Result) -> str:
    """One case. ratio: raw's time by ours, or ours by raw's (x) where the budget says so."""
    if result.skipped is not None:
        return f"{result.case}: skipped, {result.skipped}"
    ours, raw, share = result.ways.get("ours"), result.ways.get("raw"), result.share
    is_latency = ours is not None and ours.wall_s == ours.median_s
    slow_is_bad = is_latency or any(budget.kind in ("times", "ms") for budget in result.budgets)
    ratio = "" if share is None else f"{1 / share:.2f}x" if slow_is_bad else f"{share:.2f}"
    cpu = _cpu(ours, raw) if ours and raw else ""
    show = _duration if slow_is_bad else _rate
    first = show(ours) if ours else _alone(result)
    verdict = {True: "met", False: "missed", None: ""}[result.met]
    budgets = ", ".join(map(_limit, result.budgets))
    single = _single(ours) if ours else ""
    told = "".join(f"\n    {name}: {value:.4g}" for name, value in result.told.items())
    return _line((result.case, first, show(raw) if raw else "", ratio, cpu, budgets, verdict, single)) + told


def as_json(where: dict[str, Any], bench: Bench, results: list[Result]) -> dict[str, Any]:
    """Everything that was measured. Times in seconds per operation, memory in megabytes."""
    return {
        "machine": where,
        "rounds": bench.rounds,
        "quick": bench.quick,
        "results": [
            {
                "case": result.case,
                "operations": result.operations,
                "ways": {name: figure._asdict() for name, figure in result.ways.items()},
                "share_of_raw": result.share,
                "budgets": [budget._asdict() for budget in result.budgets],
                "met": result.met,
                "peak_mb": result.peak_mb,
                "value": result.value,
                "skipped": result.skipped,
                "told": dict(result.told),
            }
            for result in results
        ],
    }


def _line(cells: tuple[str, ...]) -> str:
    first, *rest = (f" {cell:>{width - 1}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return (first.strip().ljust(_WIDTHS[0]) + "".join(rest)).rstrip()


def _alone(result: Result) -> str:
    """A figure that is no time."""
    if result.value is not None:
        return f"{result.value:,}" if isinstance(result.value, int) else f"{result.value:.2f}"
    return f"{result.peak_mb:.0f} MB" if result.peak_mb is not None else ""


def _rate(figure: Figure) -> str:
    return f"{1 / figure.wall_s:,.0f}/s"


def _cpu(ours: Figure, raw: Figure) -> str:
    return "" if ours.cpu_s is None or raw.cpu_s is None else _pair(ours.cpu_s, raw.cpu_s)


def _single(figure: Figure) -> str:
    return "" if figure.median_s is None or figure.p95_s is None else _pair(figure.median_s, figure.p95_s)


def _pair(one: float, other: float) -> str:
    scale, unit = (1e6, "µs") if one < 1e-3 else (1e3, "ms")
    return f"{_short(one * scale)}/{_short(other * scale)} {unit}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _duration(figure: Figure) -> str:
    if abs(figure.wall_s) < 1e-3:
        return f"{_short(figure.wall_s * 1e6)} µs"
    return f"{_short(figure.wall_s * 1e3)} ms"


def _limit(budget: Budget) -> str:
    value = budget.value
    match budget.kind:
        case "share":
            return f"≥ {value:.2f}"
        case "times":
            return f"≤ {value:g}x"
        case "rate":
            return f"≥ {value / 1000:g}k/s"
        case "ms":
            return f"≤ {value:g} ms"
        case "mb":
            return f"≤ {value:g} MB"
        case "least":
            return f"≥ {value:g}"
        case "most":
            return f"≤ {value:g}"


def _filesystem(folder: Path) -> str:
    """The type of the file system, where the machine tells."""
    try:
        mounts = [mount.split()[1:3] for mount in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return "files"
    holding = [(len(point), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(holding)[1] if holding else "files"
