"""Signatures and the timestamp window (Bybit v5 docs, guide)."""

import hashlib
import hmac
from collections.abc import Mapping

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.messages import Rest
from plimsoll.simulator.keys import is_signed_rsa

FUTURE_MS = 1000
"""How far a timestamp may lie ahead of the server, whatever the receive window."""
_DIGITS_MOST = 20


def sign(secret: str, text: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of a text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def account_of_request(accounts: Mapping[str, Account], request: Rest, now_ms: int) -> Account:
    """Return the account a signed request comes from.

    Raises:
        VenueRefusal: 10001, 10002, 10003, 10004, 10010 or 33004.
    """
    headers = request.headers
    key = headers.get("x-bapi-api-key", "")
    stamp = headers.get("x-bapi-timestamp", "")
    window = headers.get("x-bapi-recv-window", "")
    if not key or not stamp:
        text = "Request parameter error: X-BAPI-API-KEY and -TIMESTAMP needed"
        raise VenueRefusal(10001, text, status=401)
    account = accounts.get(key)
    if account is None:
        raise VenueRefusal(10003)
    account.rights.check(now_ms, request.address)
    check_window(stamp, window or "5000", now_ms)
    payload = request.query if request.method == "GET" else request.body.decode(errors="replace")
    signature = headers.get("x-bapi-sign", "")
    if not signature:
        raise VenueRefusal(10004, status=401)
    if not is_signed(account, f"{stamp}{key}{window}{payload}", signature):
        raise VenueRefusal(10004)
    return account


def check_window(stamp: str, window: str, now_ms: int) -> None:
    """Refuse a timestamp outside ``now - window <= stamp < now + 1000`` (milliseconds).

    Raises:
        VenueRefusal: 10001 where they are no numbers, 10002 outside.
    """
    if not (_is_whole(stamp) and _is_whole(window)):
        raise VenueRefusal(10001, f"Request parameter error: timestamp {stamp}, window {window}")
    if not now_ms - int(window) <= int(stamp) < now_ms + FUTURE_MS:
        raise VenueRefusal(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window}]",
        )


def account_of_socket(
    accounts: Mapping[str, Account], args: object, address: str, now_ms: int
) -> Account:
    """Return the account an ``auth`` operation from an address names.

    Raises:
        VenueRefusal: 10001 for a bad shape or an expired stamp, 10003, 10004, 10010, 33004.
    """
    if not isinstance(args, list) or len(args) != 3:
        raise VenueRefusal(10001, "Params Error")
    key, expires, signature = (str(arg) for arg in args)
    account = accounts.get(key)
    if account is None:
        raise VenueRefusal(10003, "Params Error")
    account.rights.check(now_ms, address)
    if not _is_whole(expires) or int(expires) <= now_ms:
        raise VenueRefusal(10001, "Params Error")
    if not is_signed(account, f"GET/realtime{expires}", signature):
        raise VenueRefusal(10004, "Params Error")
    return account


def is_signed(account: Account, text: str, signature: str) -> bool:
    """Return whether the account's key made this signature: HMAC in hex, or RSA in base64."""
    if account.public_key:
        return is_signed_rsa(account.public_key, text, signature)
    wanted = sign(account.secret, text)
    return hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MOST
