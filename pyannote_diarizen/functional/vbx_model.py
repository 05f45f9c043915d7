# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx of given embeddings at a given operating point, whatever it starts from."""

from dataclasses import dataclass, replace

import numpy as np

from pyannote_diarizen.functional.vbx import VBxPosterior, vbx

NEEDED_PRIOR = 1e-7
"""VBx has given up the speakers whose prior is not above."""


@dataclass(frozen=True, eq=False)
class VBxModel:
    """Embeddings, and how VBx looks at them.

    Attributes
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space.
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    Fa, Fb, loop_probability, starts, max_iterations
        As of `functional.vbx.vbx`.
    """

    embeddings: np.ndarray
    phi: np.ndarray
    Fa: float
    Fb: float
    loop_probability: float = 0.0
    starts: np.ndarray | None = None
    max_iterations: int = 20

    def fit(self, responsibilities: np.ndarray) -> VBxPosterior:
        """Run VBx, and forget the speakers that it gave up.

        Parameters
        ----------
        responsibilities : (num_embeddings, num_speakers) np.ndarray
            Where to start from.

        Returns
        -------
        posterior : VBxPosterior
            Of the speakers that are left, at least one.
        """
        posterior = self._run(responsibilities, max_iterations=self.max_iterations)
        return _select(posterior, posterior.priors > NEEDED_PRIOR)

    def drop_phantoms(
        self,
        posterior: VBxPosterior,
        weights: np.ndarray,
        min_share: float,
        fewest: int = 1,
    ) -> VBxPosterior:
        """Drop speakers who hardly speak, the one who speaks least first.

        Parameters
        ----------
        posterior : VBxPosterior
            Made by `fit`.
        weights : (num_embeddings,) np.ndarray
            Speech behind each embedding, in any unit.
        min_share : float
            Share of all speech, below which a speaker is dropped.
        fewest : int, optional
            Number of speakers to keep in any case. Defaults to 1.

        Returns
        -------
        posterior : VBxPosterior
            After each drop, VBx goes on from the speakers that are left.
        """
        while len(posterior.priors) > fewest:
            speech = weights @ posterior.responsibilities
            least = np.argmin(speech)
            if speech[least] >= min_share * speech.sum():
                break
            left = _select(posterior, np.arange(len(speech)) != least)
            found = self._run(
                left.responsibilities,
                priors=left.priors / left.priors.sum(),
                speaker_models=(left.speaker_means, left.speaker_variances),
                max_iterations=self.max_iterations,
            )
            posterior = _select(found, found.priors > NEEDED_PRIOR)
        return posterior

    def certain(self, responsibilities: np.ndarray) -> VBxPosterior:
        """Take responsibilities for granted.

        Parameters
        ----------
        responsibilities : (num_embeddings, num_speakers) np.ndarray

        Returns
        -------
        posterior : VBxPosterior
            With these very responsibilities. The bound is that of one iteration of
            VBx, which models speakers by their embeddings, then lets embeddings belong
            to any of them, and gives up nobody.
        """
        shares = responsibilities.mean(axis=0)
        posterior = self._run(responsibilities, priors=shares, max_iterations=1)
        return replace(posterior, responsibilities=responsibilities, priors=shares)

    def restricted(self, members: np.ndarray) -> "VBxModel":
        """Model of the embeddings where `members` (num_embeddings,) is true alone."""
        starts = self.starts
        if starts is not None:
            sequences = np.cumsum(starts)[members]
            starts = np.diff(sequences, prepend=sequences[0] - 1) != 0
        return replace(self, embeddings=self.embeddings[members], starts=starts)

    def _run(self, responsibilities: np.ndarray, **options: object) -> VBxPosterior:
        return vbx(
            self.embeddings,
            self.phi,
            responsibilities,
            Fa=self.Fa,
            Fb=self.Fb,
            loop_probability=self.loop_probability,
            starts=self.starts,
            **options,  # type: ignore[arg-type]
        )


def _select(posterior: VBxPosterior, speakers: np.ndarray) -> VBxPosterior:
    """Leave only the `speakers` (num_speakers,) that are true."""
    return replace(
        posterior,
        responsibilities=posterior.responsibilities[:, speakers],
        priors=posterior.priors[speakers],
        speaker_means=posterior.speaker_means[speakers],
        speaker_variances=posterior.speaker_variances[speakers],
    )
