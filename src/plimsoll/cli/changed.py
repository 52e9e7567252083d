"""Parameters that people changed while the engine ran, as the log has them."""

from typing import Any

from plimsoll.core.engine import Core
from plimsoll.core.engine.changes import Change
from plimsoll.core.model import strategy_of
from plimsoll.core.strategy.parameters import shown


def changed_of(core: Core) -> dict[str, dict[str, Change]]:
    """Return what differs from the configuration of the newest session, by strategy and name."""
    settings = core.settings
    running = {strategy_of(one.name) for one in settings.strategies} if settings else set()
    found = {
        strategy: {name: one for name, one in changed.items() if one.value != stated(one)}
        for strategy, changed in core.state.changes.parameters.items()
        if strategy in running
    }
    return {strategy: changed for strategy, changed in found.items() if changed}


def stated(one: Change) -> Any:  # noqa: ANN401 - whatever a configuration has
    """Return what the configuration says of a changed parameter, else what held before it."""
    return one.before if one.configured is None else one.configured


def changed_lines(core: Core) -> list[str]:
    """Return the parameters that stand above the configuration, for `status`."""
    told = [
        f"  {' and '.join(_instances(core, strategy))}: {name} is {shown(one.value)}; {_was(one)}"
        for strategy, changed in changed_of(core).items()
        for name, one in changed.items()
    ]
    return ["", "parameters (`plimsoll strategy set` changed them)", *told] if told else []


def changed_document(core: Core) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the same by instance and name."""
    return {
        instance: {name: document(one) for name, one in changed.items()}
        for strategy, changed in changed_of(core).items()
        for instance in _instances(core, strategy)
    }


def document(one: Change) -> dict[str, Any]:
    """Return a changed parameter; ``file`` is None where the configuration says nothing of it."""
    return {"value": one.value, "file": one.configured, "before": one.before}


def _instances(core: Core, strategy: str) -> list[str]:
    settings = core.settings
    assert settings is not None
    return [one.name for one in settings.strategies if strategy_of(one.name) == strategy]


def _was(one: Change) -> str:
    if one.configured is not None:
        return f"the file says {shown(one.configured)}"
    return f"the file says nothing of it, it was {shown(one.before)}"
