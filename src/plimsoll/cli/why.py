"""``why``: the chain of records behind an order, a fill, a denial or a halt."""

from pathlib import Path
from typing import Any

import msgspec

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.books import Books, load_books
from plimsoll.why import Index, NotFound, Step, Story, tell
from plimsoll.why.subjects import HALT


def why(id: str, project: str, env: str, *, json: bool) -> Exit:
    """Print the chain, oldest first.

    Raises:
        Failure: nothing is called so, or the log is damaged.
    """
    books = load_books(Path(project), env)
    with damage_told(books):
        index = open_index(books)
        try:
            index.refresh()
            story = tell(index, id)
        except NotFound as error:
            near = f"did you mean {', '.join(error.near)}?" if error.near else ""
            hint = near or "plimsoll orders --all lists orders; journal tail shows every record"
            what = "there was no halt yet" if id == HALT else str(error)
            raise Failure(Exit.USAGE, "not-found", what, hint) from error
        finally:
            index.close()
    if json:
        print_json({"name": story.name, "steps": [_document(step) for step in story.steps]})
    else:
        print("\n".join(_lines(story)))
    return Exit.DONE


def open_index(books: Books) -> Index:
    """Return the index of a project's journal; it is kept beside the run files."""
    return Index(journal_of(books), books.layout.run_dir / "why.sqlite")


def _lines(story: Story) -> list[str]:
    begin = story.steps[0].ts_ns if story.steps else 0
    lines = [f"{story.name}: {len(story.steps)} steps, from {text.moment(begin)} UTC"]
    for step in story.steps:
        after_ms = (step.ts_ns - begin) / 1e6
        number = f"{step.seq:>9}" if step.record is not None else " " * 9
        cause = f"<-{step.cause}" if step.cause and step.record is not None else ""
        lines.append(f"{number}  {after_ms:>+12.3f} ms  {cause:<11} {step.label:<9} {step.text}")
    return lines


def _document(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {
        "seq": step.seq,
        "ts_ns": step.ts_ns,
        "cause": step.cause,
        "label": step.label,
        "text": step.text,
    }
    if step.record is not None:
        fields = step.record.__struct_fields__
        values = msgspec.to_builtins(step.record)[1:]
        found["record"] = dict(zip(fields, values, strict=False))
    return found
