"""What a person asks for: read, judged, carried out.

A command is judged twice by the same function: by the process before it becomes a record, so that
nonsense is answered and not logged, and here, where a standing request or an older log may say
anything. Acceptance means that it stands in the log; what came of it stands behind it.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from plimsoll.core.engine.flattening import Flattening
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.placing import Hand, Placer
from plimsoll.core.engine.reach import holdings, is_cancelled, is_closed
from plimsoll.core.engine.state import State
from plimsoll.core.model import (
    ACCOUNT,
    FOREIGN,
    MANUAL,
    OrderType,
    Scope,
    Side,
    scope_of,
)
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.records import (
    IncidentRaised,
    OperatorCommand,
    Paused,
    Rearmed,
    Record,
    Released,
    StrategyFreed,
    Unpaused,
)
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy import PlaceRequest


class _Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every command may carry."""

    reason: str = ""


class HaltArgs(_Args, frozen=True):
    """``halt``."""

    scope: str = ""
    keep_orders: bool = False
    protections_too: bool = False
    all: bool = False
    flatten: bool = False


class ScopeArgs(_Args, frozen=True):
    """``pause`` and ``resume``."""

    scope: str = ""


class FlattenArgs(_Args, frozen=True):
    """``flatten``."""

    scope: str = ""
    all: bool = False


class CloseArgs(_Args, frozen=True):
    """``close``."""

    instrument: str
    strategy: str = ""


class OrderArgs(_Args, frozen=True):
    """``order``: numbers as decimal text; no ``limit`` asks for the market."""

    instrument: str
    side: Side
    qty: str
    limit: str = ""
    reduce_only: bool = False
    post_only: bool = False


class CancelArgs(_Args, frozen=True):
    """``cancel``: one of the three."""

    order: str = ""
    strategy: str = ""
    instrument: str = ""


class ReleaseArgs(_Args, frozen=True):
    """``release``."""

    instrument: str


class FreeArgs(_Args, frozen=True):
    """``strategy-resume``."""

    strategy: str


ARGS: Final[Mapping[str, type[_Args]]] = {
    "halt": HaltArgs,
    "resume": ScopeArgs,
    "pause": ScopeArgs,
    "flatten": FlattenArgs,
    "close": CloseArgs,
    "order": OrderArgs,
    "cancel": CancelArgs,
    "release": ReleaseArgs,
    "strategy-resume": FreeArgs,
    "stop": _Args,
}
"""Commands and what they carry."""


class CommandRefused(Exception):
    """A command is not carried out, in words for whoever sent it."""


def read_command(state: State, cmd: str, args: Mapping[str, Any]) -> _Args:
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


class Commanding:
    """Carries out what ``read_command`` let through."""

    def __init__(
        self,
        state: State,
        settings: CoreSettings,
        placer: Placer,
        halting: Halting,
        flattening: Flattening,
        free: Callable[[str], None],
    ) -> None:
        """Share the parts; ``free`` makes a stopped instance startable again."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.halting = halting
        self.flattening = flattening
        self.free = free
        self._table: dict[str, Callable[[OperatorCommand, Any], Iterator[Record]]] = {
            "halt": self._halt,
            "resume": self._resume,
            "pause": self._pause,
            "flatten": self._flatten,
            "close": self._close,
            "order": self._order,
            "cancel": self._cancel,
            "release": self._release,
            "strategy-resume": self._strategy_resume,
        }

    def on_command(self, command: OperatorCommand) -> Iterator[Record]:
        """Carry out a person's command."""
        carry_out = self._table.get(command.cmd)
        if carry_out is None:  # `stop` is the process's
            return
        try:
            args = read_command(self.state, command.cmd, json.loads(command.args or "{}"))
        except (CommandRefused, ValueError) as error:
            if command.cmd == "halt":  # nothing stands in the way of a halt: all of it, then
                yield from self.halting.halt(ACCOUNT, command.actor, f"halt ({error})")
                return
            yield IncidentRaised(
                *self.state.stamp(), "command_refused", command.cmd, f"{command.actor}: {error}"
            )
            return
        yield from carry_out(command, args)

    # ---- stops ----

    def _halt(self, command: OperatorCommand, args: HaltArgs) -> Iterator[Record]:
        scope = scope_of(args.scope)
        yield from self._stop(command, scope, args, is_dedicated=args.all)
        if args.flatten:
            yield from self._flat(command, scope, args, is_dedicated=args.all)

    def _flatten(self, command: OperatorCommand, args: FlattenArgs) -> Iterator[Record]:
        scope = scope_of(args.scope)
        yield from self._stop(command, scope, HaltArgs(reason=args.reason), is_dedicated=args.all)
        yield from self._flat(command, scope, args, is_dedicated=args.all)

    def _close(self, command: OperatorCommand, args: CloseArgs) -> Iterator[Record]:
        scope = close_scope(self.state, args)
        yield from self._stop(command, scope, HaltArgs(reason=args.reason), is_dedicated=False)
        yield from self._flat(command, scope, args, is_dedicated=False)

    def _stop(
        self, command: OperatorCommand, scope: Scope, args: HaltArgs, *, is_dedicated: bool
    ) -> Iterator[Record]:
        return self.halting.halt(
            scope,
            command.actor,
            _reason(command, args),
            keeps_orders=args.keep_orders,
            with_protections=args.protections_too,
            is_dedicated=is_dedicated,
        )

    def _flat(
        self, command: OperatorCommand, scope: Scope, args: _Args, *, is_dedicated: bool
    ) -> Iterator[Record]:
        return self.flattening.begin(
            f"f{command.seq}",
            scope,
            command.actor,
            _reason(command, args),
            is_dedicated=is_dedicated,
        )

    def _pause(self, command: OperatorCommand, args: ScopeArgs) -> Iterator[Record]:
        scope = scope_of(args.scope)
        yield Paused(*self.state.stamp(), *scope, _reason(command, args), command.actor)

    def _resume(self, command: OperatorCommand, args: ScopeArgs) -> Iterator[Record]:
        state, scope, reason = self.state, scope_of(args.scope), _reason(command, args)
        yield from self.flattening.give_up(scope, f"{command.actor} resumed: {reason}")
        if scope in state.safety.halts:
            self.halting.sweeping.end(scope.text)
            yield Rearmed(*state.stamp(), command.actor, reason, scope.text)
        if scope in state.safety.pauses:
            yield Unpaused(*state.stamp(), *scope, command.actor, reason)

    def _release(self, command: OperatorCommand, args: ReleaseArgs) -> Iterator[Record]:
        yield Released(*self.state.stamp(), args.instrument)

    def _strategy_resume(self, command: OperatorCommand, args: FreeArgs) -> Iterator[Record]:
        yield StrategyFreed(
            *self.state.stamp(), args.strategy, command.actor, _reason(command, args)
        )
        self.free(args.strategy)

    # ---- orders ----

    def _cancel(self, command: OperatorCommand, args: CancelArgs) -> Iterator[Record]:
        why = f"{command.actor}: {_reason(command, args)}"
        if args.order:
            order = self.state.orders.find(args.order)
            if order is not None:
                yield from self.placer.cancel(order, why)
            return
        yield from self.halting.cancel_scope(Scope(args.strategy, args.instrument), why)

    def _order(self, command: OperatorCommand, args: OrderArgs) -> Iterator[Record]:
        yield from self.placer.place(Hand(MANUAL), manual_request(self.state, args))


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


def _pass(_state: State, _args: _Args) -> None:
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
    "strategy-resume": _judge_free,
    "stop": _pass,
}


def _reason(command: OperatorCommand, args: _Args) -> str:
    return args.reason or command.cmd


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
    known = list(dict.fromkeys((*configured, *state.ledger.owners(), MANUAL)))
    if name not in known:
        raise CommandRefused(f"there is no strategy {name!r}{_near(name, known)}")


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
