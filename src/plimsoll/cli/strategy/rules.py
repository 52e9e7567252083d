"""What a strategy must not do, why, and what to do instead; the words of every finding."""

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """One code of a finding."""

    code: str
    why: str
    fix: str
    is_error: bool = True


class Finding(NamedTuple):
    """One place in a file."""

    file: str
    line: int
    rule: Rule
    what: str

    @property
    def place(self) -> str:
        """Return where it is, as editors read it."""
        return f"{self.file}:{self.line}"


_ALL: Final = (
    Rule(
        "clock",
        "a replay has another time of day than the session it repeats",
        "use self.now (Unix ns of the event being handled) and self.timer(name, seconds)",
    ),
    Rule(
        "random",
        "what is drawn here is drawn differently in a replay or another process",
        "use self.rng, the instance's own seeded stream",
    ),
    Rule(
        "order",
        "a set of texts has another order in each process, and orders would follow it",
        "go through sorted(...) of it",
        is_error=False,
    ),
    Rule(
        "concurrency",
        "callbacks run to their end one after another; what runs beside them is not recorded",
        "do it in the callback, or later with self.timer; heavy work belongs in another process",
    ),
    Rule(
        "io",
        "it holds up every strategy of the engine, and what comes in is not in the log",
        "give values as parameters; keep what must survive in state(...)",
    ),
    Rule(
        "print",
        "it writes again in every replay and restart, and a reader that stalls holds the engine up",
        "keep it in state(...) or take it out; `plimsoll why` tells what happened",
        is_error=False,
    ),
    Rule(
        "dynamic",
        "what it runs cannot be seen here",
        "write the code out, or import a module that stands beside the file",
    ),
    Rule(
        "shared",
        "all instances share it and a restart forgets it",
        "declare it in the class: name = state(...)",
    ),
    Rule(
        "forgotten",
        "a restart forgets it: it begins anew while positions and targets go on",
        "declare name = state(...) in the class, or work it out anew in on_start",
        is_error=False,
    ),
    Rule(
        "look-ahead",
        "it uses what is not known yet, or not final: a live market will not give it",
        "use closed bars up to the newest one: self.window(...)[-1], shift(1) and more",
    ),
    Rule(
        "inside",
        "names that begin with _ are the engine's and change with it",
        "use what self offers: docs/reference/strategy.md lists it",
    ),
    Rule(
        "frame",
        "bars that are not declared do not come: the callback raises and the instance is stopped",
        'declare it in the class: bars = {"1m": 200}, the frame and how many bars are kept',
    ),
    Rule(
        "callback",
        "a callback that is not called does nothing; one called otherwise raises and is stopped",
        "write its name and arguments as docs/reference/strategy.md has them",
    ),
    Rule(
        "load",
        "the engine would not start with it",
        "mend what the message names",
    ),
    Rule(
        "allow",
        "an allowance is read by the next person, who needs the reason",
        "# plimsoll: allow(code) reason",
    ),
    Rule(
        "idle-allow",
        "it silences nothing: the code it was for is gone, or the code has another name",
        "take the comment out",
        is_error=False,
    ),
)

RULES: Final = {rule.code: rule for rule in _ALL}
"""Every rule, by its code."""
