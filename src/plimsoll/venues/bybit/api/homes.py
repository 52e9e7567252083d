"""Where a key belongs: it is known to exactly one environment, and the others answer 10003."""

from collections.abc import Mapping

import msgspec

from plimsoll.venues.bybit.api.account import KEY
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.settings import BybitSettings, environment
from plimsoll.venues.bybit.sign import Signer

REAL = ("mainnet", "testnet", "demo")


def other_homes(here: str) -> dict[str, str]:
    """Return the REST addresses of the other environments by name."""
    return {name: environment(name).rest_url for name in REAL if name != here}


async def homes_of(
    settings: BybitSettings, clock: Clock, addresses: Mapping[str, str]
) -> dict[str, str]:
    """Ask each address, read-only, whether it knows the key; return "" or why not, by name.

    It sends the key's name and a signature, never the secret; still, ask a person first.
    """
    signer = Signer(settings.key, settings.secret)
    found = {}
    for name, url in addresses.items():
        there = msgspec.structs.replace(settings, rest_url=url)
        async with RestClient(there, clock, signer) as rest:
            await rest.measure_offset(1)
            answer = await rest.get(KEY.path, {}, signed=True)
        found[name] = "" if answer.is_ok else answer.reason
    return found
