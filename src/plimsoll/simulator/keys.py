"""RSA keys of accounts, where the optional package ``cryptography`` is installed."""

import base64
import binascii
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Final

IS_RSA_OFFERED: Final = find_spec("cryptography") is not None
"""It is loaded with the first key only: it takes longer than all of the brain."""


def check_public_key(pem: str) -> None:
    """Refuse what is no RSA public key, or a key where ``cryptography`` is missing.

    Raises:
        ValueError: saying what to do.
    """
    if not IS_RSA_OFFERED:
        raise ValueError(
            "public_key needs the package cryptography: pip install 'plimsoll[rsa]', "
            "or give the account a secret instead"
        )
    _loaded(pem)


def is_signed_rsa(pem: str, text: str, signature: str) -> bool:
    """Return whether a base64 signature (PKCS#1 v1.5, SHA-256) fits (Bybit v5 docs, guide)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        raw = base64.b64decode(signature, validate=True)
        _loaded(pem).verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=64)
def _loaded(pem: str) -> Any:  # noqa: ANN401 - a type of the optional package
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ValueError(f"public_key is no PEM public key: {error}") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"public_key must be an RSA key, found {type(key).__name__}")
    return key
