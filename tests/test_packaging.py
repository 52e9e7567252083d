"""What an installer or a reader of the repository relies on, whatever the code does."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src" / "plimsoll"
LOCKS = ("run.txt", "dev.txt")
# Spelled in pieces, so that this file passes its own test.
LEFT_OVERS = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", "HA" + "CK:"]))


def locked(name: str) -> dict[str, str]:
    """Return each package of a lock file with its pinned version."""
    text = (REPOSITORY / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+)", text, re.MULTILINE))


def declared(section: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ \[;]", requirement, maxsplit=1)[0] for requirement in section}


def python_files() -> Iterator[Path]:
    for room in ("src", "tests", "benchmarks", "examples", "docs"):
        yield from sorted((REPOSITORY / room).rglob("*.py"))


def package_inits() -> list[Path]:
    return sorted(SOURCE.rglob("__init__.py"))


@pytest.fixture(scope="module")
def pyproject() -> dict:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_address_and_no_index(name: str) -> None:
    lines = (REPOSITORY / "requirements" / name).read_text().splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    # A package has a line for each version that some Python needs.
    assert {re.split("[=; ]", block)[0] for block in blocks} == set(locked(name))
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml"])
def test_locks_that_record_addresses_are_ignored_by_git(name: str) -> None:
    assert name in (REPOSITORY / ".gitignore").read_text().splitlines()


def test_run_lock_holds_dependencies_and_build_back_end(pyproject: dict) -> None:
    wanted = declared(pyproject["project"]["dependencies"])
    wanted |= declared(pyproject["build-system"]["requires"])
    wanted |= declared(pyproject["dependency-groups"]["build"])
    assert wanted - locked("run.txt").keys() == set()


def test_dev_lock_holds_tools_of_test_and_check(pyproject: dict) -> None:
    groups = pyproject["dependency-groups"]
    wanted = declared(groups["test"]) | declared(groups["check"])
    assert wanted - locked("dev.txt").keys() == set()


def test_dev_lock_tests_the_versions_that_run() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_run_lock_holds_no_test_tools(pyproject: dict) -> None:
    tools = declared(pyproject["dependency-groups"]["test"])
    assert tools & locked("run.txt").keys() == set()


@pytest.mark.parametrize("path", package_inits(), ids=lambda path: path.parent.name)
def test_every_package_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_every_directory_of_the_source_is_a_package() -> None:
    directories = {path.parent for path in SOURCE.rglob("*.py")}
    assert {path for path in directories if not (path / "__init__.py").is_file()} == set()


def test_no_left_overs_in_python_files() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if LEFT_OVERS.search(line)
    ]
    assert found == []
