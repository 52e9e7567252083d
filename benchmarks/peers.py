"""Other backtests beside ours: each under an interpreter of its own, which a variable names.

``PEER=PYTHON`` has NautilusTrader 1.221, ``PEER_NEW=PYTHON`` NautilusTrader 1.231 (CPython 3.12 or
newer), ``PEER_HFT=PYTHON`` hftbacktest. Each is given the same prices, runs the same rule, and says
its version and the processor time of its runs alone: no imports, no making of its data, no
compilation. What is not named is not measured, and the report says so.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

BARS: Final = "bars"
QUOTES: Final = "quotes"
WITHOUT: Final = ", without orders"


class Peer(NamedTuple):
    """What can be measured beside ours, and over what."""

    variable: str
    name: str
    script: str
    jobs: tuple[str, ...]


PEERS: Final = (
    Peer("PEER", "NautilusTrader 1.221", "backtest_peer.py", (BARS, QUOTES)),
    Peer("PEER_NEW", "NautilusTrader 1.231", "backtest_peer.py", (BARS, QUOTES)),
    Peer("PEER_HFT", "hftbacktest", "backtest_peer_hft.py", (QUOTES,)),
)


class Beside:
    """The peers that are named, running in turns with ours."""

    def __init__(self, job: str, prices: list[float], *, is_wanted: bool = True) -> None:
        """Hold the prices all are given: closes of bars, or best bids."""
        self.job, self.prices = job, prices
        self.seconds: dict[str, list[float]] = {}
        """Processor seconds of each turn, by what ran."""
        self.turns: dict[str, int] = {}
        """How often the rule turned at each peer."""
        self._named = {
            peer: os.environ.get(peer.variable, "") if is_wanted else ""
            for peer in PEERS
            if job in peer.jobs
        }

    def turn(self) -> None:
        """Let each peer run once, with its orders and without."""
        for peer, python in self._named.items():
            if not python:
                continue
            said = _run(peer, python, self.job, self.prices)
            label = said["label"]
            self.turns[label] = said["turns"]
            self.seconds.setdefault(label, []).append(said["trading"])
            self.seconds.setdefault(f"{label}{WITHOUT}", []).append(said["signals"])

    def ratios(self, trading: float, without: float, targets: float) -> dict[str, float]:
        """Return how many times as fast we are: the best times of each, theirs over ours.

        Args:
            trading: Ours with the rule as a peer's strategy is written: an order a turn.
            without: Ours without its orders.
            targets: Ours as one writes it here.
        """
        found = {}
        for label in self.turns:
            theirs = min(self.seconds[label])
            found[f"core / {label}"] = theirs / trading
            found[f"core with targets / {label}"] = theirs / targets
            found[f"core / {label}{WITHOUT}"] = min(self.seconds[label + WITHOUT]) / without
        return found

    def notes(self) -> tuple[str, ...]:
        """Return how often each turned, and what was not there."""
        ran = (f"{label} turned {turns:,} times" for label, turns in self.turns.items())
        absent = (
            f"not measured: {peer.name}; {peer.variable}=PYTHON names an interpreter that has it"
            for peer, python in self._named.items()
            if not python
        )
        return (*ran, *absent)


def _run(peer: Peer, python: str, job: str, prices: list[float]) -> dict[str, Any]:
    script = Path(__file__).with_name(peer.script)
    try:
        done = subprocess.run(
            [python, script, job], input=json.dumps(prices), capture_output=True, text=True
        )
    except OSError as error:
        raise SystemExit(f"{peer.variable}={python}: {error.strerror}") from error
    if done.returncode:
        raise SystemExit(f"{peer.variable}={python} cannot run {script.name}: {done.stderr[-500:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
