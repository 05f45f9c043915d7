# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Kaldi data folders, as DiariZen uses them.

    folder/train/wav.scp, rttm, all.uem
    folder/dev/wav.scp, rttm, all.uem
    folder/test/AMI/wav.scp, ...

Several folders inside a subset become one.
"""

from collections.abc import Iterable
from pathlib import Path

from pyannote_diarizen.corpora.listings import read_rttm, read_scp, read_uem
from pyannote_diarizen.corpora.subset import Subset

NAMES = {
    "train": ("train",),
    "development": ("dev", "development", "valid", "val"),
    "test": ("test", "eval"),
}
"""Possible names of the folders of each subset; several become one subset."""


def read_kaldi_folder(folder: Path) -> dict[str, Subset]:
    """Read the lists of each subset of a Kaldi folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    subsets : dict of str to Subset
        "train", "development" and "test", if they exist.

    Raises
    ------
    FileNotFoundError
        If there is no subset, or no RTTM file.
    """
    folder = Path(folder)
    subsets = {}
    for name, folders in NAMES.items():
        insides = [folder / called for called in folders]
        lists = [one for inside in insides for one in sorted(inside.rglob("wav.scp"))]
        if lists:
            subsets[name] = read_lists(lists)
    if not subsets:
        raise FileNotFoundError(
            f"'{folder}' holds no train/wav.scp, dev/wav.scp or test/wav.scp: give the "
            "folder around them."
        )
    return subsets


def read_lists(lists: Iterable[Path]) -> Subset:
    """Read `wav.scp` files, and the RTTM and UEM files beside each.

    Parameters
    ----------
    lists : iterable of Path

    Raises
    ------
    FileNotFoundError
        If there is no RTTM file.
    """
    subset = Subset([], [])
    for path in lists:
        subset.recordings.append(read_scp(path))
        rttm = _one_of(path.parent, "rttm", "*.rttm")
        if not rttm:
            raise FileNotFoundError(
                f"'{path.parent}' holds no `rttm`, nor a file that ends in .rttm."
            )
        subset.turns += map(read_rttm, rttm)
        subset.regions += map(read_uem, _one_of(path.parent, "all.uem", "uem", "*.uem"))
    return subset


def _one_of(folder: Path, *patterns: str) -> list[Path]:
    """List the files of the first pattern with a match."""
    for pattern in patterns:
        if found := sorted(folder.glob(pattern)):
            return found
    return []
