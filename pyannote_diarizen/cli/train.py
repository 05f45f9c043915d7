# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-audio-train`: training and fine-tuning, configured by Hydra."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pyannote_diarizen.composition import (
    Components,
    cached_components,
    complete_arguments,
    explain_unknown_key,
    free_options,
)
from pyannote_diarizen.errors import IncompatiblePackagesError, in_one_line
from pyannote_diarizen.resources import resource_folder
from pyannote_diarizen.telemetry import disable_telemetry
from pyannote_diarizen.terminal import warnings_as_sentences

if TYPE_CHECKING:
    from pyannote_diarizen.training.run import Run

_REFUSALS = (OmegaConfBaseException, OSError, ValueError)
"""Errors of options, data and disks."""


def main() -> None:
    """Read the command line, compose the configuration, train."""
    disable_telemetry()
    # errors are printed here, not by Hydra
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    hparams = str(resource_folder("hparams").resolve())
    with _one_line_errors():
        components = cached_components(_describe_components)
        components.store()
        sys.argv[1:] = free_options(complete_arguments(sys.argv[1:]))

        def run(config: DictConfig) -> None:
            folder = Path(HydraConfig.get().runtime.output_dir)
            with _one_line_errors(), _no_useless_folder(folder):
                components.check(config)
                train(config)

        try:
            hydra.main(version_base="1.3", config_path=hparams, config_name="config")(
                run
            )()
        except (HydraException, OmegaConfBaseException) as error:
            message = explain_unknown_key(error, components, sys.argv[1:])
            raise ValueError(message or str(error)) from error


def _describe_components() -> Components:
    from pyannote_diarizen.training.configuration import describe_components

    return describe_components()


def train(config: DictConfig) -> None:
    """Train with a configuration."""
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    from pyannote_diarizen.training.batch_size import describe_split, stored_size
    from pyannote_diarizen.training.memory import free_memory
    from pyannote_diarizen.training.messages import silence_useless_messages
    from pyannote_diarizen.training.run import assemble
    from pyannote_diarizen.training.run_folder import write_start

    silence_useless_messages()
    # the same folder for all processes, although they start at different times
    config.run = HydraConfig.get().runtime.output_dir
    config.auto_batch_size = stored_size(config)
    try:
        run = assemble(config)
    except MisconfigurationException as error:
        raise ValueError(str(error)) from error
    if "pretrained" in config:
        _check_structure(type(run.model).__name__)
    if config.validate:
        scores = run.validate()
        print(*(f"{name}: {score:.4f}" for name, score in scores.items()), sep="\n")
        return
    while True:
        if run.trainer.is_global_zero:
            write_start(config, HydraConfig.get().overrides.task)
        size = _fit(run, config)
        if size is None:
            return
        config.auto_batch_size = size
        print(describe_split(config))
        del run
        free_memory()
        run = assemble(config)


def _fit(run: "Run", config: DictConfig) -> int | None:
    """Train, then print the end; exit with 3 if it diverges, 4 without memory.

    Returns
    -------
    size : int or None
        `auto_batch_size` for another try; None if the training has ended.
    """
    from pyannote_diarizen.training.batch_size import smaller_size, split_batches
    from pyannote_diarizen.training.ending import DivergenceError, describe_end
    from pyannote_diarizen.training.memory import advise, is_out_of_memory

    failure, reason, code = "", None, 0
    try:
        run.fit()
    except DivergenceError as error:
        failure, reason, code = str(error), "the loss is not finite", 3
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        size = smaller_size(config)
        if size is not None:
            return size
        failure, reason, code = advise(split_batches(config)), "out of memory", 4
    except SystemExit:  # Ctrl+C
        code = 1
    if run.trainer.is_global_zero:
        print(*describe_end(Path(config.run), run.trainer, reason), sep="\n")
    if failure:
        _fail(failure, code)
    if code:
        sys.exit(code)
    return None


@contextmanager
def _no_useless_folder(folder: Path) -> Iterator[None]:
    """Remove the folder, which Hydra makes, if it is empty or of a refused training."""
    is_new = not any(folder.iterdir())
    try:
        yield
    except _REFUSALS:
        if is_new and not any(folder.rglob("*.ckpt")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):  # not empty, or removed
            folder.rmdir()


def _check_structure(pretrained: str) -> None:
    """Refuse options of the structure of a pretrained model."""
    chosen = HydraConfig.get().runtime.choices["model"]
    for typed in HydraConfig.get().overrides.task:
        if typed.startswith("model.") or (
            typed.startswith("model=") and chosen != pretrained
        ):
            raise ValueError(
                f"{typed} has no effect: the structure of +pretrained, a {pretrained}, "
                "is fixed."
            )


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Print an error in one line, and exit with code 2."""
    try:
        with warnings_as_sentences():
            yield
    except IncompatiblePackagesError as error:
        _fail(str(error))
    except _REFUSALS as error:
        _fail(in_one_line(error))


def _fail(message: str, code: int = 2) -> None:
    print(f"pyannote-audio-train: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
