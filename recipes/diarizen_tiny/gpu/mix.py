# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Average the weights of fine-tuned segmentations, and of the one they started from.

    python mix.py STUDENT SNAPSHOTS [SNAPSHOTS ...] --snapshot 0.75 --output MODEL

Fine-tuning on simulated conversations loses some of what the student learned from its
teacher; the mean of both weights keeps it.
"""

import argparse
from pathlib import Path

import torch
from stage import LARGE

from pyannote_diarizen.atomic import replacing


def mix(
    student: Path, runs: list[Path], snapshot: str, share: float, output: Path
) -> None:
    """Write a checkpoint with `share` of the mean of the runs."""
    checkpoint = torch.load(student, map_location="cpu", weights_only=False)
    taken = [torch.load(run, weights_only=True)["snapshots"][snapshot] for run in runs]
    for name, before in checkpoint["state_dict"].items():
        if before.is_floating_point():
            after = torch.stack([some[name].float() for some in taken]).mean(dim=0)
            mixed = share * after + (1 - share) * before.float()
            checkpoint["state_dict"][name] = (
                mixed.half() if mixed.numel() >= LARGE else mixed
            )
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
    options = parser.parse_args()
    mix(
        options.student,
        options.runs,
        options.snapshot,
        options.share,
        options.output,
    )


if __name__ == "__main__":
    main()
