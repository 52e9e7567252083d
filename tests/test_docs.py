"""The documentation names only what exists: links, commands, options, tests, targets, settings."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted(DOCS.rglob("*.md")),
]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (\S.*)$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PYTHON = re.compile(r"([\w/]+\.py)(?:::(\w+))?")
ROOTS = (REPOSITORY, REPOSITORY / "tests", REPOSITORY / "src" / "plimsoll")
ELSEWHERE = ("strategies/",)  # files of a user's project
TARGET = re.compile(r"^make (?:-\w+ )*([a-z-]+)")
END_OF_COMMAND = frozenset({"|", "&", "&&", ";", ">", "2>", "#"})


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def prose(text: str) -> str:
    """Return a page without its code: brackets there are no links."""
    return SPAN.sub("", FENCED.sub("", text))


def code_lines(text: str) -> Iterator[str]:
    """Yield what a page shows as code, line by line; Python, TOML and pictures are no commands."""
    for language, block in FENCED.findall(text):
        if language in ("", "sh", "bash", "console"):
            yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
    bare = FENCED.sub("", text)
    yield from INDENTED.findall(bare)
    yield from SPAN.findall(bare)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    slugs = (re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)
    return set(slugs)


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words behind ``plimsoll`` in each command a page shows."""
    for line in code_lines(text):
        found = re.match(r"(?:uv run |\.venv/bin/)?plimsoll (.+)", line)
        if found is None:
            continue
        words = shlex.split(found[1], comments=True)
        end = next((at for at, word in enumerate(words) if word in END_OF_COMMAND), len(words))
        yield words[:end]


def names_in(path: Path) -> set[str]:
    return {getattr(node, "name", "") for node in ast.walk(ast.parse(path.read_text()))}


@every_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(prose(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@every_page
def test_commands_and_options_exist(page: Path) -> None:
    arguments = pytest.importorskip("plimsoll.cli.arguments", reason="there is no command line yet")
    commands = pytest.importorskip("plimsoll.cli.commands").COMMANDS
    failure = pytest.importorskip("plimsoll.cli.failure").Failure
    wrong = []
    for words in commands_in(page.read_text()):
        if words[0] in ("--help", "--version", "COMMAND"):
            continue
        try:
            command, rest = arguments.find(commands, words)
        except failure as error:
            wrong.append(f"plimsoll {' '.join(words)}: {error}")
            continue
        known = {argument.name for argument in command.arguments} | {"--help"}
        options = {word.partition("=")[0] for word in rest if word.startswith("--")}
        wrong += [f"plimsoll {command.words} {option}" for option in sorted(options - known)]
    assert wrong == []


@every_page
def test_named_files_and_tests_exist(page: Path) -> None:
    missing = []
    for span in SPAN.findall(page.read_text()):
        found = PYTHON.fullmatch(span)
        if found is None or span.startswith(ELSEWHERE):
            continue
        path = next((root / found[1] for root in ROOTS if (root / found[1]).is_file()), None)
        if path is None or (found[2] and found[2] not in names_in(path)):
            missing.append(span)
    assert missing == []


@every_page
def test_make_targets_exist(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {found[1] for line in code_lines(page.read_text()) if (found := TARGET.match(line))}
    assert named - known == set()


@every_page
def test_example_configurations_are_valid(page: Path) -> None:
    layers = pytest.importorskip("plimsoll.config.layers", reason="there is no configuration yet")
    checked = pytest.importorskip("plimsoll.config.check").checked
    for language, block in FENCED.findall(page.read_text()):
        if language == "toml":
            values = tomllib.loads(block)
            values.setdefault("account", {"tag": "abc"})  # a page may show single tables
            checked([layers.Layer(name_of(page), values)])


def test_generated_pages_are_current_wherever_it_is_asked(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "index.md"
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    assert {name_of(page) for page in DOCS.rglob("*.md") if page not in listed | {index}} == set()


def test_the_readme_shows_the_example_strategy_as_it_is() -> None:
    source = (REPOSITORY / "examples" / "strategies" / "ema_cross.py").read_text()
    shown = source[source.index("class EmaCross") :].rstrip()
    assert shown in (REPOSITORY / "README.md").read_text()
