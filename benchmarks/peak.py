"""Peak memory of one piece of work, in a process of its own: `python -m benchmarks.peak WORK FILE…`."""

import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from goal_ledger.ledger import Ledger


def peak_mb(work: str, *paths: Path) -> float:
    """The most memory that the work held at once, in megabytes of 10⁶ bytes, the interpreter included."""
    command = [sys.executable, "-m", "benchmarks.peak", work, *map(str, paths)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _imports(log: str, records: str) -> None:
    with Ledger.open(log, actor="cli:bench") as ledger:
        ledger.imports.runs(records)


def _rebuild(log: str) -> None:
    with Ledger.open(log, actor="cli:bench", create=False) as ledger:
        ledger.views.rebuilds.rebuild()


_WORK: Mapping[str, Callable[..., None]] = {"imports": _imports, "rebuild": _rebuild}


def _high_water_mb() -> float:
    # ru_maxrss of a new process begins with what its parent held; Linux keeps the process's own mark here.
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


if __name__ == "__main__":
    _, chosen, *given = sys.argv
    _WORK[chosen](*given)
    print(_high_water_mb())
