"""`python -m benchmarks`: measure, print, judge nothing."""

import argparse
import tempfile
from pathlib import Path

import orjson

from benchmarks.cases import GROUPS, by_name, chosen
from benchmarks.measure import Bench, Result
from benchmarks.report import as_json, heading, line, machine

_DATA = Path(__file__).parents[2] / "shared" / "data"


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for and print a line per figure as it comes."""
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="goal-ledger-bench-", dir=given.dir) as folder:
        rounds = given.rounds or (1 if given.quick else 5)
        bench = Bench(Path(folder), _DATA, rounds, given.quick, given.large)
        where = machine(bench.folder.parent)
        results: list[Result] = []
        for text in heading(where, bench):
            print(text)
        for case in chosen(given.only):
            for result in case(bench):
                results.append(result)
                print(line(result), flush=True)
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(as_json(where, bench, results), option=orjson.OPT_INDENT_2) + b"\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*GROUPS, *by_name()]
    parser.add_argument("--only", action="append", choices=names, default=[], help="a case or group; may be repeated")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds to take the median of (5; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run at all?")
    parser.add_argument("--large", action="store_true", help="memory of a rebuild at 10 million events too")
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="where the files go; the disk is part of the answer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file too")
    return parser


if __name__ == "__main__":
    main()
