"""Where the runs of a sweep happen: processes of this machine, or the workers of a Dask cluster."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final

from plimsoll import __version__
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure

LOCAL: Final = "local"
_PATIENCE_S: Final = 5


@contextmanager
def runner(workers: int, cluster: str) -> Iterator[Executor]:
    """Give what runs jobs side by side, and end it.

    Args:
        workers: Processes; 0 = one a processor. A cluster that is there has its own number.
        cluster: Empty for processes of this machine; ``local`` for a cluster begun here, else the
            address of one.

    Raises:
        Failure: there is no such cluster, or it runs another version of the program.
    """
    count = workers or os.cpu_count() or 1
    if cluster:
        with _cluster(count, cluster) as client:
            yield client.get_executor(pure=False)
        return
    # Fresh processes: what this one has imported and opened is nothing to theirs.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def _cluster(workers: int, address: str) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        raise missing("Dask", "cluster") from error
    connect: Any = distributed.Client
    if address == LOCAL:
        begin: Any = distributed.LocalCluster
        with (
            begin(n_workers=workers, threads_per_worker=1, dashboard_address=None) as begun,
            connect(begun) as client,
        ):
            yield client
        return
    try:
        client = connect(address, timeout=_PATIENCE_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise Failure(
            Exit.CONFIGURATION,
            "cluster",
            f"no cluster answers at {address}: {error}",
            "--cluster HOST:PORT of its scheduler, or --cluster local",
        ) from error
    with client:
        _check(client, address)
        yield client


def _check(client: Any, address: str) -> None:  # noqa: ANN401 - distributed.Client
    """Refuse a cluster whose workers would compute something else, or that has none."""
    found: dict[str, str] = client.run(_version)
    if not found:
        raise Failure(
            Exit.CONFIGURATION,
            "cluster",
            f"the cluster at {address} has no workers",
            f"start some: dask worker {address}",
        )
    other = {worker: one for worker, one in found.items() if one != __version__}
    if other:
        worker, version = next(iter(other.items()))
        raise Failure(
            Exit.CONFIGURATION,
            "cluster",
            f"{worker} runs plimsoll {version}, here it is {__version__}",
            "install the same version everywhere: results would not be comparable",
        )


def _version() -> str:
    try:
        import plimsoll
    except ImportError:
        return "not at all"
    return plimsoll.__version__


def missing(what: str, extra: str) -> Failure:
    """Return the refusal of something whose package is not installed."""
    return Failure(
        Exit.CONFIGURATION, extra, f"{what} is not installed", f"pip install 'plimsoll[{extra}]'"
    )
