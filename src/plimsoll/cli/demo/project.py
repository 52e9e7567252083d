"""The throw-away project of a demo: a configuration, keys for the simulator, two strategies."""

import shutil
from pathlib import Path
from typing import Final, NamedTuple

import plimsoll.cli
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure

KEY_FILE: Final = "secrets/key"
SECRET_FILE: Final = "secrets/secret"  # noqa: S105 - the path of the simulator's made-up secret
SIM_DIR: Final = "var/sim"

_CONFIGURATION: Final = """\
# A throw-away project made by `plimsoll demo`: everything here trades on the simulator only.

[venue]
environment = "simulator"
url = "{sim_dir}/sim.json"

[account]
name = "demo"
tag = "demo"
key = "file:{key_file}"        # the simulator's own key; it opens nothing else
secret = "file:{secret_file}"
dedicated = true

[journal]
market_keep = "2 GB"

[limits]                          # RSK-4: a limit left out is zero, and nothing would be sent
price_distance = "2 %"
order_notional = "20_000 USDT"
orders_per_second = 20
orders_per_day = 1_000_000
open_orders = 20
position_notional = "50_000 USDT"
exposure = "100_000 USDT"
daily_loss = "20_000 USDT"
drawdown = "50 %"
leverage = 5

[execution]
# Delays of the simulator are bounded, so an order that does not show for this long never lived.
# The default for a real venue is 11 s.
absence_margin = "1500 ms"

[[strategy]]
name = "ema"
class = "strategies/ema_cross.py:EmaCross"
instruments = ["{cross}"]
mode = "live"                     # its orders go to the simulator
capital = "30_000 USDT"
params = {{ fast = 2, slow = 5, notional = 1_500.0 }}

[[strategy]]
name = "quoter"
class = "strategies/quoter.py:Quoter"
instruments = ["{quoted}"]
mode = "live"
capital = "30_000 USDT"
params = {{ notional = 150.0, most = 1_500.0, spread = 0.0002 }}

[[strategy]]
name = "ema-paper"
class = "strategies/ema_cross.py:EmaCross"
instruments = ["{paper}"]
mode = "paper"                    # matched inside the engine, never sent
capital = "30_000 USDT"
params = {{ fast = 2, slow = 5, notional = 1_500.0 }}

[breakers]
off = ["losing_streak"]           # these trade for the show: fees make every round trip a loss

[limits.strategy.quoter]          # its own, besides the account's; what is left out narrows nothing
order_notional = "1_000 USDT"
position_notional = "5_000 USDT"
"""


class Instruments(NamedTuple):
    """What the three instances of the demo trade."""

    cross: str
    quoted: str
    paper: str


def instruments_of(text: str) -> Instruments:
    """Return the three instruments of ``"A,B,C"``.

    Raises:
        Failure: not three different ones.
    """
    names = [name.strip() for name in text.split(",")]
    if len(names) != 3 or len(set(names)) != 3 or not all(names):
        raise Failure(
            Exit.USAGE,
            "usage",
            f"--instruments {text}: expected three different instruments",
            "such as linear:BTCUSDT,linear:ETHUSDT,linear:DOGEUSDT",
        )
    return Instruments(*names)


def make(root: Path, instruments: Instruments) -> None:
    """Write the project into a new directory.

    Raises:
        Failure: the directory cannot be made, or the example strategies are not installed.
    """
    try:
        (root / "strategies").mkdir(parents=True)
        (root / "secrets").mkdir(mode=0o700)
        for source in sorted(examples_dir().glob("*.py")):
            shutil.copyfile(source, root / "strategies" / source.name)
        for name, text in ((KEY_FILE, "sim-key"), (SECRET_FILE, "sim-secret")):
            path = root / name
            path.touch(mode=0o600)
            path.write_text(f"{text}\n")
        (root / "plimsoll.toml").write_text(
            _CONFIGURATION.format(
                sim_dir=SIM_DIR,
                key_file=KEY_FILE,
                secret_file=SECRET_FILE,
                **instruments._asdict(),
            )
        )
    except OSError as error:
        raise Failure(
            Exit.CONFIGURATION,
            "directory",
            f"{error.filename}: cannot be written: {error.strerror}",
            "--dir DIR puts the project elsewhere",
        ) from error


def examples_dir() -> Path:
    """Return where the example strategies are: inside an installed package, or in the checkout.

    Raises:
        Failure: in neither place.
    """
    package = Path(plimsoll.cli.__file__).parent
    for folder in (package / "examples", package.parents[2] / "examples" / "strategies"):
        if folder.is_dir():
            return folder
    raise Failure(
        Exit.UNEXPECTED, "no-examples", f"the example strategies are missing from {package}"
    )
