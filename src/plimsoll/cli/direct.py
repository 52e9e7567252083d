"""``halt --direct``: cancel at the venue with neither engine nor journal (RSK-10).

The same plan and hands as the watchdog's. The standing halt is written first, so that whatever
comes of the rest the next engine begins halted.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.watchdog import guard_venue, reach_of
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project, load_project
from plimsoll.core.model import guard_id
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.watchdog import Clearing, Hands, Outcome, Reach
from plimsoll.watchdog.flattening import flatten as close_positions
from plimsoll.watchdog.hands import LookFailed
from plimsoll.watchdog.outcome import Flattened

FOR_S: Final = 60.0
"""Then what is left is told; repeating the command goes on with it."""

_TITLES: Final = ("order", "instrument", "side", ">quantity", ">price", "kind")


class Found:
    """What a direct halt saw and did."""

    def __init__(self, outcome: Outcome, positions: Sequence[Position] = ()) -> None:
        """Begin with the orders; ``positions`` are those of the last whole look."""
        self.outcome = outcome
        self.positions = tuple(positions)
        self.flattened: Flattened | None = None


def direct(
    project: str,
    env: str,
    leave_halt: Callable[[], Path],
    *,
    json: bool,
    all: bool,
    flatten: bool,
    plan: bool,
) -> Exit:
    """Cancel what can add risk, or with ``plan`` show what would be cancelled.

    Args:
        project: The project directory.
        env: The environment.
        leave_halt: Writes the standing halt and returns where; raises Failure.
        json: Print JSON.
        all: Everything on the account; the configuration must call it ``dedicated``.
        flatten: Close the positions of contracts as well; needs ``dedicated`` too.
        plan: Change nothing.

    Returns:
        DONE; TIMED_OUT where something is left or could not be confirmed; UNHEALTHY where the
        standing halt could not be written.

    Raises:
        ConfigError: the configuration or a credential cannot be used.
        Failure: no key, more was asked for than the account is declared for, or the venue gave no
            whole list at all.
    """
    try:
        found = load_project(Path(project), env)
    except ConfigError:
        leave_halt()  # as much as can be done without knowing the venue
        raise
    reach = _reach(found, all=all, flatten=flatten)
    request = None if plan else _left(leave_halt)
    try:
        hands = Hands(guard_venue(found, must_be_own=False), EngineClock())
    except CredentialsRefused as error:
        raise Failure(Exit.CREDENTIALS, "credentials", str(error)) from error
    seen = asyncio.run(_work(hands, reach, found.settings.account.tag, flatten, plan))
    if not seen.outcome.looks:
        raise Failure(
            Exit.UNREACHABLE,
            "unreachable",
            f"the venue gave no list of open orders: {seen.outcome.trouble}",
            "try again; if it stays so, cancel in the venue's own application",
        )
    if json:
        print_json(_document(seen, reach, request, is_plan=plan))
    else:
        print(_page(seen, reach, request, is_plan=plan))
    if not plan and request is None:
        return Exit.UNHEALTHY
    return _code(seen, is_plan=plan)


def _left(leave_halt: Callable[[], Path]) -> Path | None:
    """Write the standing halt; cancels matter more than a disk that is full."""
    try:
        return leave_halt()
    except Failure as failure:
        print(f"warning: {failure.message}; going on without it", file=sys.stderr)
        return None


def _reach(project: Project, *, all: bool, flatten: bool) -> Reach:
    """Return whose orders go: ours, unless the account is ours alone and it is asked for."""
    is_dedicated = reach_of(project) is Reach.ACCOUNT
    if (all or flatten) and not is_dedicated:
        word = "--all" if all else "--flatten"
        raise Failure(
            Exit.REFUSED,
            "not-dedicated",
            f"{word} touches all of account {project.settings.account.name}, which is not declared "
            "dedicated: without a journal nobody can tell whose it is",
            "where nothing else trades on it: [account] dedicated = true; else leave it out",
        )
    return Reach.ACCOUNT if all else Reach.OWN


async def _work(hands: Hands, reach: Reach, tag: str, flattens: bool, is_plan: bool) -> Found:
    clearing = Clearing(hands, reach, tag, _unheard)
    try:
        await hands.measure()
        if is_plan:
            await clearing.look()
            return Found(clearing.outcome, await _positions(hands))
        found = Found(await clearing.run(FOR_S))
        if flattens:
            # Unique for ever: no direct halt knows of the ones before, but by the time.
            epoch, numbers = time.time_ns() // 10**9, iter(range(1, 10**6))  # noqa: TID251
            found.flattened = await close_positions(
                hands, lambda: guard_id(tag, epoch, next(numbers)), _unheard
            )
            await clearing.run(FOR_S)  # protection that went with its position is not on the list
        found.positions = await _positions(hands)
        return found
    finally:
        await hands.close()


async def _positions(hands: Hands) -> tuple[Position, ...]:
    try:
        return tuple(await hands.positions())
    except LookFailed:
        return ()


def _unheard(_event: str, _fields: dict[str, object]) -> None:
    """Tell nothing on the way: the table at the end has it all."""


# ---- words -----------------------------------------------------------------------------------


def _code(found: Found, *, is_plan: bool) -> Exit:
    is_left = found.flattened is not None and not found.flattened.is_flat
    is_done = is_plan or (found.outcome.is_clear and not is_left)
    return Exit.DONE if is_done else Exit.TIMED_OUT


def _page(found: Found, reach: Reach, request: Path | None, *, is_plan: bool) -> str:
    outcome = found.outcome
    lines = []
    if request is not None:
        lines.append(f"the next engine begins halted: {request}")
    gone = outcome.unconfirmed if is_plan else outcome.cancelled
    lines += _section("would be cancelled" if is_plan else "cancelled", gone)
    if not is_plan:
        lines += _section("NOT CONFIRMED: can add risk and may still be there", outcome.unconfirmed)
    lines += _section("stays: protection", outcome.protection)
    lines += _section(f"stays: out of reach ({reach})", outcome.foreign)
    lines += ["", *_positions_lines(found)]
    if outcome.trouble and not outcome.is_clear:
        lines.append(f"last trouble: {outcome.trouble}")
    if is_plan:
        lines.append("nothing was changed")
    elif outcome.is_clear:
        lines.append("nothing that can add risk is left: the venue's list was empty twice")
    else:
        lines.append("the same command again goes on where this one ended")
    return "\n".join(lines).strip()


def _positions_lines(found: Found) -> list[str]:
    lines = [f"position {one.symbol} {one.signed_size}" for one in found.positions]
    done = found.flattened
    if done is not None:
        left = ", ".join(f"{one.symbol} {one.signed_size}" for one in done.left)
        lines.append(
            f"flattened with {done.sent} orders"
            if done.is_flat
            else f"NOT FLAT after {done.sent} orders: {left or 'not known'}; {done.trouble}"
        )
    return lines or ["no position of contracts"]


def _section(title: str, orders: Sequence[Order]) -> list[str]:
    if not orders:
        return []
    rows = [_row(order) for order in orders]
    return ["", f"{title} ({len(orders)})", text.table(_TITLES, rows, "  ")]


def _row(order: Order) -> tuple[str, ...]:
    price = order.price or order.trigger_price
    return (
        order.client_order_id or order.venue_order_id,
        f"{order.category}:{order.symbol}",
        order.side.lower(),
        f"{order.qty:f}",
        f"{price:f}" if price else "",
        order.stop_kind if order.stop_kind not in ("", "UNKNOWN") else "",
    )


def _document(found: Found, reach: Reach, request: Path | None, *, is_plan: bool) -> dict[str, Any]:
    outcome = found.outcome
    parts = {
        "cancelled": outcome.cancelled,
        "unconfirmed": outcome.unconfirmed,
        "protection": outcome.protection,
        "foreign": outcome.foreign,
    }
    return {
        "plan": is_plan,
        "reach": str(reach),
        "request": str(request) if request else "",
        "clear": outcome.is_clear,
        **{name: [_fields(order) for order in orders] for name, orders in parts.items()},
        "positions": [
            {"symbol": one.symbol, "size": f"{one.signed_size:f}"} for one in found.positions
        ],
        "flattened": None
        if found.flattened is None
        else {"flat": found.flattened.is_flat, "orders": found.flattened.sent},
        "failed_requests": outcome.failed_requests,
        "trouble": outcome.trouble,
    }


def _fields(order: Order) -> dict[str, str]:
    titles = [title.lstrip(text.RIGHT) for title in _TITLES]
    return dict(zip(titles, _row(order), strict=True)) | {"venue_id": order.venue_order_id}
