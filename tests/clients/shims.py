"""Point other people's clients at the simulator: plain http and ws on one port, nothing else."""

from typing import Any


def ccxt_settings(url: str, ws_url: str) -> dict[str, Any]:
    """Return the constructor argument of any ccxt ``bybit`` class: sync, async or pro."""
    public, private = f"{ws_url}/v5/public/", f"{ws_url}/v5/private"
    sockets = {
        "public": {kind: public + kind for kind in ("spot", "linear", "inverse", "option")},
        "private": {
            "spot": {"unified": private, "nonUnified": private},
            "contract": private,
            "usdc": private,
            "trade": f"{ws_url}/v5/trade",
        },
    }
    rest = dict.fromkeys(("spot", "futures", "v2", "public", "private"), url)
    return {
        "apiKey": "sim-key",
        "secret": "sim-secret",
        "urls": {"api": {**rest, "ws": sockets}},
    }
