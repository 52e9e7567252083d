"""``data verify``: what is wrong with what is stored."""

from collections import Counter
from typing import Any, Final

import msgspec

from plimsoll.cli.data.common import store_of, told
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.data import Verified, verify

_SHOWN: Final = 5
"""Findings of one fault in one file that a person is shown."""


def verify_stored(project: str, env: str, *, json: bool, instrument: str, store: str) -> Exit:
    """Check every row, print each finding.

    Returns:
        DONE, or FINDINGS where there is more than a remark.

    Raises:
        Failure: nothing is stored of the instrument.
    """
    del env  # the store does not depend on it
    kept = store_of(project, store)
    with told():
        found = verify(kept, instrument)
    if json:
        print_json({"store": str(kept.directory)} | _document(found))
    else:
        print(_page(found))
    return Exit.DONE if found.is_sound else Exit.FINDINGS


def _document(found: Verified) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(found)
    return {"sound": found.is_sound} | document


def _page(found: Verified) -> str:
    shown: Counter[tuple[str, str]] = Counter()
    lines = []
    for finding in found.findings:
        shown[finding.file, finding.fault] += 1
        if shown[finding.file, finding.fault] <= _SHOWN:
            lines.append(finding.text)
    hidden = sum(found.counts.values()) - len(lines)
    if hidden:
        lines.append(f"and {hidden:,} more: --json lists up to 100 of each fault in each file")
    words = ", ".join(f"{count:,} {fault}" for fault, count in found.counts.items())
    return "\n".join(
        [*lines, f"{found.files:,} files, {found.rows:,} rows: {words or 'nothing is wrong'}"]
    )
