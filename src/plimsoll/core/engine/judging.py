"""Commands of a person as they may be sent: what they carry, and what stands against them.

``read_command`` is asked twice: by the process before a command becomes a record, so that nonsense
is answered and not logged, and when the record is decided about, where a standing request or an
older log may say anything.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

import msgspec

from plimsoll.core.engine.promoting import is_up, obstacles, proof_missing
from plimsoll.core.engine.reach import holdings, is_cancelled, is_closed
from plimsoll.core.engine.state import State
from plimsoll.core.execution.graduation import PPB, Stage, refusal_of
from plimsoll.core.execution.modes import POLICIES, RUNNING, Standing
from plimsoll.core.model import (
    FOREIGN,
    MANUAL,
    OUTSIDE,
    Mode,
    OrderType,
    Scope,
    Side,
    scope_of,
    strategy_of,
)
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.settings import NO_LIMIT
from plimsoll.core.strategy import PlaceRequest


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every command may carry."""

    reason: str = ""


class HaltArgs(Args, frozen=True):
    """``halt``."""

    scope: str = ""
    keep_orders: bool = False
    protections_too: bool = False
    all: bool = False
    flatten: bool = False


class ScopeArgs(Args, frozen=True):
    """``pause`` and ``resume``."""

    scope: str = ""


class FlattenArgs(Args, frozen=True):
    """``flatten``."""

    scope: str = ""
    all: bool = False


class CloseArgs(Args, frozen=True):
    """``close``."""

    instrument: str
    strategy: str = ""


class OrderArgs(Args, frozen=True):
    """``order``: numbers as decimal text; no ``limit`` asks for the market."""

    instrument: str
    side: Side
    qty: str
    limit: str = ""
    reduce_only: bool = False
    post_only: bool = False


class CancelArgs(Args, frozen=True):
    """``cancel``: one of the three."""

    order: str = ""
    strategy: str = ""
    instrument: str = ""


class ReleaseArgs(Args, frozen=True):
    """``release``."""

    instrument: str


class AdoptArgs(Args, frozen=True):
    """``adopt``: whose a foreign holding is, or that it stays foreign."""

    instrument: str
    to: str = ""
    qty: str = ""
    leave: bool = False
    orders: bool = False


class ResetArgs(Args, frozen=True):
    """``reset``: arm a breaker again."""

    breaker: str
    scope: str


class LimitArgs(Args, frozen=True):
    """``limits``: a limit from now on, in the unit of its key."""

    scope: str
    key: str
    value: int


class FreeArgs(Args, frozen=True):
    """``strategy-resume``."""

    strategy: str


class SetArgs(Args, frozen=True):
    """``strategy-set``: values as a configuration would have them."""

    strategy: str
    params: dict[str, str | int | float | bool | list[str | int | float | bool]]


class ReloadArgs(Args, frozen=True):
    """``strategy-reload``: the SHA-256 of the code that is to run, and what becomes of orders."""

    strategy: str
    sha256: str
    orders: Literal["keep", "cancel"] = "keep"


class ExecutorArgs(Args, frozen=True):
    """``executors-cancel``: an instance, and the number of its executor there."""

    strategy: str
    number: int


class ModeArgs(Args, frozen=True):
    """``mode``: down with a policy, up with evidence or a person's override, in cash units."""

    strategy: str
    mode: Mode
    policy: str = ""
    override: bool = False
    capital: int = 0
    evidence: str = ""


class StageArgs(Args, frozen=True, kw_only=True):
    """``stage``: where a strategy stands from now on, and the evidence it rests on."""

    strategy: str
    stage: Stage
    step: int = 0
    capital: int = 0
    expected_ppb: int = 0
    evidence: str = ""


ARGS: Final[Mapping[str, type[Args]]] = {
    "halt": HaltArgs,
    "resume": ScopeArgs,
    "pause": ScopeArgs,
    "flatten": FlattenArgs,
    "close": CloseArgs,
    "order": OrderArgs,
    "cancel": CancelArgs,
    "release": ReleaseArgs,
    "adopt": AdoptArgs,
    "reset": ResetArgs,
    "limits": LimitArgs,
    "strategy-resume": FreeArgs,
    "strategy-set": SetArgs,
    "strategy-reload": ReloadArgs,
    "executors-cancel": ExecutorArgs,
    "mode": ModeArgs,
    "stage": StageArgs,
    "stop": Args,
}
"""Commands and what they carry."""


class CommandRefused(Exception):
    """A command is not carried out, in words for whoever sent it."""


def read_command(state: State, cmd: str, args: Mapping[str, Any]) -> Args:
    """Return the arguments of a command that may be carried out now.

    Raises:
        CommandRefused: unknown, malformed, about what is not there, or with nothing to do.
    """
    kind = ARGS.get(cmd)
    if kind is None:
        raise CommandRefused(f"unknown command {cmd!r}; known: {', '.join(ARGS)}")
    try:
        found = msgspec.convert(dict(args), kind)
    except msgspec.ValidationError as error:
        raise CommandRefused(f"{cmd}: {error}") from error
    _JUDGES[cmd](state, found)
    return found


def close_scope(state: State, args: CloseArgs) -> Scope:
    """Return whose position ``close`` means.

    Raises:
        CommandRefused: nobody holds it, or several do and none was named.
    """
    held = [
        one.owner
        for one in holdings(state, Scope(args.strategy, args.instrument))
        if not is_closed(state, one)
    ]
    if len(held) == 1:
        return Scope(held[0], args.instrument)
    if not held:
        who = f"{args.strategy} holds" if args.strategy else "no instance holds"
        raise CommandRefused(f"close: {who} nothing of {args.instrument} that can be closed")
    owners = ", ".join(held)
    raise CommandRefused(f"close: {owners} hold {args.instrument}: name one with --strategy")


def manual_request(state: State, args: OrderArgs) -> PlaceRequest:
    """Return the request a person's order is.

    Raises:
        CommandRefused: a number is none, or off the venue's steps.
    """
    instrument = state.instruments[args.instrument]
    if args.post_only and not args.limit:
        raise CommandRefused("order: post-only needs a limit price")
    lots = _steps(instrument.lots_of, args.qty, "quantity")
    ticks = _steps(instrument.ticks_of, args.limit, "price") if args.limit else 0
    return PlaceRequest(
        instrument.name,
        args.side,
        OrderType.LIMIT if args.limit else OrderType.MARKET,
        Tif.POST_ONLY if args.post_only else Tif.GTC if args.limit else Tif.IOC,
        ticks,
        lots,
        reduce_only=args.reduce_only,
        label="manual",
        handle=None,
    )


# ---- judging ----


def _judge_halt(state: State, args: HaltArgs) -> None:
    _known(state, args.scope)
    _dedicated(state, is_asked=args.all)
    if args.flatten and args.keep_orders:
        raise CommandRefused("halt: --flatten closes positions and cannot keep the orders")


def _judge_flatten(state: State, args: FlattenArgs) -> None:
    scope = _known(state, args.scope)
    _dedicated(state, is_asked=args.all)
    held = holdings(state, scope, is_dedicated=args.all)
    if all(is_closed(state, one) for one in held):
        raise CommandRefused(f"flatten: {scope.words} holds nothing that can be closed")


def _judge_close(state: State, args: CloseArgs) -> None:
    _instrument(state, args.instrument)
    if args.strategy:
        _owner(state, args.strategy)
    close_scope(state, args)


def _judge_pause(state: State, args: ScopeArgs) -> None:
    scope = _known(state, args.scope)
    if scope in state.safety.pauses:
        raise CommandRefused(
            f"pause: {scope.words} is paused already: {state.safety.pauses[scope].reason}"
        )


def _judge_resume(state: State, args: ScopeArgs) -> None:
    safety = state.safety
    scope = _scope(args.scope)
    if scope in safety.halts or scope in safety.pauses:
        return
    standing = [one.words for one in (*safety.halts, *safety.pauses)]
    known = f"; halted or paused: {', '.join(standing)}" if standing else ""
    raise CommandRefused(f"resume: {scope.words} is neither halted nor paused{known}")


def _judge_order(state: State, args: OrderArgs) -> None:
    _instrument(state, args.instrument)
    manual_request(state, args)


def _judge_cancel(state: State, args: CancelArgs) -> None:
    if args.order:
        order = state.orders.find(args.order)
        if order is None or not order.is_working:
            raise CommandRefused(f"cancel: no order {args.order!r} is working")
        if order.owner == FOREIGN:
            raise CommandRefused(f"cancel: {args.order} is not ours: it was placed outside")
        return
    if bool(args.strategy) == bool(args.instrument):
        raise CommandRefused("cancel: name an order, a strategy or an instrument")
    scope = Scope(args.strategy, args.instrument)
    _known(state, scope.text)
    if not any(is_cancelled(order, scope) for order in state.orders.working.values()):
        raise CommandRefused(f"cancel: nothing of {scope.words} that can add risk is working")


def _judge_release(state: State, args: ReleaseArgs) -> None:
    if args.instrument not in state.safety.blocks:
        raise CommandRefused(f"release: {args.instrument} is not blocked")


def _judge_free(state: State, args: FreeArgs) -> None:
    _owner(state, args.strategy)
    if args.strategy not in state.faulty:
        raise CommandRefused(f"strategy-resume: {args.strategy} is not stopped for a fault")


def _judge_change(state: State, args: SetArgs | ReloadArgs) -> None:
    name, strategies = args.strategy, _strategies(state)
    strategy = strategy_of(name)
    if name != strategy and strategy in strategies:
        raise CommandRefused(f"{name} is a book of {strategy}: its books change together: name it")
    if name not in strategies:
        raise CommandRefused(f"there is no strategy {name!r}{_near(name, strategies)}")


def _judge_mode(state: State, args: ModeArgs) -> None:
    found = state.modes.standings.get(args.strategy)
    if found is None or state.modes.configured(args.strategy) is None:
        near = _near(args.strategy, state.modes.standings)
        raise CommandRefused(f"mode: there is no strategy {args.strategy!r}{near}")
    if args.mode is Mode.PAPER:
        _judge_down(found, args)
        return
    if args.policy:
        raise CommandRefused("mode: --policy says how a strategy goes to paper")
    is_proof = args.override or bool(args.evidence)
    if not is_up(found) and not is_proof:
        if found.mode is args.mode:
            raise CommandRefused(f"mode: {args.strategy} is {args.mode} already")
        return
    if not is_up(found) and args.override:
        raise CommandRefused(f"mode: {args.strategy} is live already; the cap of it stays")
    why = proof_missing(
        found,
        state.standing(args.strategy),
        _live_capital(state, args.strategy),
        evidence=args.evidence,
        is_override=args.override,
        cap_units=args.capital,
        reason=args.reason,
    )
    against = [why] if why else list(obstacles(state, found)) if is_up(found) else []
    if against:
        raise CommandRefused(f"mode: {against[0]}")


def _judge_down(found: Standing, args: ModeArgs) -> None:
    if args.override or args.evidence or args.capital:
        raise CommandRefused("mode: going to paper needs no evidence, override or capital")
    if args.policy not in ("", *POLICIES):
        known = ", ".join(POLICIES)
        raise CommandRefused(f"mode: there is no policy {args.policy!r}; known: {known}")
    stage = POLICIES[args.policy or "run_off"]
    if found.stage not in RUNNING:
        raise CommandRefused(f"mode: {args.strategy} is on paper already")
    if found.mode is Mode.PAPER and found.stage is stage:
        raise CommandRefused(
            f"mode: {args.strategy} goes to paper already ({found.policy}); its live book is not "
            f"flat yet"
        )


def _live_capital(state: State, name: str) -> int:
    found = state.modes.configured(name)
    return (found.live_capital or found.capital) if found is not None else 0


def _judge_stage(state: State, args: StageArgs) -> None:
    if args.strategy in OUTSIDE or args.strategy == MANUAL:
        raise CommandRefused(f"stage: {args.strategy} is no strategy")
    strategies = _strategies(state)
    if args.strategy not in strategies:
        strategy = strategy_of(args.strategy)
        hint = f": a stage is that of {strategy}" if strategy in strategies else ""
        near = hint or _near(args.strategy, strategies)
        raise CommandRefused(f"stage: there is no strategy {args.strategy!r}{near}")
    if args.capital < 0 or args.capital >= NO_LIMIT or abs(args.expected_ppb) > PPB:
        raise CommandRefused("stage: a capital from 0 on and a daily return within -1 .. 1, please")
    now = state.standing(args.strategy)
    refusal = refusal_of(now, args.stage, args.step, args.evidence)
    if refusal:
        raise CommandRefused(f"stage: {args.strategy} is {now.stage}: {refusal}")
    if args.stage.is_promoted and args.capital <= 0:
        raise CommandRefused(f"stage: {args.stage} needs the capital that it allows")


def _pass(_state: State, _args: Args) -> None:
    """Judge nothing."""


_JUDGES: Final[Mapping[str, Callable[[State, Any], None]]] = {
    "halt": _judge_halt,
    "resume": _judge_resume,
    "pause": _judge_pause,
    "flatten": _judge_flatten,
    "close": _judge_close,
    "order": _judge_order,
    "cancel": _judge_cancel,
    "release": _judge_release,
    "adopt": _pass,
    "reset": _pass,
    "limits": _pass,
    "strategy-resume": _judge_free,
    "strategy-set": _judge_change,
    "strategy-reload": _judge_change,
    "executors-cancel": _pass,
    "mode": _judge_mode,
    "stage": _judge_stage,
    "stop": _pass,
}


def _scope(text: str) -> Scope:
    try:
        return scope_of(text)
    except ValueError as error:
        raise CommandRefused(str(error)) from error


def _known(state: State, text: str) -> Scope:
    """Return a scope whose instance and instrument exist."""
    scope = _scope(text)
    if scope.owner:
        _owner(state, scope.owner)
    if scope.instrument:
        _instrument(state, scope.instrument)
    return scope


def _owner(state: State, name: str) -> None:
    configured = [one.name for one in state.settings.strategies] if state.settings else []
    owners = (*configured, *state.modes.standings, *state.ledger.owners(), MANUAL)
    known = list(dict.fromkeys(owners))
    if name not in known:
        raise CommandRefused(f"there is no strategy {name!r}{_near(name, known)}")


def _strategies(state: State) -> list[str]:
    """Return the strategies there are, also those that are no longer configured."""
    configured = state.settings.strategies if state.settings else ()
    names = (*state.modes.standings, *(strategy_of(one.name) for one in configured))
    return list(dict.fromkeys((*names, *state.stages)))


def _instrument(state: State, name: str) -> None:
    if name not in state.instruments:
        near = _near(name, state.instruments)
        raise CommandRefused(f"{name!r} is not among the engine's instruments{near}")


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f": did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""


def _dedicated(state: State, *, is_asked: bool) -> None:
    if is_asked and not (state.settings and state.settings.dedicated):
        raise CommandRefused(
            "--all reaches orders that are not ours: the account must be declared as nobody "
            "else's, `dedicated = true` in [account]"
        )


def _steps(convert: Callable[[str], int], text: str, what: str) -> int:
    try:
        if not Decimal(text).is_finite() or Decimal(text) <= 0:
            raise CommandRefused(f"order: {what} {text!r} is not above zero")
        return convert(text)
    except InvalidOperation:
        raise CommandRefused(f"order: {what} {text!r} is no number") from None
    except ValueError as error:
        raise CommandRefused(f"order: {error}") from error
