"""What this machine has: cores and memory."""

from __future__ import annotations

import os

__all__ = ["memory_bytes", "n_cores"]


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes(unknown: float = 8e9) -> float:
    """Memory of this machine; `unknown` where the system does not tell, by default that of a usual one."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return unknown
