"""Hydra plugins of careload: a launcher that runs all points of a sweep as lanes, and the sweeper it goes with.

Importing this imports nothing of the model: Hydra looks at its plugins at every start.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

__all__ = ["CheckedSweeper", "LanesLauncher"]


_store = ConfigStore.instance()
_here = "hydra_plugins.careload_lanes"
_store.store(group="hydra/launcher", name="lanes", node={"_target_": f"{_here}.LanesLauncher"})
_store.store(
    group="hydra/sweeper",
    name="checked",
    node={"_target_": f"{_here}.CheckedSweeper", "max_batch_size": None, "params": None},
)


class CheckedSweeper(BasicSweeper):
    """The basic sweeper without its trial composition of every point: careload has checked all of them."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Leave the points as they are."""


class LanesLauncher(Launcher):
    """Hand all points to the task at once; a configuration is composed once per set of choices.

    The task must have a method `run_points(points, ended)`, which takes pairs of a number and a folder, runs them
    together and tells the number of each as it ends.
    """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self._choices: dict[str, bool] = {}

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all points; what each came to is in its folder, and no failure is raised here."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        run_points = getattr(self.task_function, "run_points", None)
        if run_points is None:
            raise HydraException("the launcher `lanes` runs careload only; try hydra/launcher=basic")
        root = Path(str(self.config.hydra.sweep.dir))
        root.mkdir(parents=True, exist_ok=True)
        state = Singleton.get_state()
        callbacks = self.hydra_context.callbacks
        try:
            jobs = {}
            for number, overrides in enumerate(job_overrides, initial_job_idx):
                config = self._config_of(list(overrides), number)
                folder = root / str(OmegaConf.select(config, "hydra.sweep.subdir"))
                with read_write(config), open_dict(config):
                    config.hydra.runtime.output_dir = str(folder.absolute())
                jobs[number] = config, folder
                callbacks.on_job_start(config=config, task_function=self.task_function)
            returns: dict[int, JobReturn] = {}

            def ended(number: int) -> None:
                returns[number] = _returned(*jobs[number])
                callbacks.on_job_end(config=jobs[number][0], job_return=returns[number])

            run_points([(number, folder) for number, (_, folder) in jobs.items()], ended)
        finally:
            Singleton.set_state(state)
        return [returns[number] for number in sorted(returns)]

    def _config_of(self, overrides: list[str], number: int) -> DictConfig:
        """Configuration of one point: its choices composed, its values set on a copy."""
        parsed = OverridesParser.create().parse_overrides(overrides)
        loader = self.hydra_context.config_loader
        choices = [one for one in parsed if one.input_line and self._is_choice(one)]
        key = tuple(str(one.input_line) for one in choices)
        if key not in self._composed:
            self._composed[key] = loader.load_sweep_config(self.config, list(key))
        config = copy.deepcopy(self._composed[key])
        OmegaConf.copy_cache(from_config=self.config, to_config=config)
        with read_write(config), open_dict(config):
            for one in parsed:
                if one not in choices:
                    OmegaConf.update(config, one.key_or_group, one.value(), force_add=True)
            config.hydra.overrides.task = overrides
            config.hydra.job.override_dirname = ",".join(sorted(overrides))
            config.hydra.job.id = number
            config.hydra.job.num = number
        return config

    def _is_choice(self, override: Override) -> bool:
        """Whether an override chooses a file of a group."""
        key = override.key_or_group
        if key not in self._choices:
            options = self.hydra_context.config_loader.get_group_options(
                key,
                config_name=self.config.hydra.job.config_name,
                overrides=list(self.config.hydra.overrides.hydra),
            )
            self._choices[key] = bool(options)
        return self._choices[key]


def _returned(config: DictConfig, folder: Path) -> JobReturn:
    """Record of a point in its folder, and what Hydra is told of it; its own settings stand in `multirun.yaml`."""
    HydraConfig.instance().set_config(config)
    task: Any = copy.deepcopy(config)
    with read_write(task), open_dict(task):
        hydra = OmegaConf.create({"hydra": task.pop("hydra")})
    record = folder / str(config.hydra.output_subdir)
    record.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(task, record / "config.yaml")
    OmegaConf.save(config.hydra.overrides.task, record / "overrides.yaml")
    told = JobReturn(
        overrides=list(config.hydra.overrides.task),
        cfg=task,
        hydra_cfg=hydra,
        working_dir=str(folder),
        task_name=str(config.hydra.job.name),
    )
    told.status, told.return_value = JobStatus.COMPLETED, None
    return told
