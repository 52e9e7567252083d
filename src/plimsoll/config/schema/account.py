"""``[venue]`` and ``[account]``: where orders go, and whose they are."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from plimsoll.config import units
from plimsoll.config.books import ACCOUNT_NAME, ACCOUNT_WORDS, DEFAULT_ACCOUNT, DEFAULT_VENUE
from plimsoll.config.schema.kinds import Multiple, Reference, Section
from plimsoll.core.model import check_tag


def _account(text: str) -> str:
    if not ACCOUNT_NAME.fullmatch(text):
        raise ValueError(ACCOUNT_WORDS)
    return text


def _tag(text: str) -> str:
    try:
        return check_tag(text)
    except ValueError:
        raise ValueError("1 to 8 letters or digits, a letter first") from None


def _proxy(text: str) -> str:
    scheme, _, place = text.partition("://")
    if text and (scheme not in ("http", "https") or not place):
        raise ValueError('an address such as "http://10.0.0.1:3128"')
    return text


def _dcp(window_ns: int) -> int:
    seconds, rest = divmod(window_ns, 10**9)
    if window_ns and (rest or not 3 <= seconds <= 300):
        raise ValueError("whole seconds from 3 s to 300 s")
    return window_ns


class Venue(Section):
    """``[venue]``: where orders go."""

    kind: Literal["bybit"] = Field(default="bybit", description="The venue.")
    environment: Literal["mainnet", "demo", "testnet", "simulator"] = Field(
        default=DEFAULT_VENUE, description="Which of the venue's environments."
    )
    region: str = Field(default="global", description="Regional site of a mainnet account.")
    url: str = Field(
        default="",
        description="Simulator only: `host:port` on this machine, or the path of the `sim.json` it "
        "wrote. Empty: `var/sim/sim.json`.",
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        default="",
        description="HTTP proxy the venue is asked through, by REST and by sockets, such as "
        "`http://10.0.0.1:3128`.",
    )
    redundant: tuple[Literal["orderbook", "publicTrade", "tickers", "kline"], ...] = Field(
        default=(),
        description="Public streams carried by two connections at once, so that the loss of one "
        "is not felt: any of `orderbook`, `publicTrade`, `tickers`, `kline`.",
        examples=[["orderbook"]],
    )


class Account(Section):
    """``[account]``: whose orders they are. One engine serves one account."""

    name: Annotated[str, AfterValidator(_account)] = Field(
        default=DEFAULT_ACCOUNT, description="Name of the account; its logs and its lease carry it."
    )
    tag: Annotated[str, AfterValidator(_tag)] = Field(
        description="Begins every client order id: 1 to 8 letters or digits. Never change it while "
        "orders are open."
    )
    key: Reference = Field(default="", description="API key, as `file:PATH` or `env:NAME`.")
    secret: Reference = Field(
        default="", description="API secret, as `file:PATH` (mode 600) or `env:NAME`."
    )
    dedicated: bool = Field(
        default=False, description="Nothing else trades on the account: every order in it is ours."
    )
    first_start: Literal["observe", "adopt_foreign"] = Field(
        default="observe",
        description="A position that is there before the first start is foreign. `observe`: live "
        "instances take no new risk on its instrument until `plimsoll adopt` decides; "
        "`adopt_foreign`: they trade beside it.",
    )
    margin_mode: Literal["keep", "cross", "isolated"] = Field(
        default="keep", description="What `plimsoll account setup` sets; the engine takes either."
    )
    dcp: Annotated[int, BeforeValidator(units.duration_ns), AfterValidator(_dcp)] = Field(
        default=0,
        description="Window of the venue's disconnect protection, 3 s to 300 s; it cancels "
        "everything, protection too, when the engine's connection is gone for so long. 0: off. "
        "Only where the venue has opened it for the account.",
        examples=["10 s"],
    )
    leverage: Multiple = Field(
        default=0,
        description="What `plimsoll account setup` sets for each contract; 0 leaves it. It bounds "
        "nothing: `limits.leverage` does.",
        examples=[3],
    )
