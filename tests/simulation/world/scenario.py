"""What a seed enables: which faults with which rates, which acts of machine and people, when."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from plimsoll.core.model import Mode
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings
from plimsoll.simulator.faults.ask import Ask
from plimsoll.simulator.faults.catalogue import CATALOGUE, Manner
from plimsoll.simulator.faults.plan import faults_drawn

_UNIT: Final = 10**8
_PARTS: Final = 1_000_000
START_NS: Final = 1_750_000_020_000_000_000
"""Where every run begins, 20 s into a minute; virtual time is Unix time to the product."""

INSTRUMENTS: Final = ("linear:BTCUSDT", "linear:ETHUSDT", "spot:BTCUSDT", "spot:ETHUSDT")
TAG: Final = "wrld"
LARGEST: Final = 3_000
"""Largest order, in quote coin; the limits are small multiples of it, so that they are reached."""

Choose = Callable[[str, int], int]

_RARE: Final[dict[str, dict[str, Any]]] = {
    "hand_order": {"every_s": 8.0},
    "hand_close": {},
    "liquidation": {"magnitude": 0.5},
    "adl": {},
    "funding_rate": {},
    "crash": {"magnitude": -0.1},
    "fees_changed": {},
    "maintenance": {"magnitude": 2000.0},
    "key_revoked": {},
    "goodbye": {},
}
"""Faults the catalogue never draws by itself, and what they are asked with."""


class Act(msgspec.Struct, omit_defaults=True):
    """Something that happens to the machine, or that a person does."""

    at_s: float
    what: str
    """kill, power, terminate, freeze, disk_fails, disk_stalls, disk_full, lag, clock, mode, or a
    command: halt, resume, release, set, reload, signal."""
    size: float = 0.0
    """kill, power: after so many writes and sends; mode: which switch; set, reload, signal: what
    follows from this number; else seconds, ms or ppm."""
    lasts_s: float = 0.0


class Scenario(msgspec.Struct, omit_defaults=True):
    """All of a run but its choices."""

    seed: int
    chaos_s: float = 40.0
    instruments: tuple[str, ...] = ("linear:BTCUSDT",)
    every: int = 4
    absurd: int = 0
    owners: int = 1
    """Strategy instances on each instrument."""
    papers: int = 0
    """Further instances on the first instrument whose orders never reach the exchange."""
    conditional: int = 0
    """Turns in a thousand that ask for an order that waits for its price."""
    slow_ms: int = 0
    """Between the exchange's answer to a create, amend or cancel and its effect (V-1); its REST
    lists are five times as late."""
    funds: bool = False
    """Whether perpetuals pay funding twice a minute, instead of every eight hours."""
    sync: str = "kernel"
    resumes: bool = True
    """Whether people end a halt once it is calm; what is open must end under a halt as well."""
    volatile: float = 1.0
    """How fast the market walks along its path."""
    pulse_ms: int = 200
    """Period of the market: at 200 an instrument brings about ten messages a second."""
    asks: list[Ask] = []
    acts: list[Act] = []
    muted: list[str] = []
    """Choices set to 0, see ``Choices``."""
    muted_turns: dict[str, str] = {}
    """Turns of strategies left out, by instance."""
    off: list[int] = []
    """Places of faults in ``asks`` that do not happen."""

    @property
    def digest(self) -> str:
        """Return a short hash of everything: two equal ones are the same run."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]

    def core(self, start_ns: int, quiet_s: float) -> CoreSettings:
        """Return the settings of the engine."""
        quiet_ms = start_ns // 1_000_000 + int(quiet_s * 1000)
        live = [(name, Mode.LIVE) for name in self.instruments * self.owners]
        paper = [(self.instruments[0], Mode.PAPER)] * self.papers
        return CoreSettings(
            account="world",
            tag=TAG,
            limits=LIMITS,
            strategies=tuple(
                StrategySettings(
                    name=(name := f"s{number}"),
                    source="adversary",
                    instruments=(instrument,),
                    mode=mode,
                    capital=20_000 * _UNIT,
                    params={
                        "seed": self.seed * 100 + number,
                        "every": self.every,
                        "absurd": self.absurd,
                        "conditional": self.conditional,
                        "largest": float(LARGEST),
                        "quiet_after_ms": quiet_ms,
                        "muted": self.muted_turns.get(name, ""),
                    },
                )
                for number, (instrument, mode) in enumerate(live + paper)
            ),
        )


LIMITS: Final = Limits(
    price_distance_ppm=20_000,
    order_notional=LARGEST * _UNIT,
    orders_per_second=50,
    orders_per_day=1_000_000,
    open_orders=25,
    position_notional=3 * LARGEST * _UNIT,
    exposure=5 * LARGEST * _UNIT,
    daily_loss=50_000 * _UNIT,
    drawdown_ppm=900_000,
    leverage_ppm=3_000_000,
)


def draw(seed: int, choose: Choose) -> Scenario:
    """Return the scenario of a seed: a random subset of everything, with random rates."""

    def share(label: str) -> float:
        return choose(f"scenario {label}", _PARTS) / _PARTS

    chaos_s = 15.0 + round(share("length") * 45, 1)
    count = 1 + choose("scenario instruments", 3)
    first = choose("scenario first instrument", len(INSTRUMENTS))
    names = tuple(INSTRUMENTS[(first + n) % len(INSTRUMENTS)] for n in range(count))
    rest = msgspec.structs.replace(
        Scenario(seed),
        chaos_s=chaos_s,
        instruments=names,
        every=(4, 2, 10, 30)[choose("scenario every", 4)],
        absurd=(0, 0, 20, 100)[choose("scenario absurd", 4)],
        owners=1 + (choose("scenario owners", 4) == 3),
        papers=int(choose("scenario papers", 4) == 3),
        conditional=(0, 0, 60, 250)[choose("scenario conditional", 4)],
        slow_ms=(0, 0, 40, 400)[choose("scenario slow", 4)],
        funds=choose("scenario funding", 4) == 3,
        sync=("kernel", "kernel", "kernel", "disk")[choose("scenario sync", 4)],
        resumes=not choose("scenario halt stays", 2),
        volatile=(1.0, 1.0, 2.0, 6.0)[choose("scenario volatile", 4)],
        pulse_ms=(200, 200, 100, 50)[choose("scenario pulse", 4)],
    )
    density = (0.0, 0.15, 0.4, 1.0)[choose("scenario density", 4)]
    rest.asks = list(_asks(choose, share, chaos_s, density))
    rest.acts = sorted(_acts(choose, share, chaos_s), key=lambda act: act.at_s)
    return rest


def _asks(
    choose: Choose, share: Callable[[str], float], chaos_s: float, density: float
) -> Iterator[Ask]:
    for ask in faults_drawn(choose, chaos_s):
        if share(f"keep {ask.name}") < density:
            yield ask
    for name, fields in _RARE.items():
        if share(f"keep {name}") >= density * 0.15:
            continue
        at_s = round(2 + share(f"at {name}") * chaos_s * 0.7, 3)
        entry = CATALOGUE[name]
        lasts_s = 0.0
        if entry.manner is not Manner.ONCE or "every_s" in fields:
            lasts_s = round(1 + share(f"length {name}") * (chaos_s - at_s - 1), 3)
        yield Ask(name, at_s=at_s, duration_s=lasts_s, **fields)


CHANGES: Final = frozenset({"set", "reload", "signal"})

_ACTS: Final = (
    # what, most of it in a run, least and most size, least and most seconds
    ("kill", 8, 0, 60, 0, 0),
    ("power", 3, 0, 60, 0, 0),
    ("terminate", 2, 0, 0, 0, 0),
    ("freeze", 2, 0, 0, 0.1, 20),
    ("disk_fails", 1, 0, 0, 0.5, 2),
    ("disk_stalls", 2, 0, 0, 0.5, 4),
    ("disk_full", 1, 0, 0, 1, 10),
    ("lag", 3, 5, 3000, 1, 15),
    ("clock", 2, -2000, 2000, 0, 0),
    ("halt", 2, 0, 0, 0, 0),
    ("resume", 2, 0, 0, 0, 0),
    ("release", 2, 0, 0, 0, 0),
    ("set", 5, 0, 10_000, 0, 0),
    ("reload", 4, 0, 10_000, -6, 8),  # half of them with a death so many writes later
    ("signal", 8, 0, 10_000, -12, 8),
)


def _acts(choose: Choose, share: Callable[[str], float], chaos_s: float) -> Iterator[Act]:
    """Yield acts; half of their kinds do not happen at all in a run.

    Strategies are changed in one run of four: in most, what they do shall be what it was.
    """
    is_changing = choose("scenario changes", 4) == 3
    for what, most, low, high, short, long in _ACTS:
        if what in CHANGES and not is_changing:
            continue
        if not choose(f"scenario {what}", 2):
            continue
        for number in range(1 + choose(f"scenario how often {what}", most)):
            label = f"{what} {number}"
            size = low + share(f"size {label}") * (high - low)
            lasts_s = short + share(f"lasts {label}") * (long - short)
            at_s = round(0.3 + share(f"at {label}") * (chaos_s - 0.5), 3)
            yield Act(at_s, what, float(round(size)), round(lasts_s, 3))


def with_switches(scenario: Scenario, count: int, choose: Choose) -> Scenario:
    """Return a scenario in which people switch modes so often as well, as random as the rest."""
    span = int((scenario.chaos_s - 1) * 1000)
    acts = [
        Act(
            0.5 + choose(f"switch at {number}", span) / 1000,
            "mode",
            float(choose(f"switch to {number}", 1 << 16)),
        )
        for number in range(count)
    ]
    found = sorted([*scenario.acts, *acts], key=lambda act: act.at_s)
    return msgspec.structs.replace(scenario, acts=found)
