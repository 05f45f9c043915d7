# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen plda`: train or adapt a PLDA."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyannote_diarizen.cli.findings import checked_files
from pyannote_diarizen.cli.options import (
    DatabaseOption,
    DeviceOption,
    ProtocolArgument,
)
from pyannote_diarizen.terminal import progress_bars

if TYPE_CHECKING:
    import numpy as np

FEW_SPEAKERS = 50
"""Number of speakers below which a trained PLDA is hardly better than the cosine."""


def plda(
    protocol: ProtocolArgument,
    embedding: Annotated[
        str,
        typer.Option(
            help="Embedding model: folder, checkpoint, owner/name on the hub, or a "
            "pipeline that contains one, such as diarizen-tiny."
        ),
    ],
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder to write the PLDA to.")
    ],
    subset: Annotated[
        str, typer.Option(help="Subset to train on: train, development or test.")
    ] = "train",
    database: DatabaseOption = None,
    dimension: Annotated[
        int | None,
        typer.Option(min=2, help="Dimension of the LDA. Default: 128, or the maximum."),
    ] = None,
    duration: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="MIN MAX", help="Duration of embedded speech, in seconds."
        ),
    ] = (1.0, 4.0),
    adapt: Annotated[
        str | None,
        typer.Option(
            help="PLDA to adapt: folder, owner/name on the hub, or a pipeline that "
            "contains one."
        ),
    ] = None,
    weight: Annotated[
        float,
        typer.Option(min=0, max=1, help="Weight of the protocol in adaptation."),
    ] = 0.5,
    evaluate: Annotated[
        str | None,
        typer.Option(help="Subset of other speakers, to print equal error rates of."),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            help="Subset of other speakers, to calibrate probabilities on: for "
            "`identify` and `link`."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train a PLDA on the speakers of a pyannote.database protocol, or adapt one.

    Embeddings are taken every few seconds, where one speaker is active. A good PLDA
    needs a hundred speakers or more, if possible in several recordings each. Ten are
    enough to adapt one. With `--weight 0`, a PLDA is only calibrated. `plda` of a
    pipeline and pyannote.audio load the folder.
    """
    if adapt is not None and dimension is not None:
        raise typer.BadParameter(
            "--dimension is fixed by the PLDA of --adapt: leave it out."
        )

    from pyannote.audio.pipelines.speaker_verification import (
        PretrainedSpeakerEmbedding,
    )

    from pyannote_diarizen.clustering.plda import PLDA
    from pyannote_diarizen.evaluation.metrics import equal_error_rates
    from pyannote_diarizen.hub.loading import choose_device
    from pyannote_diarizen.pipelines.components import load_network, load_plda
    from pyannote_diarizen.pipelines.labelled_embeddings import (
        embed_files,
        mean_embeddings,
    )

    # errors of arguments are found before the long computation
    subsets = [name for name in (subset, calibrate, evaluate) if name is not None]
    files = checked_files(protocol, database, subsets)
    unadapted = load_plda(adapt)
    model = PretrainedSpeakerEmbedding(
        load_network(embedding, "embedding"),
        device=choose_device(device),
    )

    @cache
    def embed(name: str) -> "tuple[np.ndarray, np.ndarray]":
        with progress_bars() as progress:
            bar = progress.add_task(f"{name} files", total=len(files[name]))
            return embed_files(
                model,
                files[name],
                duration,
                hook=lambda completed: progress.update(bar, completed=completed),
            )

    embeddings, labels = embed(subset)
    if unadapted is None:
        trained = PLDA.fit(embeddings, labels, dimension)
    else:
        trained = unadapted.adapt(embeddings, labels, weight)
    if calibrate is not None:
        trained = trained.calibrate(*mean_embeddings(*embed(calibrate)))
    trained.save(into)
    typer.echo(
        f"{len(set(labels))} speakers, {len(labels)} embeddings, "
        f"{trained.lda_dimension} dimensions."
    )
    if unadapted is None and len(set(labels)) < FEW_SPEAKERS:
        typer.secho(
            f"Fewer than {FEW_SPEAKERS} speakers are not enough for a good PLDA: "
            "--adapt one instead.",
            fg="yellow",
            err=True,
        )
    if evaluate is not None:
        rates = equal_error_rates(trained, *embed(evaluate))
        listed = ", ".join(f"{name} {rate:.2%}" for name, rate in rates.items())
        typer.echo(f"Equal error rate on {evaluate}: {listed}.")
    typer.echo(f"Written: {into}")
