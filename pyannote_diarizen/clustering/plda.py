# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""PLDA for pyannote.audio that can be fitted, adapted, calibrated and saved.

It is stored in the two files of pyannote.audio and DiariZen: `xvec_transform.npz`
(mean1, mean2, lda) and `plda.npz` (mu, tr, psi). The second file may also hold a
calibration, which pyannote.audio ignores.
"""

import zlib
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np
from pyannote.audio.core import plda as host

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.clustering.kaldi_plda import read_kaldi_plda, write_kaldi_plda
from pyannote_diarizen.functional.detection import Calibration, fit_calibration
from pyannote_diarizen.functional.plda import (
    PLDAParameters,
    check_training_set,
    fit_plda,
    log_likelihood_ratio,
)
from pyannote_diarizen.functional.plda_adaptation import adapt_plda
from pyannote_diarizen.repository import Repository

FILES = {
    "xvec_transform.npz": ("mean1", "mean2", "lda"),
    "plda.npz": ("mu", "tr", "psi"),
}
CALIBRATION = "calibration"
"""Name of scale and offset in the second file."""
MAX_EMBEDDINGS = 2000
"""Maximum number of embeddings to calibrate on: two million pairs for two numbers."""


class PLDA(host.PLDA):
    """Projection of speaker embeddings to the space where VBx works.

    Parameters
    ----------
    transform_npz, plda_npz : Path, str or binary file
        The two files that `save` writes.
    lda_dimension : int, optional
        Keep only the first dimensions. Defaults to all of them.

    Attributes
    ----------
    parameters : PLDAParameters
        Arrays of the two files.
    calibration : Calibration
        Calibration of log-likelihood ratios; the identity unless `calibrate` made it.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    ValueError
        If a file lacks an array or arrays do not fit together, or `lda_dimension` is
        out of range.
    """

    def __init__(
        self,
        transform_npz: Path | str | IO[bytes],
        plda_npz: Path | str | IO[bytes],
        lda_dimension: int | None = None,
    ) -> None:
        transform_names, plda_names = FILES.values()
        arrays = _read(transform_npz, transform_names)
        arrays |= _read(plda_npz, plda_names, optional=CALIBRATION)
        calibration = Calibration(*map(float, arrays.pop(CALIBRATION, ())))
        try:
            parameters = PLDAParameters(**arrays)
        except ValueError as error:
            raise ValueError(
                f"'{transform_npz}' and '{plda_npz}' make no PLDA: {error}"
            ) from error
        dimension = len(parameters.psi)
        if lda_dimension is None:
            lda_dimension = dimension
        if not 1 <= lda_dimension <= dimension:
            raise ValueError(
                f"`lda_dimension` should be between 1 and {dimension}, the dimension "
                f"of this PLDA, got {lda_dimension}."
            )
        # pyannote.audio reads the arrays again: pass the checked ones, in memory
        transform, plda = _pack(parameters, calibration)
        super().__init__(transform, plda, lda_dimension)
        self.parameters, self.calibration = parameters, calibration

    @classmethod
    def from_parameters(
        cls,
        parameters: PLDAParameters,
        lda_dimension: int | None = None,
        calibration: Calibration | None = None,
    ) -> "PLDA":
        """Build from arrays in memory.

        Parameters
        ----------
        parameters : PLDAParameters
        lda_dimension : int, optional
            Keep only the first dimensions. Defaults to all of them.
        calibration : Calibration, optional
            Calibration of log-likelihood ratios. Defaults to none.
        """
        return cls(*_pack(parameters, calibration or Calibration()), lda_dimension)

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: Path | str,
        subfolder: str | None = None,
        revision: str | None = None,
        token: str | None = None,
        cache_dir: Path | str | None = None,
        lda_dimension: int | None = None,
    ) -> "PLDA":
        """Load from a folder, or from the Hugging Face hub if there is none.

        Parameters
        ----------
        checkpoint : Path or str
            Folder or model id.
        subfolder : str, optional
            Folder inside the folder or model repository.
        revision, token, cache_dir : optional
            Version, access token and download folder, for the hub only.
        lda_dimension : int, optional
            Keep only the first dimensions. Defaults to all of them.

        Raises
        ------
        FileNotFoundError
            If the files are not there, or the hub denies access to them.
        ValueError
            If `revision` is given with a folder, or the files are not a PLDA.
        """
        repository = Repository(checkpoint, subfolder, revision, token, cache_dir)
        transform_npz, plda_npz = (repository.file(name) for name in FILES)
        return cls(transform_npz, plda_npz, lda_dimension)

    @classmethod
    def fit(
        cls,
        embeddings: np.ndarray,
        labels: np.ndarray,
        lda_dimension: int | None = None,
    ) -> "PLDA":
        """Estimate from embeddings of known speakers.

        Parameters
        ----------
        embeddings : (num_embeddings, embedding_dimension) np.ndarray
        labels : (num_embeddings,) np.ndarray
            Speaker of each embedding.
        lda_dimension : int, optional
            Less than the number of speakers. Defaults to 128, or less if embeddings
            and speakers do not suffice.

        See Also
        --------
        pyannote_diarizen.functional.plda.fit_plda
        """
        return cls.from_parameters(fit_plda(embeddings, labels, lda_dimension))

    def adapt(
        self, embeddings: np.ndarray, labels: np.ndarray, weight: float = 0.5
    ) -> "PLDA":
        """Interpolate with a PLDA estimated from embeddings of another domain.

        Parameters
        ----------
        embeddings : (num_embeddings, embedding_dimension) np.ndarray
        labels : (num_embeddings,) np.ndarray
            Speaker of each embedding.
        weight : float, optional
            Weight of the other domain, between 0 and 1. Defaults to 0.5.

        Returns
        -------
        adapted : PLDA
            PLDA with all dimensions, whatever `lda_dimension`, without calibration.

        See Also
        --------
        pyannote_diarizen.functional.plda_adaptation.adapt_plda
        """
        return self.from_parameters(
            adapt_plda(self.parameters, embeddings, labels, weight)
        )

    def calibrate(self, embeddings: np.ndarray, labels: np.ndarray) -> "PLDA":
        """Calibrate log-likelihood ratios on speakers outside the training set.

        Parameters
        ----------
        embeddings : (num_embeddings, embedding_dimension) np.ndarray
            Each pair of embeddings is a trial. Of more than `MAX_EMBEDDINGS`, a fixed
            random sample is used.
        labels : (num_embeddings,) np.ndarray
            Speaker of each embedding.

        Returns
        -------
        calibrated : PLDA
            The same PLDA with another `calibration`, for `lda_dimension` dimensions.

        Raises
        ------
        ValueError
            If embeddings are not finite, no speaker has two of them, or there are fewer
            than three speakers.

        See Also
        --------
        pyannote_diarizen.functional.detection.fit_calibration
        """
        x, y = check_training_set(embeddings, labels)
        if len(y) > MAX_EMBEDDINGS:
            rng = np.random.default_rng(0)
            drawn = rng.choice(len(y), MAX_EMBEDDINGS, replace=False)
            x, y = x[drawn], y[drawn]
        first, second = np.triu_indices(len(y), k=1)
        projected = self(x)
        scores = log_likelihood_ratio(projected, projected, self.phi)[first, second]
        calibration = fit_calibration(scores, y[first] == y[second])
        return self.from_parameters(self.parameters, self.lda_dimension, calibration)

    def save(self, folder: Path | str) -> None:
        """Write the pair of files, which stock pyannote.audio loads as well.

        All dimensions are written, whatever `lda_dimension`. Existing files are
        replaced once both new ones are complete.

        Parameters
        ----------
        folder : Path or str
            Created if it does not exist.
        """
        with ExitStack() as stack:
            contents = _pack(self.parameters, self.calibration)
            for name, content in zip(FILES, contents, strict=True):
                temporary = stack.enter_context(replacing(Path(folder) / name))
                temporary.write_bytes(content.getbuffer())

    @classmethod
    def from_kaldi(
        cls,
        plda: Path | str,
        transform: Path | str | None = None,
        mean: Path | str | None = None,
        normalize_first: bool = False,
    ) -> "PLDA":
        """Load from files of Kaldi, text or binary.

        A PLDA alone applies to the input of `ivector-normalize-length`. For raw
        embeddings, the LDA and the mean of the same recipe are needed, too.

        Parameters
        ----------
        plda, transform, mean : Path or str
            Called `plda`, `transform.mat` and `mean.vec` in recipes of Kaldi.
        normalize_first : bool, optional
            Whether the files are from `save_kaldi`. Defaults to False.

        See Also
        --------
        pyannote_diarizen.clustering.kaldi_plda.read_kaldi_plda
        """
        return cls.from_parameters(
            read_kaldi_plda(plda, transform, mean, normalize_first)
        )

    def save_kaldi(self, folder: Path | str, binary: bool = True) -> None:
        """Write `plda`, `transform.mat` and `mean.vec` for the tools of Kaldi.

        Parameters
        ----------
        folder : Path or str
            Created if it does not exist.
        binary : bool, optional
            Write binary files (default) or text.

        See Also
        --------
        pyannote_diarizen.clustering.kaldi_plda.write_kaldi_plda : how to apply them.
        """
        write_kaldi_plda(self.parameters, folder, binary)

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Project embeddings.

        Parameters
        ----------
        embeddings : (num_embeddings, embedding_dimension) np.ndarray

        Returns
        -------
        projected : (num_embeddings, lda_dimension) np.ndarray

        Raises
        ------
        ValueError
            If embeddings are not of the dimension of this PLDA.
        """
        expected = len(self.parameters.mean1)
        if embeddings.ndim != 2 or embeddings.shape[1] != expected:
            raise ValueError(
                f"This PLDA is for embeddings of shape (num_embeddings, {expected}), "
                f"got {embeddings.shape}: was it made for another embedding model?"
            )
        return super().__call__(embeddings)

    def log_likelihood_ratio(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Log-odds that embeddings are of one speaker against two.

        Parameters
        ----------
        a : (num_a, embedding_dimension) np.ndarray
        b : (num_b, embedding_dimension) np.ndarray

        Returns
        -------
        ratio : (num_a, num_b) np.ndarray
            Calibrated, in nats, each embedding of `a` with each embedding of `b`.
        """
        return self.calibration(log_likelihood_ratio(self(a), self(b), self.phi))

    def __reduce__(self) -> tuple:
        """Pickle as arrays: pyannote.audio's PLDA holds functions that do not."""
        arguments = self.parameters, self.lda_dimension, self.calibration
        return type(self).from_parameters, arguments


def _read(
    file: Path | str | IO[bytes], names: tuple[str, ...], optional: str = ""
) -> dict[str, np.ndarray]:
    """Read the named arrays, and an `optional` one, never pickled objects."""
    try:
        with ExitStack() as stack:
            # numpy leaves a file open that it cannot read
            stream = (
                stack.enter_context(Path(file).open("rb"))
                if isinstance(file, (str, Path))
                else file
            )
            arrays = np.load(stream, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise ValueError("it is a single array, not an npz archive")
            stack.enter_context(arrays)
            if missing := set(names) - set(arrays):
                raise ValueError(
                    f"should hold {', '.join(names)}, lacks {', '.join(missing)}"
                )
            present = {*names, optional} & set(arrays)
            return {name: arrays[name] for name in present}
    except (ValueError, EOFError, TypeError, BadZipFile, zlib.error) as error:
        raise ValueError(
            f"'{file}' is no part of a PLDA: {error}. Fetch it again, or fit one."
        ) from error


def _pack(
    parameters: PLDAParameters, calibration: Calibration
) -> tuple[BytesIO, BytesIO]:
    """Transform and PLDA files, in memory."""
    transform, plda = (
        {name: getattr(parameters, name) for name in names} for names in FILES.values()
    )
    if calibration != Calibration():
        plda[CALIBRATION] = np.array([calibration.scale, calibration.offset])
    files = BytesIO(), BytesIO()
    for file, arrays in zip(files, (transform, plda), strict=True):
        np.savez(file, **arrays)
        file.seek(0)
    return files
