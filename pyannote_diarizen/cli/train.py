# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-audio-train`: training and fine-tuning, in the grammar of Hydra."""

import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pyannote_diarizen._host import ignore_missing_ffmpeg
from pyannote_diarizen.hub.resources import resource_folder


def train(config: DictConfig) -> None:
    """Train as configured."""
    from pyannote_diarizen.training.run import assemble, write_config

    folder = Path(HydraConfig.get().runtime.output_dir)
    try:
        run = assemble(config, folder)
        write_config(config, folder)
        run.fit()
    except (OSError, ValueError) as error:
        message = " ".join(str(error).split())
        print(f"pyannote-audio-train: {message}", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    """Read the command line, compose the configuration, train."""
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
    ignore_missing_ffmpeg()
    from pyannote_diarizen.training.components import register_components

    register_components()
    folder = str(resource_folder("hparams").resolve())
    hydra.main(version_base="1.3", config_path=folder, config_name="config")(train)()


if __name__ == "__main__":
    main()
