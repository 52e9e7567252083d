"""The limits in force: what the configuration says, and what was changed while the engine ran.

Three levels: the account, an instance, an instrument; an order passes those of all three. A limit
of an instance or instrument that is left out narrows nothing. A change by a person is recorded
(``LimitsChanged``) and holds until the configuration of a later start is narrower (RSK-7).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import strategy_of
from plimsoll.core.records import LimitsChanged
from plimsoll.core.settings import NO_LIMIT, CoreSettings, Limits

ACCOUNT: Final = "account"
"""Scope of everything that is live."""


class Unit(StrEnum):
    """What the number of a limit counts."""

    CASH = "cash"
    BASE = "base"
    FRACTION = "fraction"
    MULTIPLE = "multiple"
    COUNT = "count"


class Key(NamedTuple):
    """A limit as the configuration names it.

    Attributes:
        field: Of ``Limits``.
        unit: What it counts.
        levels: Where it may stand: a = the account, s = an instance, i = an instrument.
        is_floor: Whether it is a least value: more is narrower.
    """

    field: str
    unit: Unit
    levels: str = "asi"
    is_floor: bool = False


KEYS: Final[Mapping[str, Key]] = {
    "price_distance": Key("price_distance_ppm", Unit.FRACTION),
    "order_notional": Key("order_notional", Unit.CASH),
    "order_qty": Key("order_units", Unit.BASE, "i"),
    "orders_per_second": Key("orders_per_second", Unit.COUNT),
    "orders_per_day": Key("orders_per_day", Unit.COUNT),
    "open_orders": Key("open_orders", Unit.COUNT),
    "position_notional": Key("position_notional", Unit.CASH),
    "exposure": Key("exposure", Unit.CASH, "as"),
    "net_exposure": Key("net_exposure", Unit.CASH, "as"),
    "daily_loss": Key("daily_loss", Unit.CASH, "as"),
    "drawdown": Key("drawdown_ppm", Unit.FRACTION, "as"),
    "leverage": Key("leverage_ppm", Unit.MULTIPLE, "as"),
    "margin": Key("margin_ppm", Unit.FRACTION, "a"),
    "free_balance": Key("free_balance", Unit.CASH, "a", is_floor=True),
}

NOTHING_NARROWER: Final = Limits(
    **{key.field: -1 if key.is_floor else NO_LIMIT for key in KEYS.values()}
)
"""Of an instance or instrument without limits of its own."""


class Level(msgspec.Struct, frozen=True):
    """Limits of an instance or an instrument, and what counts as its own."""

    key: str
    """``limits.strategy.ema``, as it stands before the key in words."""
    limits: Limits
    names: tuple[str, ...]
    """Instruments that count together."""
    pace: str
    """Key of its requests among the pacings."""
    owner: str
    """The instance whose losses count, empty for an instrument."""
    capital: int = 0


class Bounds(msgspec.Struct, frozen=True):
    """What an order of one instance in one instrument must stay within: made once, read often."""

    owner: str
    account: Limits
    price_distance_ppm: int
    order_notional: int
    order_units: int
    """The narrowest of the three levels."""
    narrow: tuple[Level, ...]
    """Levels below the account that have more to say."""
    needs_owned: bool
    """Whether the instance's exposure over its other instruments is wanted."""
    needs_net: bool
    """Whether its net exposure is."""
    needs_more: bool
    """Whether that, the net exposure or the free balance is wanted."""
    words: dict[str, str]
    """Key in full of the narrowest of those three."""


class LimitBook:
    """The limits in force."""

    def __init__(self) -> None:
        """Start with nothing allowed."""
        self.account = Limits()
        self.instances: dict[str, Limits] = {}
        """By strategy: they hold for each of its books, measured on what is that book's."""
        self.capitals: dict[str, int] = {}
        self.caps: dict[str, int] = {}
        """The most that live books without evidence may risk, in cash units."""
        self.instruments: dict[str, Limits] = {}
        self.changes: dict[tuple[str, str], int] = {}
        """Changed while running and still in force, by scope and key."""
        self._bounds: dict[tuple[str, str], Bounds] = {}

    def configure(self, settings: CoreSettings) -> None:
        """Take the configuration of a start; of it and a recorded change the narrower one holds."""
        self.account = settings.limits
        self.instances = {
            strategy_of(one.name): one.limits for one in settings.strategies if one.limits
        }
        self.instruments = dict(settings.instrument_limits)
        for (scope, name), value in list(self.changes.items()):
            if is_wider(name, value, self.value(scope, name)):
                del self.changes[scope, name]
            else:
                self._set(scope, name, value)
        self._bounds.clear()

    def enlist(self, settings: CoreSettings, caps: dict[str, int]) -> None:
        """Take the instances that run now, and the caps of those without evidence."""
        self.capitals = {one.name: one.capital for one in settings.strategies}
        self.caps = caps
        self._bounds.clear()

    def on_changed(self, record: LimitsChanged) -> None:
        """Take over what a person changed."""
        if record.key in KEYS:
            self.changes[record.scope, record.key] = record.value
            self._set(record.scope, record.key, record.value)
            self._bounds.clear()

    def at(self, scope: str) -> Limits:
        """Return the limits of a scope."""
        if scope == ACCOUNT:
            return self.account
        table = self.instruments if ":" in scope else self.instances
        return table.get(scope, NOTHING_NARROWER)

    def value(self, scope: str, name: str) -> int:
        """Return one limit in force."""
        found: int = getattr(self.at(scope), KEYS[name].field)
        return found

    def bounds(self, owner: str, instrument: str, names: tuple[str, ...], scope: str) -> Bounds:
        """Return what an order must stay within (hot: made once).

        Args:
            owner: The instance that asks.
            instrument: What it trades.
            names: All instruments of the instance.
            scope: Empty for live orders, the instance on paper: its requests count apart.
        """
        found = self._bounds.get((owner, instrument))
        if found is None:
            found = self._bounds[owner, instrument] = self._made(owner, instrument, names, scope)
        return found

    def _made(self, owner: str, instrument: str, names: tuple[str, ...], scope: str) -> Bounds:
        own = self.instances.get(strategy_of(owner))
        cap, capital = self.caps.get(owner, 0), self.capitals.get(owner, 0)
        levels = []
        if own is not None:
            key = prefix_of(strategy_of(owner))
            levels.append(Level(key, own, names, owner, owner, capital))
        if cap:  # no limit is raised by it
            levels.append(Level(f"cap of {owner}", _capped(cap), names, owner, owner, capital))
        traded = self.instruments.get(instrument)
        if traded is not None:
            pace = pace_of(scope, instrument)
            levels.append(Level(prefix_of(instrument), traded, (instrument,), pace, ""))
        narrowest, words = {}, {}
        for name in ("price_distance", "order_notional", "order_qty"):
            field = KEYS[name].field
            narrowest[field], words[name] = getattr(self.account, field), f"limits.{name}"
            for level in levels:
                if getattr(level.limits, field) < narrowest[field]:
                    narrowest[field] = getattr(level.limits, field)
                    words[name] = f"{level.key}.{name}"
        needs_owned = any(
            min(one.limits.exposure, one.limits.leverage_ppm) < NO_LIMIT
            for one in levels
            if one.owner
        )
        needs_net = own is not None and own.net_exposure < NO_LIMIT
        net, free = self.account.net_exposure, self.account.free_balance
        return Bounds(
            owner=owner,
            account=self.account,
            narrow=tuple(levels),
            needs_owned=needs_owned,
            needs_net=needs_net,
            needs_more=needs_owned or needs_net or net < NO_LIMIT or free >= 0,
            words=words,
            **narrowest,
        )

    def _set(self, scope: str, name: str, value: int) -> None:
        changed = msgspec.structs.replace(self.at(scope), **{KEYS[name].field: value})
        if scope == ACCOUNT:
            self.account = changed
        elif ":" in scope:
            self.instruments[scope] = changed
        else:
            self.instances[scope] = changed


def _capped(cap_units: int) -> Limits:
    """Return the limits that a capital of so much is."""
    return msgspec.structs.replace(
        NOTHING_NARROWER, position_notional=cap_units, exposure=cap_units
    )


def prefix_of(scope: str) -> str:
    """Return what stands before a limit's key in the configuration."""
    if scope == ACCOUNT:
        return "limits"
    return f'limits.instrument."{scope}"' if ":" in scope else f"limits.strategy.{scope}"


def pace_of(scope: str, instrument: str) -> str:
    """Return the key of an instrument's requests among the pacings, on paper one an instance."""
    return f"{scope} {instrument}" if scope else instrument


def is_wider(name: str, value: int, before: int) -> bool:
    """Return whether a value of a limit lets more through than another one."""
    return value < before if KEYS[name].is_floor else value > before


def refusal_of(scope: str, name: str, value: object, settings: CoreSettings | None) -> str:
    """Return why a limit cannot be set, empty where it can."""
    key = KEYS.get(name)
    if key is None:
        return f"there is no limit {name!r}; known: {', '.join(KEYS)}"
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < NO_LIMIT:
        return f"{name} takes a number from 0 on, found {value!r}"
    level = "a" if scope == ACCOUNT else "i" if ":" in scope else "s"
    if level not in key.levels:
        where = ", ".join(word for mark, word in _LEVELS.items() if mark in key.levels)
        return f"{name} is a limit of: {where}"
    strategies = settings.strategies if settings else ()
    names = list(dict.fromkeys(strategy_of(one.name) for one in strategies))
    if level == "s" and scope not in names:
        return f"no instance is called {scope!r}: {', '.join(names)}"
    return ""


_LEVELS: Final = {"a": "the account", "s": "an instance", "i": "an instrument"}
