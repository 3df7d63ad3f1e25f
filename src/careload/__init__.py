"""careload: agent-based simulator of primary-care workload."""

__version__ = "0.1.0"
