import pickle

import pytest

from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.venues.bybit.settings import Secret
from plimsoll.venues.bybit.sign import Signer

SIGNER = Signer("TESTKEY0001", Secret("TESTSECRET0001"))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            b"category=linear&symbol=BTCUSDT",
            "01d815f1e23d1deca8771d2ff41424ba721353cac43b375fae6c01fc31c6495e",
        ),
        (
            b'{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit",'
            b'"qty":"0.001","price":"30000","timeInForce":"GTC","orderLinkId":"vec-1"}',
            "9be5a7805608a107c99992f1c9407b913d75a645c8993c984796e6aa6173412b",
        ),
        (b"", "1845b217426fe871dfdcf3b57eb368b98a802a60bf0476aba39f7331cd4077e3"),
    ],
)
def test_requests_are_signed_as_the_venue_expects(payload, expected):
    headers = SIGNER.headers(payload, 1700000000000, 5000)
    assert headers["X-BAPI-SIGN"] == expected
    assert headers["X-BAPI-TIMESTAMP"] == "1700000000000"


def test_logins_are_signed_as_the_venue_expects():
    expected = "d2dc1aeffe66cdb5faccf30102dfc7cde9cd010cc02876e3c6d8a8b8befa8afc"
    assert SIGNER.login(1700000010000) == expected


def test_signatures_equal_those_of_an_independent_client():
    from pybit._http_manager import generate_signature

    text = "1700000000000TESTKEY00015000a=1"
    expected = generate_signature(False, "TESTSECRET0001", text)
    assert SIGNER.sign(text.encode()) == expected


@pytest.mark.parametrize(
    ("key", "secret"), [("", "x"), ("x", ""), ("x", "-----BEGIN PRIVATE KEY-----")]
)
def test_unusable_keys_are_refused(key, secret):
    with pytest.raises(CredentialsRefused):
        Signer(key, Secret(secret))


def test_a_secret_never_shows_itself():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret} {Signer('k', secret)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
