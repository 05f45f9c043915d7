# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Interpolate between a segmentation and the mean of its fine-tuned versions.

    python interpolate_weights.py STUDENT SNAPSHOTS [SNAPSHOTS ...] --output MODEL

Fine-tuning on simulated conversations loses some of what the student learned from its
teacher; the interpolation of both weights keeps it.
"""

import argparse
from pathlib import Path

import torch
from training import halve_large

from pyannote_diarizen.atomic import replacing


def interpolate(
    student: Path, runs: list[Path], snapshot: str, share: float, output: Path
) -> None:
    """Write the checkpoint of `student` with `share` of the mean of the runs."""
    checkpoint = torch.load(student, map_location="cpu", weights_only=False)
    tuned = [torch.load(run, weights_only=True)["snapshots"][snapshot] for run in runs]
    for name, before in checkpoint["state_dict"].items():
        if before.is_floating_point():
            after = torch.stack([each[name].float() for each in tuned]).mean(dim=0)
            both = share * after + (1 - share) * before.float()
            checkpoint["state_dict"][name] = halve_large(both)
    with replacing(output) as temporary:
        torch.save(checkpoint, temporary)


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("student", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--snapshot", default="0.75")
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--output", type=Path, required=True)
    interpolate(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
