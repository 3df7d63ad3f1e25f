"""What is chosen and set, as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from careload.inputs.study import Comparison, Study

__all__ = ["resolved_text"]


def resolved_text(worlds: Study | Comparison) -> str:
    """Choices, overrides and all values of a study, or of the studies of a comparison, as one YAML document."""
    if isinstance(worlds, Study):
        tree: dict[str, Any] = _study(worlds)
    else:
        named = {name: _study(study) for name, study in worlds.worlds}
        tree = {"scenario": worlds.scenario.name, "worlds": named}
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, explicit_start=True)
    return text


def _study(study: Study) -> dict[str, Any]:
    """Plain facts of one study."""
    return {
        "seed": study.seed,
        "choices": study.choices,
        "staff": list(study.staff),
        "overrides": list(study.overrides),
        "digest": study.digest,
        "values": {key: _plain(quantity.value) for key, quantity in study.quantities()},
    }


def _plain(value: Any) -> Any:
    """Value with tuples as lists."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
