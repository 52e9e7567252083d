"""What random runs of the whole core share."""

from types import SimpleNamespace

import msgspec
import pytest
from tests.properties.driver import CASH, WIDE, one_strategy, replayed, settings_of
from tests.properties.market_of_chance import Adversary

LIMIT_LOTS = 40


@pytest.fixture(scope="session")
def chaos():
    """Return an adversarial strategy under a position limit of ``limit_lots``."""
    narrow = msgspec.structs.replace(WIDE, position_notional=LIMIT_LOTS * 50_500 * CASH // 1_000)
    return SimpleNamespace(
        settings=settings_of(one_strategy(), limits=narrow, repeat_max=10**6),
        load=lambda _one: Adversary(),
        limit_lots=LIMIT_LOTS,
        replayed=replayed,
    )
