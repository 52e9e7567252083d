"""``sim fault``: start, list and stop faults of a running simulator, by its control endpoint."""

import json as json_text
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json

_TIMEOUT_S: Final = 5.0


def fault(
    *,
    name: str,
    rate: float,
    duration: float,
    every: float,
    magnitude: float | None,
    code: int,
    account: str,
    kind: str,
    topic: str,
    symbol: str,
    endpoint: str,
    values: str,
    stop: str,
    dir: str,
    json: bool,
) -> Exit:
    """Start the named fault, stop the one given by ``stop``, or list what is active.

    Raises:
        Failure: no simulator answers, or it refuses.
    """
    base = _address(Path(dir))
    if stop:
        found = _asked("DELETE", f"{base}/{stop}")
        _tell({"stopped": found["id"]}, f"{found['id']} ended", json=json)
        return Exit.DONE
    if not name:
        return _list(_asked("GET", base), json=json)
    body: dict[str, Any] = {"name": name, "rate": rate, "duration_s": duration, "every_s": every}
    body |= {"account": account, "kind": kind, "topic": topic, "symbol": symbol}
    body |= {"endpoint": endpoint, "values": _values(values)}
    if magnitude is not None:
        body["magnitude"] = magnitude
    if code:
        body["code"] = code
    found = _asked("POST", base, body)
    text = f"{name} is {found['id']}; plimsoll sim fault --stop {found['id']} ends it"
    _tell({"id": found["id"], "name": name}, text, json=json)
    return Exit.DONE


def _list(found: dict[str, Any], *, json: bool) -> Exit:
    if json:
        print_json(found)
        return Exit.DONE
    for row in found["active"] + found["coming"]:
        begins = f", begins in {row['begins_in_s']} s" if row["begins_in_s"] else ""
        ends = f", ends in {row['ends_in_s']} s" if "ends_in_s" in row else ""
        print(f"{row['id']:6} {row['name']:20} {row['effects']} effects{begins}{ends}")
    if not (found["active"] or found["coming"]):
        print("no fault is active or planned. There are:")
        for row in found["catalogue"]:
            print(f"{row['name']:20} {row['does']}")
    return Exit.DONE


def _tell(fields: dict[str, Any], text: str, *, json: bool) -> None:
    if json:
        print_json(fields)
    else:
        print(text, file=sys.stderr)


def _values(text: str) -> dict[str, str]:
    """Return ``tickSize=0.5,qtyStep=0.01`` as a mapping."""
    values = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise Failure(Exit.USAGE, "usage", f"--values {text}: expected KEY=VALUE,KEY=VALUE", "")
        values[key.strip()] = value.strip()
    return values


def _address(directory: Path) -> str:
    path = directory / "sim.json"
    try:
        found = json_text.loads(path.read_bytes())
        return f"http://{found['host']}:{found['port']}/sim/faults"
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Failure(
            Exit.UNREACHABLE,
            "no-simulator",
            f"{path} does not say where a simulator listens",
            "start one with `plimsoll sim --dir DIR`, and name the same DIR here",
        ) from error


def _asked(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json_text.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - http, see above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            found: dict[str, Any] = json_text.loads(answer.read())
            return found
    except urllib.error.HTTPError as error:
        raise Failure(
            Exit.USAGE, "fault", _refusal(error), "plimsoll sim fault lists them"
        ) from error
    except (OSError, ValueError) as error:
        raise Failure(
            Exit.UNREACHABLE, "no-simulator", f"no simulator answers at {url}: {error}", ""
        ) from error


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        told = json_text.loads(error.read())["error"]
        return f"{told['key']}: {told['message']}" if told["key"] else str(told["message"])
    except (ValueError, LookupError, TypeError):
        return f"HTTP {error.code}"
