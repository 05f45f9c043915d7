# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the hyper-parameters of the bundled pipeline on development recordings.

    python tune.py --ami AMI --trials 300

Prints the best parameters, to be copied into `hparams/pipeline/diarizen-tiny.yaml`.
"""

import argparse
from pathlib import Path

import yaml
from optuna.samplers import TPESampler
from pyannote.database import FileFinder, registry
from pyannote.pipeline import Optimizer

from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"


def tune(pipeline_name: str, ami: Path, trials: int) -> dict:
    """Return parameters of the lowest average diarization error rate."""
    registry.load_database(ami / "database.yml")
    protocol = registry.get_protocol(PROTOCOL, {"audio": FileFinder()})
    # tuning keeps what networks give on these very objects
    files = list(protocol.development())
    optimizer = Optimizer(
        load_pipeline(pipeline_name),
        sampler=TPESampler(seed=1),
        average_case=True,
    )
    optimizer.tune(files, n_iterations=trials, show_progress=True)
    print(f"diarization error rate: {optimizer.best_loss:.3f}")  # noqa: T201
    return optimizer.best_params


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE)
    parser.add_argument("--ami", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=300)
    options = parser.parse_args()
    best = tune(options.pipeline, options.ami, options.trials)
    print(yaml.safe_dump({"params": best}))  # noqa: T201


if __name__ == "__main__":
    main()
