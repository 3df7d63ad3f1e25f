"""`python -m careload`."""

from __future__ import annotations

import sys

from careload.command.cli import main

if __name__ == "__main__":
    sys.exit(main())
