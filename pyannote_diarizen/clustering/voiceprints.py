# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Voiceprints: embeddings of enrolled speakers with their names, in one file.

The file is an npz archive of plain arrays, which NumPy reads without running code:
`format` (1), `model` and `fingerprint` of the embedding model, `names` and `embeddings`
(one row per clip). Embeddings of different models cannot be compared, hence the
fingerprint. The file holds no audio and no paths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyannote_diarizen.arrays import UNREADABLE, read_arrays, write_arrays
from pyannote_diarizen.errors import VoiceprintMismatchError

FORMAT = 1
UNKNOWN_PREFIX = "unknown"
"""First part of the names that unknown speakers get."""
_ARRAYS = ("format", "model", "fingerprint", "names", "embeddings")


@dataclass(frozen=True)
class EmbeddingIdentity:
    """Embedding model that made some embeddings.

    Parameters
    ----------
    model : str
        Class and dimension of the model, for messages.
    fingerprint : str
        Digest of the weights of the model.
    """

    model: str
    fingerprint: str

    def __str__(self) -> str:
        """Model and start of the fingerprint."""
        return f"{self.model} ({self.fingerprint[:12]})"


@dataclass(frozen=True, eq=False)
class Voiceprints:
    """Embeddings of enrolled speakers.

    Parameters
    ----------
    identity : EmbeddingIdentity
        Model that made them.
    names : sequence of str
        Speaker of each clip.
    embeddings : (num_clips, dimension) np.ndarray
        Embedding of each clip.

    Raises
    ------
    ValueError
        If shapes disagree, an embedding is not finite, or a name is empty or reserved
        for unknown speakers.
    """

    identity: EmbeddingIdentity
    names: tuple[str, ...]
    embeddings: np.ndarray

    def __post_init__(self) -> None:
        """Check names and embeddings."""
        object.__setattr__(self, "names", tuple(self.names))
        shape = self.embeddings.shape
        if len(shape) != 2 or shape[0] != len(self.names):
            raise ValueError(
                "`embeddings` should be (num_clips, dimension) with a name for each "
                f"clip, got shape {shape} and {len(self.names)} names."
            )
        if not np.isfinite(self.embeddings).all():
            raise ValueError("`embeddings` hold values that are not finite.")
        for name in self.names:
            if not name.strip() or name.startswith(UNKNOWN_PREFIX):
                raise ValueError(
                    f"A speaker cannot be called '{name}': names should not be empty, "
                    f"nor start with '{UNKNOWN_PREFIX}', as unknown speakers do."
                )

    @property
    def speakers(self) -> list[str]:
        """Names of the speakers in the order of enrolment."""
        return list(dict.fromkeys(self.names))

    def num_clips(self, speaker: str) -> int:
        """Count the clips of a speaker."""
        return self.names.count(speaker)

    def means(self) -> np.ndarray:
        """Mean embeddings (num_speakers, dimension) in the order of `speakers`."""
        names = np.array(self.names)
        means = [self.embeddings[names == name].mean(axis=0) for name in self.speakers]
        return np.array(means).reshape(-1, self.embeddings.shape[1])

    def __add__(self, other: "Voiceprints") -> "Voiceprints":
        """Voiceprints of both; clips with the same name are of one speaker."""
        other.check_identity(self.identity)
        embeddings = np.concatenate([self.embeddings, other.embeddings])
        return Voiceprints(self.identity, self.names + other.names, embeddings)

    def without(self, speakers: Iterable[str]) -> "Voiceprints":
        """Remove speakers and their embeddings.

        Raises
        ------
        ValueError
            If a speaker is not enrolled.
        """
        forgotten = set(speakers)
        if strangers := forgotten - set(self.names):
            raise ValueError(
                f"No enrolled speaker is called {', '.join(sorted(strangers))}; "
                f"enrolled are: {', '.join(self.speakers) or 'none'}."
            )
        kept = [i for i, name in enumerate(self.names) if name not in forgotten]
        names = tuple(self.names[i] for i in kept)
        return Voiceprints(self.identity, names, self.embeddings[kept])

    def check_identity(self, identity: EmbeddingIdentity) -> None:
        """Raise an error for embeddings of another model.

        Parameters
        ----------
        identity : EmbeddingIdentity
            Model of the other embeddings.

        Raises
        ------
        VoiceprintMismatchError
            If it is another model.
        """
        if identity.fingerprint != self.identity.fingerprint:
            raise VoiceprintMismatchError(
                f"The voiceprints are from {self.identity}, the embeddings from "
                f"{identity}, which cannot be compared: use the pipeline of the "
                "voiceprints, or enrol the speakers again."
            )

    def save(self, path: Path | str) -> None:
        """Write a file, whole or not at all.

        Parameters
        ----------
        path : Path or str
            Replaced if it exists; its folder is created if it does not.
        """
        arrays = {
            "format": FORMAT,
            "model": self.identity.model,
            "fingerprint": self.identity.fingerprint,
            "names": np.array(self.names, dtype=np.str_),
            "embeddings": self.embeddings.astype(np.float32),
        }
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path | str) -> "Voiceprints":
        """Read a file, without running code.

        Raises
        ------
        FileNotFoundError
            If it does not exist.
        ValueError
            If it is damaged, of another kind, or of a later version.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"No file of voiceprints at '{path}'.")
        try:
            arrays = read_arrays(path, _ARRAYS)
            if arrays["format"] != FORMAT:
                raise ValueError(
                    f"its format is {arrays['format']}, this version reads {FORMAT}"
                )
            if arrays["names"].dtype.kind != "U":
                raise ValueError("its names are not text")
            return cls(
                EmbeddingIdentity(str(arrays["model"]), str(arrays["fingerprint"])),
                tuple(arrays["names"].tolist()),
                arrays["embeddings"],
            )
        except UNREADABLE as error:
            raise ValueError(
                f"'{path}' is not a file of voiceprints: {str(error).rstrip('.')}."
            ) from error
