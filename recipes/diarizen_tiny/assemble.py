# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Put trained models where the package finds its pipeline.

    python assemble.py --segmentation RUN --embedding RUN

Each `RUN` is the output folder of a training; that of the embedding holds `plda/` too.
Hyper-parameters come from `hparams/pipeline/diarizen-tiny.yaml`.
"""

import argparse
import shutil
from pathlib import Path

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.resources import find_hparams

ROOT = Path(__file__).parents[2]


def assemble(segmentation: Path, embedding: Path, folder: Path) -> None:
    """Copy models, PLDA and hyper-parameters into `folder`."""
    sources = {
        "config.yaml": find_hparams(f"pipeline/{DEFAULT_PIPELINE}"),
        "segmentation/pytorch_model.bin": segmentation / "pytorch_model.bin",
        "embedding/pytorch_model.bin": embedding / "pytorch_model.bin",
        "plda/plda.npz": embedding / "plda" / "plda.npz",
        "plda/xvec_transform.npz": embedding / "plda" / "xvec_transform.npz",
    }
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with replacing(folder / name) as temporary:
            shutil.copyfile(source, temporary)


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segmentation", type=Path, required=True)
    parser.add_argument("--embedding", type=Path, required=True)
    parser.add_argument(
        "--into",
        type=Path,
        default=ROOT / "pyannote_diarizen" / "hub" / DEFAULT_PIPELINE,
    )
    options = parser.parse_args()
    assemble(options.segmentation, options.embedding, options.into)


if __name__ == "__main__":
    main()
