"""What stands against a strategy going live: everything, in words, so that a plan can list it.

Pure functions of a state. Going down needs none of this.
"""

from collections.abc import Iterator

from plimsoll.core.engine.reach import holdings, is_closed
from plimsoll.core.engine.state import State
from plimsoll.core.execution import graduation
from plimsoll.core.execution.modes import RUNNING, Standing
from plimsoll.core.model import FOREIGN, VENUE, LiveStage, Scope, cash_text, strategy_of

_NOBODYS = (FOREIGN, VENUE)


def is_up(found: Standing) -> bool:
    """Return whether a switch to live or hybrid lets a live instance begin."""
    return found.stage is not LiveStage.LIVE


def proof_missing(
    found: Standing,
    now: graduation.Standing,
    capital: int,
    *,
    evidence: str,
    is_override: bool,
    cap_units: int,
    reason: str,
) -> str:
    """Return why neither evidence nor a person's word stands behind a start, empty where one does.

    Args:
        found: How the strategy stands.
        now: Its stage.
        capital: Of its live instance, cash units; 0 = none is configured.
        evidence: Hash of what the graduation found.
        is_override: Whether a person takes it on himself.
        cap_units: The most that may be at risk then, cash units.
        reason: Why, in a person's words.
    """
    name = found.strategy
    if evidence and is_override:
        return f"{name}: either evidence or --override, not both"
    if evidence:
        return _evidence_missing(name, now, evidence)
    if not is_override:
        return f"{name} has no evidence: --override --capital 200USDT --reason TEXT takes it on you"
    if cap_units <= 0:
        return "--override needs --capital: the most it may have at risk, such as 200USDT"
    if capital and cap_units > capital:
        found_text = f"{cap_text(cap_units)} is above what the configuration gives it"
        return f"--capital {found_text}, {cap_text(capital)}: no override raises a limit"
    return "" if reason else "--override needs --reason: it stands in the log for ever"


def _evidence_missing(name: str, now: graduation.Standing, evidence: str) -> str:
    """Return why evidence does not stand behind a start, empty where it does."""
    if not now.stage.is_promoted:
        return (
            f"{name} is {now.stage}: only candidate and live have evidence that lets them trade; "
            f"`plimsoll graduate {name}` says what it still needs"
        )
    if evidence != now.evidence:
        return (
            f"{evidence[:16]} is not the evidence on record: {name} is {now.stage} by "
            f"{now.evidence}"
        )
    return "" if now.capital_units > 0 else f"the stage of {name} allows no capital: approve anew"


def cap_text(units: int) -> str:
    """Return an amount of quote coin for people."""
    return f"{cash_text(units)} USDT"


def obstacles(state: State, found: Standing) -> Iterator[str]:
    """Yield what must be otherwise before a live instance may begin, the account's things first."""
    safety, name = state.safety, found.strategy
    book = state.modes.live_book(name)
    if safety.is_stopping:
        yield "the session is stopping"
    if "private" not in safety.links:
        yield "this engine has no key: set account.key and account.secret, then start it again"
    elif not safety.links["private"]:
        yield "the private link is down"
    elif not safety.is_reconciled:
        yield "the books are not yet equal to the venue's"
    for owner in (book, state.modes.paper_book(name)):
        if owner in state.faulty:
            yield f"{owner} was stopped for a fault: `plimsoll strategy resume {owner}`"
    for instrument in _instruments(state, name):
        if instrument not in state.instruments:
            yield f"{instrument} is not listed yet"
            continue
        stop = safety.stop(book, instrument)
        if stop is not None:
            yield stop.text
        if instrument in safety.blocks:
            yield f"{instrument} is blocked: {safety.blocks[instrument]}"
        yield from _owned(state, found, instrument)
    yield from unfinished(state, book)


def unfinished(state: State, book: str) -> Iterator[str]:
    """Yield what is left of a live book: it is begun from nothing, and ended with nothing."""
    for held in holdings(state, Scope(book)):
        if not is_closed(state, held):
            qty = state.instruments[held.instrument].qty_text(held.lots)
            yield f"{book} still holds {qty} {held.instrument}"
    orders = state.orders
    working = [one.id for one in orders.working.values() if one.owner == book and not one.is_paper]
    if working:
        yield f"{book} still has orders: {', '.join(working[:5])}"
    late = [one.id for one in orders.behind.values() if one.owner == book and one.id not in working]
    if late:
        yield f"{book} still waits for executions of {', '.join(late[:5])}"


# ---- inside ----


def _instruments(state: State, name: str) -> tuple[str, ...]:
    found = state.modes.configured(name)
    return found.instruments if found is not None else ()


def _owned(state: State, found: Standing, instrument: str) -> Iterator[str]:
    """Yield who else is live on an instrument: it belongs to one strategy."""
    for other in state.modes.standings.values():
        if other.strategy == found.strategy or other.stage not in RUNNING:
            continue
        if instrument in _instruments(state, other.strategy):
            yield f"{instrument} is traded live by {other.strategy}"
    for (owner, name), held in state.ledger.positions.items():
        if name != instrument or not held.qty_units or owner in (*_NOBODYS, *state.paper_owners):
            continue
        lots = state.ledger.qty_lots(owner, name)
        if lots and strategy_of(owner) != found.strategy:
            qty = state.instruments[name].qty_text(lots)
            yield f"{owner} holds {qty} {name}: close it first, or let it be foreign"
