# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-audio-train`: training and fine-tuning, in the grammar of Hydra."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import hydra
from hydra.core.hydra_config import HydraConfig
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig

from pyannote_diarizen._host import ignore_missing_ffmpeg
from pyannote_diarizen.hub.resources import resource_folder


def main() -> None:
    """Read the command line, compose the configuration, train."""
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
    ignore_missing_ffmpeg()
    from pyannote_diarizen.training.checkpoints import complete_arguments
    from pyannote_diarizen.training.components import register_components

    with _one_line_errors():
        sys.argv[1:] = complete_arguments(sys.argv[1:])
    register_components()
    folder = str(resource_folder("hparams").resolve())
    hydra.main(version_base="1.3", config_path=folder, config_name="config")(train)()


def train(config: DictConfig) -> None:
    """Train as configured."""
    from pyannote_diarizen.training.run import assemble, write_config

    # the same for all processes, whenever each of them has started
    config.run = HydraConfig.get().runtime.output_dir
    with _one_line_errors():
        run = assemble(config)
        if run.trainer.is_global_zero:
            write_config(config)
        run.fit()


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Tell errors in one line, with exit code 2."""
    try:
        yield
    except (OSError, ValueError, MisconfigurationException) as error:
        message = " ".join(str(error).split())
        print(f"pyannote-audio-train: {message}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
