"""Things that are found by where they lie."""

import importlib
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from goal_ledger.domain.scan import found


@pytest.fixture
def tower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with fractions in two modules, one of them in a folder."""
    (tmp_path / "tower" / "north").mkdir(parents=True)
    for name, lines in {
        "__init__": "",
        "small": "from fractions import Fraction\nfrom tower.north.great import half\nthird = Fraction(1, 3)",
        "north/__init__": "",
        "north/great": "from fractions import Fraction as F\nhalf = again = F(1, 2)\nfifth = F(1, 5)\nnumber = 7",
        "north/empty": "",
    }.items():
        (tmp_path / "tower" / f"{name}.py").write_text(lines, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tower")
    for name in [name for name in sys.modules if name.partition(".")[0] == "tower"]:
        del sys.modules[name]


def test_what_stands_in_a_package_and_its_folders_is_found_once_each_by_module_and_definition(tower):
    great, small = importlib.import_module("tower.north.great"), importlib.import_module("tower.small")
    assert found(tower, Fraction) == [great.half, great.fifth, small.third]
    assert found(tower, int) == [great.number]


def test_a_module_that_cannot_be_imported_is_told_of(tower, tmp_path):
    (tmp_path / "tower" / "north" / "cracked.py").write_text("import nothing_of_that_name", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        found(tower, Fraction)
