# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Estimate the PLDA that goes with an embedding of a bundled pipeline.

    python fit_plda.py --speech SPEECH --output RUN
    python fit_plda.py --speech SPEECH --output RUN --embedding campplus

Reads `RUN/pytorch_model.bin` or another embedding, writes `RUN/plda/`. Embeddings are
those of crops of 1 to 4 s of training speakers, each excerpt once as it is and once
recorded elsewhere. Mean embeddings of development speakers calibrate the PLDA.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from embedding_trials import make_recorder, pool_excerpts

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.pipelines.components import load_network
from pyannote_diarizen.pipelines.labelled_embeddings import (
    embed_excerpts,
    mean_embeddings,
)
from pyannote_diarizen.simulation.speech import SpeechPool

DURATION = 1.0, 4.0


def fit(speech: Path, output: Path, embedding: Path | str) -> None:
    """Fit and save."""
    model = load_network(embedding, "embedding")

    def network(waveforms: torch.Tensor) -> np.ndarray:
        return model(waveforms).numpy()

    recorder = make_recorder(speech)

    def embed(split: str) -> tuple[np.ndarray, np.ndarray]:
        pool = SpeechPool.from_folder(speech, split, cache=output.parent / "speech")
        near, labels = embed_excerpts(network, pool_excerpts(pool), DURATION)
        far, _ = embed_excerpts(
            network, pool_excerpts(pool), DURATION, recorder, seed=1
        )
        return np.concatenate([near, far]), np.concatenate([labels, labels])

    plda = PLDA.fit(*embed("train")).calibrate(*mean_embeddings(*embed("dev")))
    plda.save(output / "plda")


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--embedding", help="Checkpoint or name of the embedding.")
    options = parser.parse_args()
    torch.set_num_threads(1)
    embedding = options.embedding or options.output / "pytorch_model.bin"
    fit(options.speech, options.output, embedding)


if __name__ == "__main__":
    main()
