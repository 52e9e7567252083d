import pytest

from plimsoll.venues.bybit import BybitSettings, Secret, VenueError, environment


def test_mainnet_regions_have_hosts_of_their_own():
    assert environment("mainnet").rest_url == "https://api.bybit.com"
    assert environment("mainnet", "tr").private_url == "wss://stream.bybit.tr/v5/private"
    assert environment("mainnet", "eu").private_url == "wss://stream.bybit.com/v5/private"


def test_demo_takes_market_data_from_mainnet_and_orders_by_rest():
    demo = environment("demo")
    assert demo.public_url == "wss://stream.bybit.com/v5/public"
    assert demo.trade_url == ""


def test_the_simulator_is_on_loopback():
    assert environment("simulator", simulator_port=4000).trade_url == "ws://127.0.0.1:4000/v5/trade"


@pytest.mark.parametrize(
    ("name", "region", "port"), [("moon", "global", 0), ("mainnet", "x", 0), ("simulator", "", 0)]
)
def test_unknown_places_are_refused(name, region, port):
    with pytest.raises(VenueError):
        environment(name, region, port)


def test_settings_do_not_show_the_secret():
    hosts = environment("testnet")
    settings = BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="k",
        secret=Secret("hunter2"),
    )
    assert "hunter2" not in repr(settings)
    assert settings.has_key
