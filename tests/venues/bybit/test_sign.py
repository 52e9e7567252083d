import base64
import pickle
import sys

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


# ---- RSA: an optional package ------------------------------------------------------------------


@pytest.fixture(scope="module")
def rsa_key():
    """Return a private key made for this test."""
    reason = "RSA keys need cryptography: pip install 'plimsoll[rsa]'"
    pytest.importorskip("cryptography", reason=reason)
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key, *, passphrase=b""):
    from cryptography.hazmat.primitives import serialization

    lock = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    form, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(form, kind, lock).decode()


@pytest.mark.parametrize("payload", [b"", b"category=linear", b'{"symbol":"BTCUSDT"}'])
def test_an_rsa_signature_is_verified_by_its_public_half(rsa_key, payload):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signer = Signer("k", Secret(pem_of(rsa_key)))
    found = base64.b64decode(signer.sign(payload), validate=True)
    rsa_key.public_key().verify(found, payload, padding.PKCS1v15(), hashes.SHA256())
    head = signer.headers(payload, 1, 2000)["X-BAPI-SIGN"]
    signed = b"1k2000" + payload
    rsa_key.public_key().verify(base64.b64decode(head), signed, padding.PKCS1v15(), hashes.SHA256())


def test_rsa_signatures_equal_those_of_an_independent_client(rsa_key):
    from pybit._http_manager import generate_signature

    pem, text = pem_of(rsa_key), "1700000000000k5000a=1"
    assert Signer("k", Secret(pem)).sign(text.encode()) == generate_signature(True, pem, text)


def test_an_rsa_key_we_cannot_use_is_refused_without_showing_it(rsa_key):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    locked = pem_of(rsa_key, passphrase=b"x")
    curve = pem_of(ec.generate_private_key(ec.SECP256R1()))
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - refused
    short = pem_of(weak)
    for pem in (locked, curve, short, "-----BEGIN PRIVATE KEY-----\nAAAA\n"):
        with pytest.raises(CredentialsRefused) as refused:
            Signer("k", Secret(pem))
        assert not any(line in str(refused.value) for line in pem.splitlines() if line)


def test_without_the_package_an_rsa_key_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.delitem(sys.modules, "plimsoll.venues.bybit.rsa", raising=False)
    for name in ("cryptography", "cryptography.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CredentialsRefused, match=r"plimsoll\[rsa\]"):
        Signer("k", Secret("-----BEGIN PRIVATE KEY-----"))
