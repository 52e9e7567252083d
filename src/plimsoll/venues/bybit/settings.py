"""Where the venue is and who we are: hosts per environment, key and secret, times."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from plimsoll.venues.bybit.errors import VenueError
from plimsoll.venues.bybit.rates import Holder

if TYPE_CHECKING:
    from array import array

ENVIRONMENTS: Final = ("mainnet", "testnet", "demo", "simulator")

_REGION_HOSTS: Final = {
    "global": "bybit.com",
    "nl": "bybit.nl",
    "tr": "bybit.tr",
    "kz": "bybit.kz",
    "ge": "bybitgeorgia.ge",
    "ae": "bybit.ae",
    "eu": "bybit.eu",
    "id": "bybit.id",
    "jp": "manepa.jp",
}
"""REST domains of regional sites (Bybit v5 docs, guide)."""

_STREAM_REGIONS: Final = frozenset({"tr", "kz", "ge", "id", "jp"})
"""Regions with socket hosts of their own; the others use the global ones."""


REDUNDANT_KINDS: Final = ("orderbook", "publicTrade", "tickers", "kline")
"""What ``redundant`` may name: the first part of a public topic."""


class Secret:
    """A text that shows itself to nobody but the one who asks with ``reveal``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be copied into a file or another process")

    def reveal(self) -> str:
        """Return the text itself; never log, store or send the result."""
        return self._text


class BybitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One venue connection. Without ``key`` only public data is used (paper)."""

    rest_url: str
    public_url: str
    """Prefix of the public sockets; ``/linear`` or ``/spot`` is added."""

    private_url: str
    trade_url: str
    """Empty where orders go by REST only (demo)."""

    key: str = ""
    secret: Secret = Secret("")
    recv_window_ms: int = 2000
    """How old a request may be on arrival; what is older was certainly refused (X4).

    An engine takes its core's ``timing.recv_window_ms`` instead: the proof of absence waits for it.
    """

    holder: Holder = Holder.ENGINE
    """Which part of the account's and the address's rates is ours."""

    rest_timeout_s: float = 5.0
    ban_s: float = 600.0
    """REST is silent for this long after HTTP 403: an address ban lifts by itself after about ten
    minutes (V-12, N12)."""

    proxy: str = ""
    """HTTP proxy of REST requests and sockets."""

    ping_s: float = 5.0
    """Ping period of every link; with the pong deadline a dead path shows in 9 s (N1, MKT-2)."""

    pong_s: float = 4.0
    late_pong_s: float = 2.0
    """From here to the pong the streams of a connection are SUSPECT."""

    redundant: tuple[str, ...] = ()
    """Kinds of topic carried by two connections at once; of ``REDUNDANT_KINDS``."""

    max_active_s: int = 0
    """Have the venue cut private and trade connections after so long, 30 to 600 (0: never).

    A successor takes over before. It bounds how long one connection is relied on; the venue's own
    default needs nothing of the kind, so this is off.
    """

    dcp_s: int = 0
    """Window of the venue's disconnect protection, 3 to 300 s (0: not asked for)."""

    stored: "Mapping[str, array[float]]" = {}
    """Minutes to warm up with that are stored on this machine; see ``warming``."""

    topics_per_connection: int = 100
    clock_period_s: float = 30.0

    @property
    def has_key(self) -> bool:
        """Return whether private data and orders are possible."""
        return bool(self.key)


class Hosts(msgspec.Struct, frozen=True):
    """The four addresses of one environment."""

    rest_url: str
    public_url: str
    private_url: str
    trade_url: str


def environment(name: str, region: str = "global", simulator_port: int = 0) -> Hosts:
    """Return the addresses of an environment (Bybit v5 docs, guide and websocket pages).

    Args:
        name: One of ``ENVIRONMENTS``.
        region: ``global`` or a regional site; mainnet only.
        simulator_port: Loopback port of the simulator, for ``simulator``.

    Raises:
        VenueError: the name or region is not known, or the port is missing.
    """
    if name == "simulator":
        if not 0 < simulator_port < 65536:
            raise VenueError(f"venue.environment simulator needs its port, found {simulator_port}")
        host = f"127.0.0.1:{simulator_port}"
        return _hosts(f"http://{host}", *[f"ws://{host}"] * 3)
    if name == "testnet":
        return _hosts("https://api-testnet.bybit.com", *["wss://stream-testnet.bybit.com"] * 3)
    if name == "demo":  # market data comes from mainnet; there is no trade socket
        stream = "wss://stream.bybit.com"
        return _hosts("https://api-demo.bybit.com", stream, "wss://stream-demo.bybit.com", "")
    if name != "mainnet":
        raise VenueError(f"venue.environment must be one of {ENVIRONMENTS}, found {name!r}")
    if region not in _REGION_HOSTS:
        raise VenueError(f"venue.region must be one of {tuple(_REGION_HOSTS)}, found {region!r}")
    domain = _REGION_HOSTS[region]
    stream = f"wss://stream.{domain if region in _STREAM_REGIONS else 'bybit.com'}"
    return _hosts(f"https://api.{domain}", *[stream] * 3)


def _hosts(rest: str, public: str, private: str, trade: str) -> Hosts:
    return Hosts(
        rest_url=rest,
        public_url=f"{public}/v5/public",
        private_url=f"{private}/v5/private",
        trade_url=f"{trade}/v5/trade" if trade else "",
    )
