"""The house itself: source roots, packaging and locked requirements."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
NAMESPACES = [HOUSE / folder for folder in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
PACKAGES = [package.parent for namespace in NAMESPACES for package in sorted(namespace.glob("*/__init__.py"))]


def test_the_four_source_roots_are_known():
    assert [namespace.parent.name for namespace in NAMESPACES] == ["domain", "projections", "adapters", "cli"]
    assert sorted(package.name for package in PACKAGES) == ["adapters", "cli", "domain", "ledger", "projections"]


@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda path: path.parent.name)
def test_no_module_stands_directly_in_the_namespace(namespace: Path):
    assert list(namespace.glob("*.py")) == []  # an __init__.py here makes the other layers vanish


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for namespace in NAMESPACES for path in namespace.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []  # no contract would see it


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_package_ships_its_types(package: Path):
    assert (package / "py.typed").is_file()


def test_a_wheel_holds_every_module_of_every_source_root(tmp_path: Path):
    sources = {
        path.relative_to(namespace.parent).as_posix()
        for namespace in NAMESPACES
        for path in namespace.rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=HOUSE, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())

    assert sources - shipped == set()
    assert {f"goal_ledger/{package.name}/py.typed" for package in PACKAGES} <= shipped
    assert "goal_ledger/__init__.py" not in shipped
    assert {name.split("/")[0].split("-")[0] for name in shipped} == {"goal_ledger"}


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_locked_requirements_name_no_registry(name: str):
    text = (HOUSE / "requirements" / name).read_text(encoding="utf-8")

    assert [word for word in ("://", "file:", "--index-url", "--extra-index-url", "--find-links") if word in text] == []
    assert "--hash=sha256:" in text


def test_the_installed_version_is_the_declared_one():
    assert importlib.metadata.version("goal-ledger") == PYPROJECT["project"]["version"]


# --- Which way the arrows run


def modules() -> dict[str, Path]:
    """Every module of the product, by name."""
    found = {}
    for namespace in NAMESPACES:
        for path in namespace.rglob("*.py"):
            parts = path.relative_to(namespace.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: set[str]) -> Iterator[str]:
    """The modules of the product that a module imports: at its top, in a function, or for types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in known else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_no_imports_of_any_kind_run_in_a_circle():
    found = modules()
    assert len(found) > 200
    graph = {name: {other for other in imported(path, set(found)) if other in found and other != name}
             for name, path in found.items()}  # fmt: skip
    TopologicalSorter(graph).prepare()  # CycleError names the circle


def test_the_contracts_on_directions_cover_every_module():
    contracts = {each["id"]: each for each in PYPROJECT["tool"]["importlinter"]["contracts"]}
    for layer in ("ledger", "domain", "projections", "cli", "adapters"):
        assert contracts[layer]["exhaustive"], layer
        assert "ignore_imports" not in contracts[layer]
    assert "exclude_type_checking_imports" not in PYPROJECT["tool"]["importlinter"]
