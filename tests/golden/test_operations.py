"""The same wish is digested alike for ever, so that a repeat of an old command id is answered and not refused."""

import ast
from fnmatch import fnmatchcase
from inspect import Parameter, signature
from pathlib import Path

import pytest

from goal_ledger.domain.base import named
from tests.golden import write
from tests.golden.wishes import OPERATIONS_FILE, WISHES, digested, golden_operations, heard

ROOT = Path(__file__).parents[2]
SOURCES = [path for layer in ("domain", "adapters", "cli") for path in sorted((ROOT / layer).rglob("*.py"))]
SAMPLES = [(operation, number) for operation, asks in WISHES.items() for number in range(len(asks))]


def operations() -> set[str]:
    """Every operation that the source names, `*` where a part of its name is put in."""
    return {
        name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        for value in (
            *(word.value for word in node.keywords if word.arg == "operation"),
            *(node.args if isinstance(node.func, ast.Name) and node.func.id == "operation" else ()),
        )
        if (name := _literal(value)) is not None
    }


def _literal(value: ast.expr) -> str | None:
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def test_every_operation_has_a_sample_and_there_are_no_others():
    found = operations()
    assert len(found) > 90 and "run.*" in found and "goal.approve" in found
    assert [name for name in found if not any(fnmatchcase(operation, name) for operation in WISHES)] == []
    assert [operation for operation in WISHES if not any(fnmatchcase(operation, name) for name in found)] == []


@pytest.mark.parametrize(("operation", "number"), SAMPLES)
def test_a_sample_is_of_the_operation_that_it_stands_under(operation: str, number: int):
    assert heard(WISHES[operation][number]).operation == operation


@pytest.mark.parametrize("operation", WISHES)
def test_a_wish_is_digested_as_ever(operation: str):
    kept = [{"wish": each["wish"], "digest": each["digest"]} for each in golden_operations().get(operation, [])]
    assert kept == digested(operation), "python -m tests.golden.write"


def test_every_golden_operation_has_its_samples():
    assert golden_operations().keys() == WISHES.keys()


def test_a_wish_is_known_by_the_digest_that_0_1_0_stored():
    checked = 0
    for operation, golden in golden_operations().items():
        for ask, kept in zip(WISHES[operation], golden, strict=True):
            wish = heard(ask)
            assert wish.is_stored_as(kept["digest"])
            assert not wish.is_stored_as("0" * 32)
            if "0.1.0" in kept:
                assert wish.first_digest == kept["0.1.0"], wish
                assert wish.is_stored_as(kept["0.1.0"])
                checked += 1
    assert checked == 160


def test_no_two_samples_have_one_digest():
    digests = [each["digest"] for golden in golden_operations().values() for each in golden]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(("operation", "number"), SAMPLES)
def test_a_wish_says_null_only_where_something_must_be_said(operation: str, number: int):
    required = {
        name
        for function in named(operation)
        for name, parameter in signature(function).parameters.items()
        if parameter.default is Parameter.empty
    }
    said = golden_operations()[operation][number]["wish"]
    assert {name for name, value in said.items() if value is None} <= required, "@operation on the method is missing"


# --- The writer


def test_the_writer_refuses_a_wish_that_is_digested_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "operations.json"
    path.write_text(OPERATIONS_FILE.read_text(encoding="utf-8").replace(
        golden_operations()["goal.retry"][0]["digest"], "0" * 32
    ), encoding="utf-8")  # fmt: skip
    before = path.read_bytes()
    monkeypatch.setattr("tests.golden.wishes.OPERATIONS_FILE", path)
    monkeypatch.setattr(write, "OPERATIONS_FILE", path)
    assert write.write_operations() == 1
    assert "goal.retry" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_the_writer_adds_what_is_missing_and_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = golden_operations()
    path = tmp_path / "operations.json"
    monkeypatch.setattr("tests.golden.wishes.OPERATIONS_FILE", path)
    monkeypatch.setattr(write, "OPERATIONS_FILE", path)
    path.write_text(write.as_text({name: golden for name, golden in whole.items() if name != "goal.retry"}))
    assert write.write_operations() == 0
    added = golden_operations()
    assert {**added, "goal.retry": None} == {**whole, "goal.retry": None}
    assert added["goal.retry"] == [{"wish": each["wish"], "digest": each["digest"]} for each in whole["goal.retry"]]
    assert OPERATIONS_FILE.read_text(encoding="utf-8") == write.as_text(whole)
