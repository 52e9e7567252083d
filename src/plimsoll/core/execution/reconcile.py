"""Comparing our books with the venue's statement (ACC-7, JRN-6): queries out, a plan back.

What the rows of a round say of executions, orders and cash is booked as they come (by id, exactly
once); then a plan says, for every difference that was or is, what shows it, which rule ends it, and
what is done. Streams and queries run side by side, so a mismatch is looked at again before it is
called a difference.

A plan never places an order: there is no step that could. Reconciliation explains, it does not
trade.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.execution.rounds import Question, Round
from plimsoll.core.model import NOT_OURS, OrderState, cash_text
from plimsoll.core.portfolio import Ledger

LOOKS_MAX: Final = 4
"""Rounds in which a mismatch must persist before it is a difference."""

POSITION_DIFFERS: Final = "position differs from the venue's"
"""Reason of the blocks that end by themselves when the positions agree."""


class Action(StrEnum):
    """What a step of a plan does. None of them reaches the venue with more than a question."""

    BOOK = "book"
    ADOPT = "adopt"
    INQUIRE = "inquire"
    WAIT = "wait"
    BLOCK = "block"
    TELL = "tell"
    OBSERVE = "observe"
    RELEASE = "release"


class Rule(StrEnum):
    """What ends a difference, by name; the words stand in ``RULES``."""

    EXECUTION_BY_ID = "execution-by-id"
    CASH_BY_CAUSE = "cash-by-cause"
    ORDER_LISTED = "order-listed"
    ORDER_NOT_LISTED = "order-not-listed"
    LOOK_AGAIN = "look-again"
    POSITION_BY_EXECUTIONS = "position-by-executions"
    WALLET_UNEXPLAINED = "wallet-unexplained"
    FIRST_START = "first-start"
    AGREEMENT = "agreement"


RULES: Final[Mapping[Rule, str]] = {
    Rule.EXECUTION_BY_ID: "an execution the venue lists is booked, once, by its id (ACC-1)",
    Rule.CASH_BY_CAUSE: "a row of the transaction log is booked under its cause, once (ACC-4)",
    Rule.ORDER_LISTED: "an open order nobody here made is taken over as foreign (ORD-12)",
    Rule.ORDER_NOT_LISTED: "an order of ours the venue does not list is asked for by its id "
    "until its fate is known; it is never declared over (ORD-10)",
    Rule.LOOK_AGAIN: f"seen once may be in flight: looked at again, up to {LOOKS_MAX} times",
    Rule.POSITION_BY_EXECUTIONS: "a position is the sum of its executions and is never set: the "
    "instrument takes no new risk until both agree (ACC-3, ACC-7)",
    Rule.WALLET_UNEXPLAINED: "a balance no cause explains is told and blocks no instrument; a "
    "large one stops new risk on the account after a while (ACC-7)",
    Rule.FIRST_START: "what the account held before this log began is foreign, and stays as it is",
    Rule.AGREEMENT: "what was held back for a difference goes on, since it is gone",
}


class Evidence(NamedTuple):
    """What shows a difference: the question, its query's id, and when it was asked, Unix ns."""

    source: str
    query_id: int
    asked_ns: int


class Step(NamedTuple):
    """One difference, what shows it, and what is done about it by which rule.

    ``subject`` is execution, cash, order, position or wallet; ``ours`` and ``theirs`` are text in
    the venue's units.
    """

    action: Action
    subject: str
    key: str
    ours: str
    theirs: str
    rule: Rule
    evidence: Evidence
    is_done: bool = False
    """It took effect with the row that showed it."""
    counts: tuple[int, int] = (0, 0)
    """Ours and theirs in lots or cash units."""
    entry: str = ""
    """The venue's entry price of a position."""


class Plan(NamedTuple):
    """Everything a finished round found, and what is done about it."""

    steps: list[Step]
    is_final: bool
    """False: nothing is concluded yet, the round is repeated."""
    differences: int
    booked: int
    """Executions that only this round brought."""
    cursor_ms: int
    """The newest execution certainly seen: the cursor never jumps a hole (HND-5)."""
    cash_ms: int
    """The same of the transaction log, 0 where it had no row."""
    reads_cash: bool
    """Whether the transaction log was read."""
    told: dict[tuple[str, str], tuple[int, int]]
    """Everything that differs, with ours and theirs, told now or before."""

    @property
    def unexplained(self) -> dict[str, int]:
        """Return what balances are beyond our causes, by coin: theirs less ours."""
        wallet = {key: one for (subject, key), one in self.told.items() if subject == "wallet"}
        return {coin: theirs - ours for coin, (ours, theirs) in wallet.items()}


class Books(NamedTuple):
    """What the venue's statement is held against."""

    orders: OrderStore
    ledger: Ledger
    paper: frozenset[str]
    blocks: Mapping[str, str]
    observed: Mapping[str, str]
    told: Mapping[tuple[str, str], tuple[int, int]]
    """Differences told of already, with the numbers they were told with."""
    slack_units: int = 0
    """What each booked change of a balance may be off by rounding."""
    observes: bool = True
    """Whether foreign holdings of the first start wait for a person."""


def make_plan(under_way: Round, books: Books) -> Plan:
    """Return what a finished round means for the books.

    Carried out and made again it has no step left, but for orders that are still asked for.
    """
    is_first = not books.ledger.cash and not books.ledger.cursor_ms
    mismatches = [*_positions(under_way, books), *_wallet(under_way, books)]
    untold = [one for one in mismatches if not _is_told(one, books)]
    waits = bool(untold) and not is_first and under_way.looks < LOOKS_MAX
    steps = [*_done(under_way), *_missing(under_way, books)]
    if waits:
        steps += [one._replace(action=Action.WAIT, rule=Rule.LOOK_AGAIN) for one in untold]
    elif is_first:
        steps += [one._replace(action=Action.ADOPT, rule=Rule.FIRST_START) for one in mismatches]
    else:
        steps += untold
    if not waits:
        steps += _observing(under_way, books, mismatches if is_first else [])
        steps += _released(under_way, books, {one.key for one in mismatches})
    asked = (one.kind for one in under_way.asked.values())
    reads_cash = "cash" in asked and not under_way.cash_failed
    return Plan(
        steps,
        not waits,
        0 if is_first else len(mismatches),
        under_way.booked,
        under_way.newest_ms,
        under_way.newest_cash_ms if reads_cash else 0,
        reads_cash,
        {} if is_first else {(one.subject, one.key): one.counts for one in mismatches},
    )


# ---- inside ----


def _done(under_way: Round) -> Iterator[Step]:
    """Yield what took effect as its row came."""
    for subject, key, what, query_id in under_way.rows:
        action, rule = _OF_ROWS[subject]
        question = under_way.asked.get(query_id)
        source = _words(question) if question else subject
        evidence = Evidence(source, query_id, under_way.started_ns)
        yield Step(action, subject, key, "not known", what, rule, evidence, is_done=True)


_OF_ROWS: Final = {
    "execution": (Action.BOOK, Rule.EXECUTION_BY_ID),
    "cash": (Action.BOOK, Rule.CASH_BY_CAUSE),
    "order": (Action.ADOPT, Rule.ORDER_LISTED),
}


def _missing(under_way: Round, books: Books) -> Iterator[Step]:
    """Yield the live orders the venue did not list, though it should."""
    for order in books.orders.working.values():
        if (
            order.is_paper
            or order.state is OrderState.INTENT
            or order.created_ns >= under_way.started_ns
            or order.id in under_way.seen_orders
            or order.venue_id in under_way.seen_orders
        ):
            continue
        instrument = books.ledger.instruments.get(order.instrument)
        category = order.instrument.partition(":")[0]
        settle = instrument.settle if instrument and not instrument.is_spot else ""
        evidence = _evidence(under_way, Question("orders", category, settle))
        yield Step(
            Action.INQUIRE,
            "order",
            order.id,
            str(order.state),
            "not on the list",
            Rule.ORDER_NOT_LISTED,
            evidence,
        )


def _positions(under_way: Round, books: Books) -> Iterator[Step]:
    for name, instrument in books.ledger.instruments.items():
        if instrument.is_spot:
            continue
        ours = books.ledger.account_lots(name, books.paper)
        theirs, entry = under_way.positions.get(name, (0, ""))
        if ours == theirs:
            continue
        question = Question("positions", instrument.category, instrument.settle)
        yield Step(
            Action.BLOCK,
            "position",
            name,
            instrument.qty_text(ours),
            instrument.qty_text(theirs),
            Rule.POSITION_BY_EXECUTIONS,
            _evidence(under_way, question),
            counts=(ours, theirs),
            entry=entry,
        )


def _wallet(under_way: Round, books: Books) -> Iterator[Step]:
    ledger = books.ledger
    for coin in dict.fromkeys((*ledger.cash, *under_way.wallet)):
        ours, theirs = ledger.cash.get(coin, 0), under_way.wallet.get(coin, 0)
        if abs(ours - theirs) <= books.slack_units * ledger.entries(coin):
            continue
        yield Step(
            Action.TELL,
            "wallet",
            coin,
            cash_text(ours),
            cash_text(theirs),
            Rule.WALLET_UNEXPLAINED,
            _evidence(under_way, Question("wallet", "", "")),
            counts=(ours, theirs),
        )


def _is_told(step: Step, books: Books) -> bool:
    return books.told.get((step.subject, step.key)) == step.counts


def _observing(under_way: Round, books: Books, adopted: list[Step]) -> Iterator[Step]:
    """Yield what begins to be observed at a first start, and what needs no observing any more."""
    held = {one.key: f"{one.theirs} held before" for one in adopted if one.subject == "position"}
    if books.observes and not books.ledger.cursor_ms:
        for order in books.orders.working.values():
            if order.owner in NOT_OURS and order.instrument in books.ledger.instruments:
                held.setdefault(order.instrument, "orders were there before")
        for name, words in held.items():
            if name not in books.observed:
                evidence = Evidence("the first comparison", 0, under_way.started_ns)
                step = (Action.OBSERVE, "position", name, "0", words, Rule.FIRST_START, evidence)
                yield Step(*step)
    for name in books.observed:
        if name not in held and not is_foreign(books.orders, books.ledger, name):
            evidence = Evidence("our books", 0, under_way.started_ns)
            step = (Action.RELEASE, "observed", name, "flat", "flat", Rule.AGREEMENT, evidence)
            yield Step(*step)


def is_foreign(orders: OrderStore, ledger: Ledger, name: str) -> bool:
    """Return whether a position or a working order here is nobody's; spot coins are a balance."""
    if any(order.owner in NOT_OURS for order in orders.on_instrument.get(name, {}).values()):
        return True
    instrument = ledger.instruments.get(name)
    is_spot = instrument is None or instrument.is_spot
    return not is_spot and any(ledger.qty_lots(owner, name) for owner in NOT_OURS)


def _released(under_way: Round, books: Books, differing: set[str]) -> Iterator[Step]:
    for name, reason in books.blocks.items():
        instrument = books.ledger.instruments.get(name)
        if reason != POSITION_DIFFERS or name in differing or instrument is None:
            continue
        question = Question("positions", instrument.category, instrument.settle)
        lots = instrument.qty_text(books.ledger.account_lots(name, books.paper))
        evidence = _evidence(under_way, question)
        yield Step(Action.RELEASE, "position", name, lots, lots, Rule.AGREEMENT, evidence)


def _evidence(under_way: Round, question: Question) -> Evidence:
    found = (number for number, asked in under_way.asked.items() if asked == question)
    return Evidence(_words(question), next(found, 0), under_way.started_ns)


def _words(question: Question) -> str:
    return " ".join(word for word in question if word)
