"""Strategies changed while the engine runs: parameters, code, and signals from outside.

A strategy is changed in each of its books at once, so that live and paper never differ. What may
not be done is answered with words before it is a record; what is on record is judged once
more when it is decided about, where an older log may say anything.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from plimsoll.core.engine.judging import ExecutorArgs, ReloadArgs, SetArgs
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.engine.withdrawing import Withdrawing
from plimsoll.core.model import strategy_of
from plimsoll.core.records import (
    IncidentRaised,
    OperatorCommand,
    ParametersChanged,
    Record,
    StrategyReloaded,
)
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Desk, parameters_of
from plimsoll.core.strategy.parameters import WrongParameter, plain, read_hot
from plimsoll.core.strategy.signals import FUTURE_S, read_signal

_SHA_DIGITS: Final = 64


class Changing:
    """Sets parameters, replaces code, and says whether a signal may be heard."""

    def __init__(
        self, state: State, trader: Trader, restart: Callable[[Desk], Iterator[Record]]
    ) -> None:
        """Share the parts; ``restart`` starts an instance that was put in another one's place."""
        self.state = state
        self.trader = trader
        self.restart = restart
        self.withdrawing = Withdrawing(state, trader)

    def why_not(self, cmd: str, args: Mapping[str, Any]) -> str:
        """Return why a command about an instance would come to nothing, empty where it would not.

        Args:
            cmd: ``strategy-set``, ``strategy-reload`` or ``executors-cancel``; nothing stands
                against others here.
            args: What it says; already of the right form.
        """
        if cmd == "strategy-set":
            return self._why_not_set(msgspec.convert(dict(args), SetArgs))
        if cmd == "strategy-reload":
            return self._why_not_reload(msgspec.convert(dict(args), ReloadArgs))
        if cmd == "executors-cancel":
            return self.withdrawing.why_not(msgspec.convert(dict(args), ExecutorArgs))
        return ""

    # ---- parameters ----

    def set(self, command: OperatorCommand, args: SetArgs) -> Iterator[Record]:
        """Change hot parameters: all of them, or nothing where one will not do."""
        why = self._why_not_set(args)
        if why:
            yield self._refused(command, why)
            return
        strategies = [desk.strategy for desk in self._books(args.strategy)]
        before = {name: plain(getattr(strategies[0], name)) for name in args.params}
        found, _ = self._read(args)
        yield ParametersChanged(
            *self.state.stamp(),
            args.strategy,
            {name: plain(value) for name, value in found.items()},
            before,
            command.actor,
            args.reason or command.cmd,
        )
        for strategy in strategies:
            for name, value in found.items():
                setattr(strategy, name, value)

    def _why_not_set(self, args: SetArgs) -> str:
        desks = self._books(args.strategy)
        if not desks:
            return self._unknown(args.strategy)
        if not args.params:
            return "strategy-set: name at least one parameter"
        found, wrong = self._read(args)
        if wrong:
            return "; ".join(map(_told, wrong))
        pairs = [(desk, one) for desk in desks for one in found.items()]
        if all(getattr(desk.strategy, name) == value for desk, (name, value) in pairs):
            return "nothing would change: these values are in force"
        return ""

    def _read(self, args: SetArgs) -> tuple[dict[str, Any], list[WrongParameter]]:
        kind = type(self._books(args.strategy)[0].strategy)
        return read_hot(kind.__name__, parameters_of(kind), args.params)

    # ---- code ----

    def coming(self, args: ReloadArgs) -> StrategySettings:
        """Return the settings of a strategy's first instance as a reload would have them."""
        return _with_code(self._books(args.strategy)[0], args)

    def reload(self, command: OperatorCommand, args: ReloadArgs) -> Iterator[Record]:
        """Let a strategy go on with other code; until that is there, the old one is at work.

        Both of its books, or none: one record says it.
        """
        why = self._why_not_reload(args)
        if why:
            yield self._refused(command, why)
            return
        state, trader, before = self.state, self.trader, self._books(args.strategy)
        try:
            after = [trader.roster.made(_with_code(desk, args)) for desk in before]
        except Exception as error:  # the new code's own: anything may come out of it
            text = f"the code of before goes on: {error}"
            yield IncidentRaised(*state.stamp(), "reload_failed", args.strategy, text)
            return
        for old in before:
            yield from trader.calling.checkpoint(old)
            if args.orders == "cancel":
                for order in list(state.orders.working.values()):
                    if order.owner == old.name and not order.is_protective:
                        yield from trader.placer.cancel(order, "its code is replaced")
        yield StrategyReloaded(
            *state.stamp(),
            args.strategy,
            before[0].settings.source_hash,
            args.sha256,
            args.orders,
            *after[0].migration,
            command.actor,
            args.reason or command.cmd,
        )
        for new in after:
            trader.roster.put(new)
        for old, new in zip(before, after, strict=True):
            if old.is_started and not old.is_stopped:
                yield from self.restart(new)

    def _why_not_reload(self, args: ReloadArgs) -> str:
        desk = next(iter(self._books(args.strategy)), None)
        if desk is None:
            return self._unknown(args.strategy)
        if self.state.safety.is_stopping:
            return "the session is ending: the next one starts with the code that is there then"
        if len(args.sha256) != _SHA_DIGITS:
            return "strategy-reload: expected sha256 with 64 hexadecimal digits"
        if args.sha256 == desk.settings.source_hash:
            return (
                f"{desk.settings.source} is the code that runs ({args.sha256[:12]}): change it "
                f"first; what it imports from files beside it is read at a start only"
            )
        return ""

    # ---- signals ----

    def why_not_signal(self, owner: str, payload: str, at_ms: int, now_ns: int) -> str:
        """Return why no book of a strategy hears a signal, empty where one does.

        Args:
            owner: The strategy.
            payload: A JSON object.
            at_ms: When its sender made it, Unix ms, 0 where it does not say.
            now_ns: The session's time.
        """
        desks = self._books(owner)
        if not desks:
            return self._unknown(owner)
        kind = desks[0].strategy.signal
        if kind is None:
            return f"{owner} takes no signals: its class declares no `signal`"
        if not any(desk.is_at_work for desk in desks):
            why = next(filter(None, (desk.stop_reason for desk in desks)), "")
            return f"{owner} hears nothing now: {why or 'it has not started yet'}"
        try:
            read_signal(kind, payload)
        except ValueError as error:
            return str(error)
        age_s = now_ns / 1e9 - at_ms / 1e3
        if at_ms and age_s > kind.max_age_s:
            return f"it is {age_s:.1f} s old; {kind.__name__} takes at most {kind.max_age_s:g} s"
        if at_ms and age_s < -FUTURE_S:
            return f"it is {-age_s:.1f} s in the future: look at the sender's clock"
        if self.state.changes.in_a_minute(owner, now_ns) >= kind.most_per_minute:
            return f"{owner} takes {kind.most_per_minute} signals in a minute, and has had them"
        return ""

    # ---- words ----

    def _books(self, strategy: str) -> list[Desk]:
        """Return the instances of a strategy that run: one, or that of each of its books."""
        return [one for one in self.trader.desks.values() if strategy_of(one.name) == strategy]

    def _unknown(self, name: str) -> str:
        known = ", ".join(self.trader.desks) or "none"
        if name in self.trader.desks:
            strategy = strategy_of(name)
            return f"{name} is a book of {strategy}: name that, its books change together"
        return f"no instance is called {name!r}; running: {known}"

    def _refused(self, command: OperatorCommand, why: str) -> IncidentRaised:
        text = f"{command.actor}: {why}"
        return IncidentRaised(*self.state.stamp(), "command_refused", command.cmd, text)


def _with_code(desk: Desk, args: ReloadArgs) -> StrategySettings:
    return msgspec.structs.replace(desk.settings, source_hash=args.sha256)


def _told(wrong: WrongParameter) -> str:
    found = f", found {wrong.found}" if wrong.found else ""
    hint = f" ({wrong.hint})" if wrong.hint else ""
    return f"{wrong.name}: {wrong.expected}{found}{hint}"
