# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen plda`: train the PLDA of an embedding, or adapt one."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pyannote_diarizen.cli.options import DeviceOption

if TYPE_CHECKING:
    import numpy as np

FEW_SPEAKERS = 50
"""Below that, a PLDA of its own is hardly better than the cosine."""


def plda(
    protocol: Annotated[
        str,
        typer.Argument(help="Of labelled files, as in AMI.SpeakerDiarization.Mini."),
    ],
    embedding: Annotated[
        str,
        typer.Option(
            help="Embedding model: folder, checkpoint, owner/name on the hub, or a "
            "pipeline that has one, as in diarizen-tiny."
        ),
    ],
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder to write the PLDA to.")
    ],
    subset: Annotated[
        str, typer.Option(help="Files to learn from: train, development or test.")
    ] = "train",
    database: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="The database.yml that defines the protocol."
        ),
    ] = None,
    dimension: Annotated[
        int | None,
        typer.Option(min=2, help="Of the LDA; by default 128, or all there can be."),
    ] = None,
    duration: Annotated[
        tuple[float, float],
        typer.Option(metavar="MIN MAX", help="Of what is embedded, in seconds."),
    ] = (1.0, 4.0),
    adapt: Annotated[
        str | None,
        typer.Option(
            help="PLDA to adapt: folder, owner/name on the hub, or a pipeline that has "
            "one."
        ),
    ] = None,
    weight: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of the protocol, when a PLDA is adapted."),
    ] = 0.5,
    evaluate: Annotated[
        str | None,
        typer.Option(help="Print equal error rates on this subset, of other speakers."),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            help="Learn from this subset, of other speakers, how sure scores may be: "
            "for `identify` and `link`."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train a PLDA on the speakers of a pyannote.database protocol, or adapt one.

    Speakers are embedded where they speak alone, every few seconds. Some hundred of
    them make a good PLDA, in several recordings each if possible; to adapt one, ten
    will do. With `--weight 0` it is only calibrated. The folder is what `plda` of a
    pipeline and pyannote.audio take.
    """
    if adapt is not None and dimension is not None:
        raise typer.BadParameter("--dimension is that of the PLDA that you --adapt.")

    from pyannote.audio.pipelines.speaker_verification import (
        PretrainedSpeakerEmbedding,
    )

    from pyannote_diarizen.clustering.plda import PLDA
    from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
    from pyannote_diarizen.evaluation.metrics import equal_error_rates
    from pyannote_diarizen.hub.bundled import find_part
    from pyannote_diarizen.hub.loading import choose_device
    from pyannote_diarizen.pipelines.components import load_network
    from pyannote_diarizen.pipelines.labelled_embeddings import (
        embed_files,
        mean_embeddings,
    )

    # what may be wrong is found out before anything takes long
    loaded = load_protocol(protocol, database)
    files = {
        name: subset_files(loaded, name)
        for name in (subset, calibrate, evaluate)
        if name is not None
    }
    unadapted = (
        None if adapt is None else PLDA.from_pretrained(find_part(adapt, "plda"))
    )
    model = PretrainedSpeakerEmbedding(
        load_network(find_part(embedding, "embedding"), "embedding"),
        device=choose_device(device),
    )

    @cache
    def embed(name: str) -> "tuple[np.ndarray, np.ndarray]":
        with Progress(console=Console(stderr=True), transient=True) as progress:
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
            "Fewer than "
            f"{FEW_SPEAKERS} speakers hardly make a PLDA: rather --adapt one.",
            fg="yellow",
            err=True,
        )
    if evaluate is not None:
        rates = equal_error_rates(trained, *embed(evaluate))
        told = ", ".join(f"{name} {rate:.2%}" for name, rate in rates.items())
        typer.echo(f"Equal error rate on {evaluate}: {told}.")
    typer.echo(f"Written: {into}")
