# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tune the hyper-parameters of the bundled pipeline on development recordings.

    python tune.py --ami AMI --speech SPEECH

A few excerpts of meetings tell little of other recordings: conversations simulated from
development speakers count twice as much. The hyper-parameters found replace those of
`hparams/pipeline/diarizen-tiny.yaml` and of the bundled `config.yaml`, or of the
configuration files after `--into`.
"""

import argparse
from pathlib import Path
from typing import Any

import yaml
from pyannote.database import FileFinder, registry
from scenarios import ANY, Simulation, tuned

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, bundled_folder
from pyannote_diarizen.resources import find_hparams

PROTOCOL = "AMIExcerpts.SpeakerDiarization.Excerpts"
SIMULATED = 8, 40.0
"""Number of conversations, and their duration in seconds."""


def recordings(ami: Path, speech: Path) -> list[dict[str, Any]]:
    """Development recordings, real and simulated."""
    registry.load_database(ami / "database.yml")
    protocol = registry.get_protocol(PROTOCOL, {"audio": FileFinder()})
    real = list(protocol.development())
    return real + Simulation(speech).files(ANY, *SIMULATED)


def replace_params(config: Path, params: dict[str, Any]) -> None:
    """Write other hyper-parameters at the end of a file, whose comments stay."""
    text = config.read_text(encoding="utf-8")
    head = text[: text.index("\nparams:") + 1]
    with replacing(config) as temporary:
        tail = yaml.safe_dump({"params": params}, sort_keys=False)
        temporary.write_text(head + tail, encoding="utf-8")


def main() -> None:
    """Parse arguments, tune and write hyper-parameters."""
    configs = [
        find_hparams(f"pipeline/{DEFAULT_PIPELINE}"),
        bundled_folder() / "config.yaml",
    ]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default=DEFAULT_PIPELINE)
    parser.add_argument("--ami", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--into", type=Path, nargs="+", default=configs)
    options = parser.parse_args()
    files = recordings(options.ami, options.speech)
    params = tuned(options.pipeline, files, options.trials)
    print(yaml.safe_dump({"params": params}, sort_keys=False))  # noqa: T201
    for config in options.into:
        replace_params(config, params)


if __name__ == "__main__":
    main()
