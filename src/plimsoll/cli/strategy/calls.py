"""Names a strategy file must not reach, by the rule they break. Dotted, as after the import."""

from collections.abc import Iterator
from typing import Final

_CLOCK: Final = """
time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns
time.process_time time.process_time_ns time.thread_time time.thread_time_ns time.clock_gettime
time.localtime time.ctime time.get_clock_info
datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
pandas.Timestamp.now pandas.Timestamp.utcnow pandas.Timestamp.today
pendulum.now arrow.now arrow.utcnow
"""
_RANDOM: Final = """
random secrets uuid numpy.random scipy.stats.uniform.rvs scipy.stats.norm.rvs os.urandom
os.getrandom
"""
_CONCURRENCY: Final = """
threading _thread asyncio multiprocessing concurrent subprocess signal sched queue select selectors
trio anyio gevent joblib celery os.fork os.system os.popen os.kill
"""
_IO: Final = """
socket ssl requests urllib http httpx aiohttp websockets websocket ftplib smtplib imaplib telnetlib
paramiko boto3 redis psycopg psycopg2 sqlite3 sqlalchemy pymongo shutil tempfile fileinput glob
pickle shelve dbm mmap io.open io.FileIO codecs.open os.open os.read os.write os.remove os.rename
os.mkdir os.makedirs os.listdir os.scandir os.walk os.stat os.environ os.getenv os.getpid sys.argv
sys.stdin pathlib time.sleep ccxt pybit pandas.read_csv pandas.read_parquet pandas.read_json
pandas.read_sql pandas.read_pickle pandas.read_excel numpy.load numpy.save numpy.loadtxt
numpy.savetxt numpy.fromfile json.load json.dump
"""
_DYNAMIC: Final = "importlib runpy ctypes cffi"
_PRINT: Final = "logging warnings.warn sys.stdout sys.stderr pprint.pprint rich.print loguru"

BUILTINS: Final = {
    "open": "io",
    "input": "io",
    "breakpoint": "io",
    "print": "print",
    "exec": "dynamic",
    "eval": "dynamic",
    "compile": "dynamic",
    "__import__": "dynamic",
    "globals": "shared",
    "hash": "random",
    "id": "random",
}
"""Functions that need no import."""

METHODS: Final = {
    "read_text": "io",
    "write_text": "io",
    "read_bytes": "io",
    "write_bytes": "io",
    "to_csv": "io",
    "to_parquet": "io",
    "to_pickle": "io",
    "to_sql": "io",
    "bfill": "look-ahead",
    "backfill": "look-ahead",
}
"""Methods of whatever they are called on."""

CHANGES: Final = frozenset({
    "add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert", "pop",
    "popitem", "popleft", "remove", "reverse", "rotate", "setdefault", "sort", "subtract", "update",
})  # fmt: skip
"""Methods that change what they are called on."""


def _table() -> Iterator[tuple[str, str]]:
    for code, names in (
        ("clock", _CLOCK),
        ("random", _RANDOM),
        ("concurrency", _CONCURRENCY),
        ("io", _IO),
        ("dynamic", _DYNAMIC),
        ("print", _PRINT),
    ):
        yield from ((name, code) for name in names.split())


FORBIDDEN: Final = dict(_table())
"""Modules (with all that is in them) and single names."""


def code_of(dotted: str) -> str:
    """Return the rule that a dotted name breaks, empty where none."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        code = FORBIDDEN.get(".".join(parts[:count]), "")
        if code:
            return code
    return ""
