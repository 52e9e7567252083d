"""Signatures of REST requests and socket logins (Bybit v5 docs, guide)."""

import hashlib
import hmac
from collections.abc import Callable

from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.venues.bybit.settings import Secret


class Signer:
    """One key, prepared once: a system-generated one (HMAC) or one of our own (RSA).

    The venue knows which kind a key is; we see it from the secret, which is a PEM text for RSA.
    """

    __slots__ = ("_sign", "key")

    def __init__(self, key: str, secret: Secret) -> None:
        """Prepare the key.

        Raises:
            CredentialsRefused: key or secret is empty, or an RSA key cannot be used here.
        """
        text = secret.reveal()
        if not key or not text:
            raise CredentialsRefused("a key needs both parts: set account.key to a file with both")
        self.key = key
        self._sign = _rsa(text) if "PRIVATE KEY" in text else _hmac(text)

    def __repr__(self) -> str:
        return "Signer(***)"

    def sign(self, payload: bytes) -> str:
        """Return the signature of ``payload``: lower-case hex of an HMAC, base64 of RSA."""
        return self._sign(payload)

    def headers(self, payload: bytes, signed_ms: int, recv_window_ms: int) -> dict[str, str]:
        """Return the headers of one request.

        Args:
            payload: The query string without ``?``, or the body, byte for byte as sent.
            signed_ms: Venue time of signing, Unix ms.
            recv_window_ms: How long after ``signed_ms`` the venue may still take it.
        """
        head = f"{signed_ms}{self.key}{recv_window_ms}".encode()
        return {
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": f"{signed_ms}",
            "X-BAPI-RECV-WINDOW": f"{recv_window_ms}",
            "X-BAPI-SIGN": self.sign(head + payload),
        }

    def login(self, expires_ms: int) -> str:
        """Return the signature of a socket login that expires at ``expires_ms``."""
        return self.sign(b"GET/realtime%d" % expires_ms)


def _hmac(secret: str) -> Callable[[bytes], str]:
    """Return HMAC-SHA256 with the key's state prepared once and copied for each message."""
    prepared = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def sign(payload: bytes) -> str:
        mac = prepared.copy()
        mac.update(payload)
        return mac.hexdigest()

    return sign


def _rsa(pem: str) -> Callable[[bytes], str]:
    """Return PKCS#1 v1.5 with SHA-256, in base64.

    Raises:
        CredentialsRefused: the package for it is not installed, or the key is no RSA key.
    """
    try:
        from plimsoll.venues.bybit.rsa import signature_with
    except ImportError as error:
        raise CredentialsRefused(
            "the secret is an RSA key, which needs one more package: pip install 'plimsoll[rsa]', "
            "or use a system-generated key"
        ) from error
    return signature_with(pem)
