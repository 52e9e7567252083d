"""Signatures of REST requests and socket logins (Bybit v5 docs, guide)."""

import hashlib
import hmac

from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.venues.bybit.settings import Secret


class Signer:
    """HMAC-SHA256 with the key's state prepared once and copied for each message."""

    __slots__ = ("_mac", "key")

    def __init__(self, key: str, secret: Secret) -> None:
        """Prepare the key.

        Raises:
            CredentialsRefused: key or secret is empty, or the secret is an RSA key.
        """
        text = secret.reveal()
        if not key or not text:
            raise CredentialsRefused("a key needs both parts: set account.key to a file with both")
        if "PRIVATE KEY" in text:
            raise CredentialsRefused("RSA keys are not supported: create a system-generated key")
        self.key = key
        self._mac = hmac.new(text.encode(), digestmod=hashlib.sha256)

    def __repr__(self) -> str:
        return "Signer(***)"

    def sign(self, payload: bytes) -> str:
        """Return the lower-case hex signature of ``payload``."""
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest()

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
