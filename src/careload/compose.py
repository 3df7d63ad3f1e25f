"""The chosen files, put together by Hydra once per set of choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from careload.faults import Fault
from careload.vocabulary import GROUPS, stamp
from careload.yaml_files import read_yaml

__all__ = ["compose_choices"]

CONFIG_NAME = "config"


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
    defaults = _named_defaults(folders)
    arguments = [f"{'' if group in defaults else '+'}{group}={name}" for group, name in choices]
    *others, main = folders
    if others:
        listed = ",".join(f"'file://{folder}'" for folder in reversed(others))
        arguments.append(f"hydra.searchpath=[{listed}]")
    try:
        with (
            _own_hydra(),
            initialize_config_dir(config_dir=str(main), version_base="1.3", job_name="careload"),
        ):
            config = compose(CONFIG_NAME, overrides=arguments, return_hydra_config=True)
        chosen = {group: str(name) for group, name in config.hydra.runtime.choices.items() if group in GROUPS}
        tree = {
            str(name): OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
            for name, node in config.items_ex(resolve=False)
            if name not in ("hydra", "set")
        }
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
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


def _named_defaults(folders: tuple[Path, ...]) -> frozenset[str]:
    """Groups that the defaults list of the primary file names."""
    for folder in reversed(folders):
        path = folder / f"{CONFIG_NAME}.yaml"
        if path.is_file():
            listed = read_yaml(path, path.name)[0].get("defaults") or []
            return frozenset(str(name) for item in listed if isinstance(item, dict) for name in item)
    return frozenset()


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
