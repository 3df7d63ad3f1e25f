"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from careload.inputs.study import Study

__all__ = ["with_values"]


def with_values(study: Study, values: Mapping[str, Any]) -> Study:
    """The same study with other values, inside or outside their ranges; a list is a tuple."""
    changed = {key: replace(study.quantity(key), value=value) for key, value in values.items()}
    return replace(study, _quantities={**dict(study.quantities()), **changed})
