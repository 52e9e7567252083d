"""The page of the records of the log, with their fields."""

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping

from generating.page import made_from, one_line, page, words_of
from plimsoll.core import records
from plimsoll.core.records.stored import STORED


def records_page() -> str:
    """Return every record of the log with its fields."""
    told = _docstrings()
    lines = [
        "# The records of the log",
        "",
        *made_from("src/plimsoll/core/records"),
        "One record is one line of `plimsoll journal tail`. Every record begins with four fields:",
        "",
        "| field | meaning |",
        "|---|---|",
        "| `seq` | position in the journal; orders everything over both logs |",
        "| `ts_ns` | Unix time at session start plus monotonic time elapsed; never steps |",
        "| `epoch` | number of the session; grows at every start |",
        "| `cause` | seq of the record that led to this one, 0 for none |",
        "",
        "Prices are ticks, quantities lots, money cash units (1e-8 coin); `core/model` converts.",
        "Records are stored as positional arrays with their tag in front. Fields are only ever",
        "appended, with defaults.",
        "",
    ]
    groups: tuple[tuple[str, str, Iterable[type[records.Record]]], ...] = (
        ("Inputs", "Facts from outside, in the **trading** log.", records.INPUTS),
        (
            "Market inputs",
            "Made from the raw public frames of the **market** log by the venue's pure parser, "
            "live and on replay alike; never stored in this form.",
            records.MARKET_INPUTS,
        ),
        (
            "Decisions",
            "What the core chose, in the **trading** log; a replay must make them again.",
            records.DECISIONS,
        ),
        ("Telemetry", "In the **market** log; the core ignores it.", (records.Telemetry,)),
    )
    for title, text, kinds in groups:
        lines += [f"## {title}", "", text, "", "| tag | record | fields | meaning |"]
        lines += ["|---|---|---|---|", *(_record_row(kind, told) for kind in kinds), ""]
    return page(lines)


def _record_row(kind: type[records.Record], told: Mapping[str, str]) -> str:
    own = kind.__struct_fields__[len(records.Record.__struct_fields__) :]
    fields = " ".join(f"`{name}`" for name in own)
    meaning = words_of(told, kind.__name__, "record")
    return f"| `{kind.__struct_config__.tag}` | {kind.__name__} | {fields} | {meaning} |"


def _docstrings() -> dict[str, str]:
    """Return the docstring of each record, those of its fields behind it, on one line."""
    told = {}
    modules = sorted({kind.__module__ for kind in (*STORED, *records.MARKET_INPUTS)})
    sources = [ast.parse(inspect.getsource(sys.modules[name])) for name in modules]
    for node in (node for source in sources for node in source.body):
        if not isinstance(node, ast.ClassDef):
            continue
        words = [ast.get_docstring(node) or ""]
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                note = _text_of(text)
                words += [f"`{field.target.id}`: {note}"] if note else []
        told[node.name] = one_line(" ".join(words))
    return told


def _text_of(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""
