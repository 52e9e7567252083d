"""What a person asks for, carried out: each command by the part that does such things.

Acceptance means that it stands in the log; what came of it stands behind it.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from plimsoll.core.engine.adopting import Adopting
from plimsoll.core.engine.breaking import Breaking
from plimsoll.core.engine.changing import Changing
from plimsoll.core.engine.flattening import Flattening
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.judging import (
    Args,
    CancelArgs,
    CloseArgs,
    CommandRefused,
    FlattenArgs,
    FreeArgs,
    HaltArgs,
    ModeArgs,
    OrderArgs,
    ReleaseArgs,
    ScopeArgs,
    StageArgs,
    close_scope,
    manual_request,
    read_command,
)
from plimsoll.core.engine.limiting import change_limit
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.reviewing import stage_changed
from plimsoll.core.engine.state import State
from plimsoll.core.engine.surveying import Hand
from plimsoll.core.engine.switching import Switching
from plimsoll.core.model import ACCOUNT, MANUAL, Scope, scope_of
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


class Commanding:
    """Carries out what ``read_command`` let through."""

    def __init__(
        self,
        state: State,
        placer: Placer,
        halting: Halting,
        flattening: Flattening,
        adopting: Adopting,
        breaking: Breaking,
        changing: Changing,
        switching: Switching,
        free: Callable[[str], None],
    ) -> None:
        """Share the parts; ``free`` makes a stopped instance startable again."""
        self.state = state
        self.placer = placer
        self.halting = halting
        self.flattening = flattening
        self.adopting = adopting
        self.breaking = breaking
        self.changing = changing
        self.switching = switching
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
            "adopt": self._adopt,
            "reset": self._reset,
            "limits": self._limits,
            "strategy-resume": self._strategy_resume,
            "strategy-set": changing.set,
            "strategy-reload": changing.reload,
            "executors-cancel": changing.withdrawing.cancel,
            "mode": self._mode,
            "stage": self._stage,
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
        self, command: OperatorCommand, scope: Scope, args: Args, *, is_dedicated: bool
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

    def _adopt(self, command: OperatorCommand, _args: Args) -> Iterator[Record]:
        return self.adopting.on_command(command)

    def _reset(self, command: OperatorCommand, _args: Args) -> Iterator[Record]:
        return self.breaking.reset(command)

    def _limits(self, command: OperatorCommand, _args: Args) -> Iterator[Record]:
        return change_limit(self.state, command)

    def _strategy_resume(self, command: OperatorCommand, args: FreeArgs) -> Iterator[Record]:
        yield StrategyFreed(
            *self.state.stamp(), args.strategy, command.actor, _reason(command, args)
        )
        self.free(args.strategy)

    def _mode(self, command: OperatorCommand, args: ModeArgs) -> Iterator[Record]:
        return self.switching.on_command(command, args)

    def _stage(self, command: OperatorCommand, args: StageArgs) -> Iterator[Record]:
        yield stage_changed(self.state, args, command.actor, _reason(command, args))
        yield from self.switching.on_fall()

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


def _reason(command: OperatorCommand, args: Args) -> str:
    return args.reason or command.cmd
