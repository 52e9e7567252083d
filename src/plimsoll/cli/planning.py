"""``reconcile --plan``: ask the venue, and say what a comparison would find and do; touch nothing.

The questions, the reading of their answers and the plan are the engine's own; they run on books
that were read from the log and are thrown away. It works with the engine dead or alive.
"""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, holder_of, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import venue_settings
from plimsoll.config.project import Project, load_project
from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.engine.explaining import Explaining
from plimsoll.core.engine.state import State
from plimsoll.core.execution.inquiry import Inquiries
from plimsoll.core.execution.reconcile import LOOKS_MAX, RULES, Action, Plan, Step
from plimsoll.core.execution.rounds import is_new_order
from plimsoll.core.records import (
    CashMoved,
    ExecutionReported,
    OrderReported,
    QueryAnswered,
    QueryIntended,
    Record,
    TimerFired,
)
from plimsoll.core.settings import CoreSettings
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.replica import Replica
from plimsoll.venues.bybit.answers import QueryRunner
from plimsoll.venues.bybit.errors import CredentialsRefused, VenueError
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.sign import Signer

_PAUSE_S: Final = 0.3
"""Between two looks: as long as the engine waits."""

_DONE: Final = "is booked by the next comparison"


class Planned:
    """Books on trial: takes what the venue says as the engine would, and keeps nothing."""

    def __init__(self, state: State, settings: CoreSettings, clock: EngineClock) -> None:
        """Begin a comparison on these books."""
        self.state = state
        self.unlisted: dict[str, None] = {}
        self._clock = clock
        explaining = Explaining(state, settings)
        self.comparing = Comparing(state, settings, Inquiries(settings.timing), explaining)
        self.comparing.looks = LOOKS_MAX  # looking again is done by reading the log again

    # ---- what a query runner needs ----

    def stamp(self) -> tuple[int, int, int, int]:
        """Return the stamp of a record that is never written."""
        return self.state.seq + 1, self._clock.now_ns(), self.state.epoch, 0

    def put(self, record: Record) -> None:
        """Apply a row, and note it as evidence."""
        state = self.state
        state.news.clear()
        state.moved.clear()
        state.apply(record)
        if isinstance(record, QueryAnswered):
            self.comparing.note(record)
            return
        is_new = False
        if isinstance(record, ExecutionReported):
            is_new = any(news is record for _, news in state.news)
        elif isinstance(record, CashMoved):
            is_new = any(row is record for row, _ in state.moved)
        elif isinstance(record, OrderReported):
            order = state.orders.of_venue(record.client_order_id, record.venue_order_id)
            is_new = is_new_order(order, record)
        self.comparing.collect(record, is_new=is_new)

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        """Take no market data: there is none."""

    def trouble(self, code: str, subject: str, words: str) -> None:
        """Note what is no part of the books."""
        self.unlisted[f"{subject}: {words}"] = None

    # ---- asking ----

    async def ask(self, rest: RestClient) -> Plan:
        """Ask the questions of one comparison and return the plan they lead to.

        Raises:
            Failure: the venue did not answer one of them.
        """
        state = self.state
        state.apply(TimerFired(*self.stamp(), 0))
        queries: list[QueryIntended] = []
        for record in self.comparing.start("plan"):
            state.apply(record)
            assert isinstance(record, QueryIntended)
            queries.append(record)
        runner = QueryRunner(rest, self, self._unlisted)
        runner.list_instruments(state.instruments)
        for query in queries:
            await runner.answer(query)
        under_way = self.comparing.under_way
        assert under_way is not None
        if under_way.failed:
            raise Failure(
                Exit.UNREACHABLE, "unreachable", under_way.failed, "an unasked venue has no plan"
            )
        if under_way.cash_failed:
            self.trouble("cash", "transaction log", f"not read: {under_way.cash_failed}")
        return self.comparing.plan()

    def _unlisted(self, name: str) -> None:
        self.trouble("unlisted", name, "not listed by this engine: in none of its books")


def plan(project: str, env: str, *, json: bool) -> Exit:
    """Print the plan; return 9 where there is anything in it.

    Raises:
        Failure: there is no log, or the venue cannot be asked.
    """
    found = load_project(Path(project), env)
    journal_of(found.books)
    made, planned = plan_of(found)
    if json:
        print_json(document(made, planned))
    else:
        print(page(made, planned))
    return Exit.FINDINGS if made.steps else Exit.DONE


def plan_of(project: Project) -> tuple[Plan, Planned]:
    """Return the plan against the log as it is now; looked at again while an engine trades."""
    made, planned = _look(project)
    for _ in range(LOOKS_MAX):
        if not made.steps or holder_of(project.books) is None:
            break
        time.sleep(_PAUSE_S)
        made, planned = _look(project)
    return made, planned


def _look(project: Project) -> tuple[Plan, Planned]:
    clock = EngineClock()
    with damage_told(project.books):
        replica = Replica(project.journal_dir)
        try:
            replica.poll()
        finally:
            replica.close()
    state = replica.core.state
    if state.settings is None or not state.instruments:
        message = f"the log of {project.books.account} lists no instrument yet"
        raise Failure(Exit.CONFIGURATION, "no-journal", message, "plimsoll run starts an engine")
    planned = Planned(state, state.settings, clock)
    settings = venue_settings(project)

    async def work() -> Plan:
        try:
            signer = Signer(settings.key, settings.secret)
        except CredentialsRefused as error:
            raise Failure(Exit.CREDENTIALS, "credentials", str(error)) from error
        async with RestClient(settings, clock, signer) as rest:
            answer = await rest.measure_offset(1)
            if not answer.is_ok:
                raise Failure(Exit.UNREACHABLE, "unreachable", f"{settings.rest_url}: no answer")
            return await planned.ask(rest)

    try:
        return asyncio.run(work()), planned
    except VenueError as error:
        raise Failure(Exit.UNREACHABLE, "unreachable", str(error)) from error


# ---- words -----------------------------------------------------------------------------------


def words_of(step: Step) -> str:
    """Return what the engine will do about a step."""
    if step.is_done:
        return f"{step.action}: {_DONE}"
    return _WILL[step.action]


_WILL: Final = {
    Action.BOOK: "book it",
    Action.ADOPT: "adopt it as foreign",
    Action.INQUIRE: "inquire: ask for it by its id",
    Action.WAIT: "wait: look again",
    Action.BLOCK: "block: no new risk on it until it agrees",
    Action.TELL: "tell: an incident, once",
    Action.OBSERVE: "observe: no new risk on it until a person decides (plimsoll adopt)",
    Action.RELEASE: "release it",
}


def document(made: Plan, planned: Planned) -> dict[str, Any]:
    """Return the plan for programs."""
    rows = [
        {
            "action": str(one.action),
            "subject": one.subject,
            "key": one.key,
            "ours": one.ours,
            "theirs": one.theirs,
            "rule": str(one.rule),
            "because": RULES[one.rule],
            "will": words_of(one),
            "evidence": {"source": one.evidence.source, "asked_ns": one.evidence.asked_ns},
        }
        for one in made.steps
    ]
    return {"steps": rows, "differences": made.differences, "notes": list(planned.unlisted)}


def page(made: Plan, planned: Planned) -> str:
    """Return the plan for people."""
    notes = [f"note: {one}" for one in planned.unlisted]
    if not made.steps:
        return "\n".join(
            ["nothing to do: orders, executions, positions and balances agree", *notes]
        )
    rows = [
        (
            one.subject,
            one.key,
            one.ours,
            one.theirs,
            f"{one.evidence.source}, {text.clock(one.evidence.asked_ns)}",
            str(one.rule),
            words_of(one),
        )
        for one in made.steps
    ]
    titles = ("what", "which", "ours", "the venue's", "shown by", "rule", "what will be done")
    rules = dict.fromkeys(one.rule for one in made.steps)
    count = f"{len(rows)} step" + ("s" if len(rows) > 1 else "")
    return "\n".join(
        [
            f"{count}; none of them sends an order, and a running engine takes them by itself",
            text.table(titles, rows),
            "",
            *(f"{rule}: {RULES[rule]}" for rule in rules),
            *notes,
        ]
    )
