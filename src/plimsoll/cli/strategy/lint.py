"""The check of a strategy file: every finding, less those that somebody allowed with a reason.

It reads source and runs nothing. It sees what is written out, not what is reached in a roundabout
way: a help for honest people, no wall against others.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.cli.strategy.habits import places
from plimsoll.cli.strategy.names import Names, Place
from plimsoll.cli.strategy.rules import RULES, Finding

_ALLOWANCE: Final = re.compile(r"#\s*plimsoll:\s*allow\(([^)]*)\)\s*(.*)")


class _Allowance(NamedTuple):
    """A comment that silences one code in one line."""

    line: int
    """Of the code it stands for."""
    code: str
    reason: str


def check_file(path: Path, root: Path) -> list[Finding]:
    """Return the findings of a file, and of those beside it that it imports.

    Args:
        path: Of the file.
        root: Directory from which files are named.

    Raises:
        SyntaxError: one of them is no Python.
    """
    found: list[Finding] = []
    seen: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        findings, imported = check_text(file.read_text(encoding="utf-8"), _named(file, root))
        found += findings
        beside = (file.parent / f"{name.partition('.')[0]}.py" for name in imported)
        waiting += [other.resolve() for other in beside if other.is_file()]
    return found


def check_text(text: str, name: str) -> tuple[list[Finding], list[str]]:
    """Return the findings of one source text, by line, and the modules it imports.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(text, name)
    names = Names()
    names.visit(tree)
    found = dict.fromkeys((*names.found, *places(tree, names)))
    kept = _allowed(sorted(found), list(_allowances(text)))
    findings = [Finding(name, line, RULES[code], what) for line, code, what in kept]
    return findings, names.imported


def _allowed(found: list[Place], allowances: list[_Allowance]) -> list[Place]:
    """Return the places nobody allowed, and what is wrong with the allowances."""
    rows: list[Place] = []
    used: set[_Allowance] = set()
    for line, code, what in found:
        for one in allowances:
            if (one.line, one.code) == (line, code) and one.reason:
                used.add(one)
                break
        else:
            rows.append((line, code, what))
    for one in allowances:
        if one.code not in RULES:
            rows.append((one.line, "allow", f"there is no code {one.code!r}"))
        elif not one.reason:
            rows.append((one.line, "allow", f"allow({one.code}) without a reason"))
        elif one not in used:
            rows.append((one.line, "idle-allow", f"allow({one.code})"))
    return sorted(rows)


def _allowances(text: str) -> Iterator[_Allowance]:
    """Yield the comments; one that stands alone is meant for the next line."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        match = _ALLOWANCE.match(token.string) if token.type == tokenize.COMMENT else None
        if match is not None:
            line = token.start[0]
            is_alone = lines[line - 1].lstrip().startswith("#")
            for code in match[1].split(","):
                yield _Allowance(line + is_alone, code.strip(), match[2].strip())


def _named(path: Path, root: Path) -> str:
    whole = root.resolve()
    return str(path.relative_to(whole) if path.is_relative_to(whole) else path)
