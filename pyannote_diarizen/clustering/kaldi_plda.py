# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Reader and writer of the PLDA files of Kaldi, text or binary.

Kaldi has three files: `mean.vec` is subtracted from embeddings, `transform.mat` is the
LDA, often with an offset as its last column, and `plda` holds mean, transform and psi
(our mu, tr and psi). Recipes apply them as

    ivector-subtract-global-mean mean.vec ... | transform-vec transform.mat ... \
        | ivector-normalize-length ... | ivector-plda-scoring ... plda

The six arrays of pyannote.audio express this exactly, although pyannote.audio also
normalises lengths before the LDA: without an offset after it, this changes nothing.
`ivector-plda-scoring` normalises once more; its scores are the same as ours with
`--normalize-length=false`.

References
----------
D. Povey et al., "The Kaldi speech recognition toolkit", ASRU 2011.
"""

import re
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.functional.plda import SMALLEST_PSI, PLDAParameters

BINARY = b"\0B"
_TYPES = {b"F": "<f4", b"D": "<f8"}
_DIMENSIONS = {b"V": 1, b"M": 2}


def read_kaldi_plda(
    plda: Path | str,
    transform: Path | str | None = None,
    mean: Path | str | None = None,
    normalize_first: bool = False,
) -> PLDAParameters:
    """Read a PLDA of Kaldi, and the mean and LDA of its recipe.

    Parameters
    ----------
    plda : Path or str
        Output of `ivector-compute-plda`.
    transform : Path or str, optional
        LDA, output of `ivector-compute-lda`. Defaults to none.
    mean : Path or str, optional
        Mean to subtract, output of `ivector-mean`; needed with `transform`. Defaults
        to zero.
    normalize_first : bool, optional
        Also normalise lengths between `mean` and `transform`, for the files of
        `write_kaldi_plda`. Defaults to False, as in recipes of Kaldi.

    Returns
    -------
    parameters : PLDAParameters

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If a file is damaged or of another kind, or dimensions disagree.
    """
    mu, tr, psi = _read(plda, "PLDA", (1, 2, 1))
    lda, offset = np.eye(len(mu)), np.zeros(len(mu))
    mean1 = np.zeros(len(mu)) if mean is None else _read(mean, "vector", (1,))[0]
    if transform is not None:
        if mean is None:
            raise ValueError(f"'{transform}' needs the `mean` that goes with it.")
        (lda,) = _read(transform, "matrix", (2,))
        if lda.shape[1] == len(mean1) + 1:
            lda, offset = lda[:, :-1], lda[:, -1]
    if lda.shape != (len(mu), len(mean1)):
        raise ValueError(
            f"The PLDA in '{plda}' has dimension {len(mu)}, the mean {len(mean1)}, and "
            f"the LDA shape {lda.shape}: do the files belong together?"
        )
    mean2 = -offset
    if not normalize_first:
        # lda @ (x - mean1) + offset = lda @ (x - mean1 + pinv(lda) @ offset): without
        # offset, lengths before the LDA do not change directions after it
        mean1 = mean1 - np.linalg.pinv(lda) @ offset
        mean2 = np.zeros(len(mu))
    # Kaldi writes psi 0 for directions without variance between speakers
    return PLDAParameters(mean1, lda.T, mean2, mu, tr, np.maximum(psi, SMALLEST_PSI))


def write_kaldi_plda(
    parameters: PLDAParameters, folder: Path | str, binary: bool = True
) -> None:
    """Write `plda`, `transform.mat` and `mean.vec` for the tools of Kaldi.

    Apply them with lengths normalised before the LDA as well:

        ivector-subtract-global-mean mean.vec ... | ivector-normalize-length ... \
            | transform-vec transform.mat ... | ivector-normalize-length ...

    Parameters
    ----------
    parameters : PLDAParameters
    folder : Path or str
        Created if it does not exist.
    binary : bool, optional
        Write binary files (default), or text with all digits.
    """
    p = parameters
    transform = np.column_stack([p.lda.T, -p.mean2])
    _write(Path(folder) / "mean.vec", [p.mean1], binary)
    _write(Path(folder) / "transform.mat", [transform], binary)
    _write(Path(folder) / "plda", [p.mu, p.tr, p.psi], binary, token="Plda")


def _read(path: Path | str, kind: str, ndims: tuple[int, ...]) -> list[np.ndarray]:
    """Arrays of a file in float64, with the numbers of dimensions in `ndims`."""
    content = Path(path).read_bytes()
    try:
        if content.startswith(BINARY):
            arrays = _parse_binary(content)
        else:
            arrays = _parse_text(content.decode("ascii"))
    except (KeyError, ValueError, struct.error) as error:
        raise ValueError(
            f"'{path}' is damaged, or no {kind} of Kaldi, {type(error).__name__}: "
            f"{error}"
        ) from error
    if tuple(array.ndim for array in arrays) != ndims:
        shapes = ", ".join(str(array.shape) for array in arrays) or "nothing"
        raise ValueError(f"'{path}' should be a {kind} of Kaldi, holds {shapes}.")
    return arrays


def _parse_binary(content: bytes) -> list[np.ndarray]:
    """Each array: type, space, its sizes (a byte 4, then four bytes), its values."""
    arrays, position = [], len(BINARY)
    while position < len(content):
        end = content.index(b" ", position)
        token, position = content[position:end], end + 1
        if token.startswith(b"<"):
            continue
        dtype, ndim = _TYPES[token[:1]], _DIMENSIONS[token[1:]]
        shape = struct.unpack_from("<" + ndim * "xi", content, position)
        position += ndim * 5
        values = np.frombuffer(content, dtype, int(np.prod(shape)), position)
        position += values.nbytes
        arrays.append(values.reshape(shape).astype(np.float64))
    return arrays


def _parse_text(content: str) -> list[np.ndarray]:
    """Vectors stand on the line of their bracket, rows of matrices below it."""
    arrays = []
    for body in re.findall(r"\[([^]]*)\]", content):
        first, *below = (line.split() for line in body.split("\n"))
        rows = [row for row in below if row]
        arrays.append(np.array(rows if rows else first, dtype=np.float64))
    return arrays


def _write(
    path: Path, arrays: Sequence[np.ndarray], binary: bool, token: str | None = None
) -> None:
    parts = [_binary(a) if binary else _text(a) for a in arrays]
    if token is not None:
        parts = [f"<{token}> ".encode(), *parts, f"</{token}> ".encode()]
    with replacing(path) as temporary:
        temporary.write_bytes((BINARY if binary else b"") + b"".join(parts))


def _binary(array: np.ndarray) -> bytes:
    header = b"DV " if array.ndim == 1 else b"DM "
    sizes = [size for length in array.shape for size in (4, length)]
    return (
        header
        + struct.pack("<" + array.ndim * "bi", *sizes)
        + array.astype("<f8").tobytes()
    )


def _text(array: np.ndarray) -> bytes:
    rows = (" ".join(map(repr, row)) for row in np.atleast_2d(array).tolist())
    body = " ".join(rows) if array.ndim == 1 else "\n  " + "\n  ".join(rows)
    return f" [ {body} ]\n".encode()
