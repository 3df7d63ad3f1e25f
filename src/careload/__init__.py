"""careload: agent-based simulator of primary-care workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from careload.api import Result, SweepResult, compare, run, sweep

__all__ = ["Result", "SweepResult", "__version__", "compare", "run", "sweep"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the Python interface at its first use, so that `import careload` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'careload' has no attribute {name!r}")
    from careload import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__all__)
