"""Every case by group. A further group compares more ways: `Bench.compare` takes any number of them."""

from collections.abc import Mapping

from benchmarks.act import act
from benchmarks.append import append
from benchmarks.catchup import catchup
from benchmarks.claims import claims
from benchmarks.detection import detection
from benchmarks.diff import diff
from benchmarks.fold import fold
from benchmarks.imports import imports
from benchmarks.measure import Case
from benchmarks.peers import peers
from benchmarks.postgres import postgres
from benchmarks.processes import processes
from benchmarks.promotion import promotion
from benchmarks.ranking import ranking
from benchmarks.reads import reads
from benchmarks.rebuild import rebuild
from benchmarks.similar import similar
from benchmarks.streams import streams

GROUPS: Mapping[str, Mapping[str, Case]] = {
    "core": {
        "append": append,
        "act": act,
        "import": imports,
        "stream": streams,
        "read": reads,
        "rebuild": rebuild,
        "catchup": catchup,
        "diff": diff,
        "process": processes,
        "claims": claims,
        "rank": ranking,
        "promotion": promotion,
    },
    "quality": {"detection": detection, "similar": similar},
    "others": {"peers": peers, "fold": fold},
    "server": {"postgres": postgres},
}


def chosen(names: list[str]) -> list[Case]:
    """The cases of these names or groups, every case when none is named. KeyError: unknown name."""
    picked: dict[Case, None] = {}
    for name in names or GROUPS:
        cases = GROUPS.get(name) or {name: by_name()[name]}
        picked |= dict.fromkeys(cases.values())
    return list(picked)


def by_name() -> dict[str, Case]:
    """Every case of every group."""
    return {name: case for group in GROUPS.values() for name, case in group.items()}
