"""The chosen files, put together by Hydra once per set of choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hydra import compose, initialize
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf

from careload.inputs.faults import Fault
from careload.inputs.vocabulary import GROUPS, stamp
from careload.inputs.yaml_files import read_yaml

__all__ = ["compose_choices"]

PRIMARY: Final = "careload_choices"
"""Name under which Hydra knows `config.yaml`, so that folders can be searched in an order of our own."""


def compose_choices(
    folders: Sequence[Path], choices: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str], list[Fault]]:
    """Compose the tree of the chosen files.

    Parameters
    ----------
    folders : sequence of Path
        Search path, the packaged folder first; a later folder wins where both have a file.
    choices : mapping
        Group to name, where it differs from the defaults of `config.yaml`.

    Returns
    -------
    tree : dict
        Plain tree without Hydra's own part; shared, not to be changed.
    chosen : dict
        Group to name for every group in force.
    faults : list of Fault
    """
    sorted_choices = tuple(sorted(choices.items()))
    tree, chosen, faults = _composed(tuple(folders), sorted_choices, stamp(folders))
    return tree, chosen, list(faults)


@lru_cache(maxsize=64)
def _composed(
    folders: tuple[Path, ...], choices: tuple[tuple[str, str], ...], _stamp: tuple[tuple[str, int, int], ...]
) -> tuple[dict[str, Any], dict[str, str], tuple[Fault, ...]]:
    """Compose; the stamp is part of the key of the cache only."""
    primary, _ = read_yaml(folders[0] / "config.yaml", "conf/config.yaml")
    ConfigStore.instance().store(PRIMARY, {name: node for name, node in primary.items() if name != "hydra"})
    listed = ",".join(_quoted(f"file://{folder}") for folder in reversed(folders))
    arguments = [f"hydra.searchpath=[{listed}]", *(f"{group}={name}" for group, name in choices)]
    try:
        with _own_hydra(), initialize(config_path=None, version_base="1.3", job_name="careload"):
            config = compose(PRIMARY, overrides=arguments, return_hydra_config=True)
        chosen = {
            group: name for group, name in config.hydra.runtime.choices.items() if group in GROUPS and name
        }
        tree = {
            str(name): OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
            for name, node in config.items_ex(resolve=False)
            if name not in ("hydra", "set")
        }
    except (
        Exception
    ) as error:  # a strange file may end Hydra in any way; the user is told which file in any case
        reason = " ".join(str(error).split())
        return (
            {},
            {},
            (
                Fault(
                    "configuration",
                    reason,
                    "files that Hydra can put together",
                    "to check the defaults lists",
                ),
            ),
        )
    return tree, chosen, ()


def _quoted(text: str) -> str:
    """Text in quotes, as the grammar of overrides wants it."""
    return QuotedString(text, Quote.single).with_quotes()


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Set aside a Hydra that is already at work, and put it back."""
    instance = GlobalHydra.instance()
    at_work = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = at_work
