"""RSA signatures; importing this needs the optional package ``cryptography`` (extra ``rsa``)."""

import base64
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from plimsoll.venues.bybit.errors import CredentialsRefused

_BITS_LEAST: Final = 2048


def signature_with(pem: str) -> Callable[[bytes], str]:
    """Return what signs with the private key in ``pem``: PKCS#1 v1.5, SHA-256, base64.

    Raises:
        CredentialsRefused: it cannot be read, has a passphrase, is no RSA key, or is too short.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        kind = type(error).__name__  # its words might show parts of the key
        raise CredentialsRefused(
            f"the RSA key cannot be read ({kind}): expected an unencrypted private key in PEM form"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsRefused(f"expected an RSA key, found {type(key).__name__}")
    if key.key_size < _BITS_LEAST:
        raise CredentialsRefused(f"expected an RSA key of {_BITS_LEAST} bits, found {key.key_size}")

    def sign(payload: bytes) -> str:
        return base64.b64encode(key.sign(payload, PKCS1v15(), SHA256())).decode()

    return sign
