"""What an answer code says about an order request: the venue's error table, one literal mapping.

The class is our judgement (error pages of the Bybit v5 docs, and what other clients learned);
what is not listed is UNKNOWN for anything that changes an order (reliability ORD-8).
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

Action = Literal["create", "amend", "cancel"]
Channel = Literal["trade", "rest"]
Outcome = Literal["accepted", "refused", "gone", "unknown"]


class CodeClass(StrEnum):
    """What a code means for the request it answers."""

    OK = "ok"
    """The state asked for is there already."""

    NO = "no"
    """Definitely not executed; the same request would be refused again."""

    RETRY = "retry"
    """Not executed as far as the venue says; the same request may be repeated under its id."""

    UNKNOWN = "unknown"
    """May or may not have been executed."""

    GONE = "gone"
    """The order is finished, or not visible."""

    FATAL = "fatal"
    """Refused before it was looked at, because of the key, the account or the address."""


_OK, _NO, _RETRY = CodeClass.OK, CodeClass.NO, CodeClass.RETRY
_UNKNOWN, _GONE, _FATAL = CodeClass.UNKNOWN, CodeClass.GONE, CodeClass.FATAL

# fmt: off
CODES: Final = MappingProxyType({
    # ---- gateway and session
    400: _NO, 401: _FATAL, 403: _FATAL, 404: _NO, 429: _UNKNOWN, -1: _NO, -2015: _FATAL,
    10000: _UNKNOWN, 10001: _NO, 10002: _NO, 10003: _FATAL, 10004: _FATAL, 10005: _FATAL,
    10006: _RETRY, 10007: _FATAL, 10008: _FATAL, 10009: _FATAL, 10010: _FATAL, 10014: _UNKNOWN,
    10016: _UNKNOWN, 10017: _NO, 10018: _RETRY, 10019: _RETRY, 10024: _FATAL, 10027: _FATAL,
    10028: _FATAL, 100028: _FATAL, 10029: _NO, 10403: _RETRY, 10404: _NO, 10429: _RETRY,
    20001: _OK, 20003: _RETRY, 20006: _UNKNOWN, 33004: _FATAL, 500000: _UNKNOWN, 500001: _UNKNOWN,
    # ---- derivatives
    110001: _GONE, 110003: _NO, 110004: _NO, 110005: _NO, 110006: _NO, 110007: _NO, 110008: _GONE,
    110009: _NO, 110010: _GONE, 110011: _NO, 110012: _NO, 110013: _NO, 110014: _NO, 110015: _OK,
    110017: _NO, 110018: _NO, 110019: _NO, 110020: _NO, 110021: _NO, 110022: _NO, 110023: _NO,
    110024: _NO, 110025: _OK, 110026: _OK, 110027: _OK, 110028: _NO, 110029: _NO, 110030: _UNKNOWN,
    110031: _NO, 110032: _NO, 110033: _NO, 110034: _NO, 110035: _RETRY, 110036: _NO, 110037: _NO,
    110038: _NO, 110039: _NO, 110040: _NO, 110041: _NO, 110042: _NO, 110043: _OK, 110044: _NO,
    110045: _NO, 110046: _NO, 110047: _NO, 110048: _NO, 110049: _NO, 110050: _NO, 110051: _NO,
    110052: _NO, 110053: _NO, 110054: _NO, 110055: _NO, 110056: _NO, 110057: _NO, 110058: _NO,
    110059: _NO, 110060: _NO, 110061: _NO, 110062: _NO, 110063: _RETRY, 110064: _NO, 110065: _NO,
    110066: _NO, 110067: _FATAL, 110068: _FATAL, 110069: _FATAL, 110070: _FATAL, 110071: _FATAL,
    110072: _UNKNOWN,  # duplicate id: an earlier copy arrived (ORD-3)
    110073: _NO, 110074: _NO, 110076: _NO, 110077: _NO, 110078: _NO, 110079: _RETRY, 110080: _NO,
    110082: _NO, 110083: _NO, 110085: _NO, 110086: _NO, 110087: _NO, 110088: _FATAL, 110089: _NO,
    110090: _NO, 110092: _NO, 110093: _NO, 110094: _NO, 110095: _NO, 110096: _NO, 110097: _NO,
    110098: _NO, 110099: _NO, 110100: _NO, 110101: _NO, 110102: _NO, 110103: _NO, 110104: _NO,
    110105: _NO, 110106: _NO, 110107: _NO, 110108: _NO, 110109: _NO, 110110: _NO, 110111: _NO,
    110112: _NO, 110113: _NO, 110114: _NO, 110115: _NO, 110116: _NO, 110117: _NO, 110118: _NO,
    110119: _NO, 110120: _NO, 110121: _NO, 110123: _FATAL, 110124: _FATAL, 110125: _FATAL,
    110131: _NO, 110132: _NO, 110135: _NO, 110136: _NO, 110137: _NO, 30133: _NO, 30134: _NO,
    30135: _NO, 30136: _NO, 30208: _NO, 30209: _NO, 30228: _NO, 30256: _NO, 34040: _OK,
    40004: _UNKNOWN, 181017: _NO, 3100326: _NO, 3200403: _NO, 3400045: _NO, 3400139: _NO,
    # ---- spot
    170001: _UNKNOWN, 170005: _RETRY, 170007: _UNKNOWN, 170010: _NO, 170011: _NO, 170019: _NO,
    170031: _NO, 170032: _UNKNOWN, 170033: _NO, 170034: _NO, 170035: _UNKNOWN, 170036: _NO,
    170037: _NO, 170105: _NO, 170115: _NO, 170116: _NO, 170117: _NO, 170121: _NO, 170124: _NO,
    170130: _NO, 170131: _NO, 170132: _NO, 170133: _NO, 170134: _NO, 170136: _NO, 170137: _NO,
    170139: _GONE, 170140: _NO,
    170141: _UNKNOWN,  # duplicate id: an earlier copy arrived (ORD-3)
    170142: _GONE, 170143: _GONE, 170144: _RETRY, 170145: _NO, 170146: _UNKNOWN, 170147: _UNKNOWN,
    170148: _NO, 170149: _NO,
    170150: _UNKNOWN,  # cancel failed: read the order again
    170151: _NO, 170157: _NO, 170159: _NO, 170190: _GONE, 170191: _RETRY, 170192: _NO, 170193: _NO,
    170194: _NO, 170195: _NO, 170196: _NO, 170197: _NO, 170198: _NO, 170199: _NO, 170200: _NO,
    170201: _NO, 170202: _NO, 170203: _NO, 170204: _NO, 170206: _NO, 170207: _NO, 170209: _NO,
    170210: _NO,
    170212: _UNKNOWN,  # a cancel is being worked on: the stream will tell
    170213: _GONE, 170215: _NO, 170216: _NO, 170217: _NO, 170218: _NO, 170219: _NO, 170220: _NO,
    170221: _NO, 170222: _RETRY, 170223: _NO, 170224: _NO, 170226: _NO, 170227: _NO, 170228: _NO,
    170229: _NO, 170230: _NO, 170234: _UNKNOWN, 170241: _NO, 170310: _UNKNOWN,
    170311: _UNKNOWN,  # amend failed: read the order again
    170312: _NO, 170313: _NO, 170341: _NO, 170344: _NO, 170346: _NO, 170348: _NO, 170355: _NO,
    170358: _NO, 170359: _NO, 170360: _NO, 170371: _NO, 170372: _NO, 170381: _NO, 170382: _NO,
    170709: _NO, 170810: _NO,
})
# fmt: on

LIMIT_CODES: Final = frozenset({429, 10006, 10018, 10403, 10429, 20003, 170005, 170222})
"""Codes that ask us to slow down."""

FILTER_CODES: Final = frozenset(
    {10001, 110094, 170124, 170134, 170136, 170137, 170140, 170148, 170381, 170382}
)
"""Codes of refusals for price and quantity steps, minimums and maximums."""

CLOCK_CODES: Final = frozenset({-1, 10002})
"""Codes that call for a new measurement of the clock offset."""

_TRADE_CODES: Final = MappingProxyType({10003: CodeClass.RETRY})
"""Meanings that differ on the trade socket: there 10003 is "too many sessions"."""


def class_of(code: int, channel: Channel = "rest") -> CodeClass:
    """Return the class of a non-zero code; an unlisted one is UNKNOWN."""
    if channel == "trade" and code in _TRADE_CODES:
        return _TRADE_CODES[code]
    return CODES.get(code, CodeClass.UNKNOWN)


def outcome_of(action: Action, code: int, channel: Channel) -> Outcome:
    """Return what an answer proves about the request (reliability ORD-8).

    Only codes of class NO and FATAL prove that nothing was done. RETRY answers prove it only for
    a cancel, which may be repeated without harm; for a create or amend they stay unknown until
    the same-id resend or a proof ends them. HTTP 403 proves nothing: a proxy may say it too late.
    """
    if code == 0:
        return "accepted"
    found = class_of(code, channel)
    if code == 403 or found in (CodeClass.UNKNOWN, CodeClass.OK):
        return "unknown"
    if found is CodeClass.GONE:
        return "unknown" if action == "create" else "gone"
    if found is CodeClass.RETRY:
        return "refused" if action == "cancel" else "unknown"
    return "refused"


def protected_of(code: int) -> Outcome:
    """Return what an answer proves about a stop-loss and take-profit.

    "Not modified" (34040) says that they stand already. Setting a level twice does no harm, so that
    everything without a clear meaning is ``unknown``.
    """
    found = CodeClass.OK if code == 0 else class_of(code)
    if found is CodeClass.OK:
        return "accepted"
    is_clear = found in (CodeClass.NO, CodeClass.FATAL) and code != 403
    return "refused" if is_clear else "unknown"
