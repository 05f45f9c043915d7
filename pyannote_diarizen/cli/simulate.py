# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen simulate`: simulate conversations from isolated utterances."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.terminal import progress_bars

SPLITS = {"train": "train", "development": "dev"}
"""Split of utterances for each subset of conversations."""


def simulate(
    speech: Annotated[
        Path,
        typer.Argument(help="Folder of utterances, with a list `utterances.tsv`."),
    ],
    into: Annotated[Path, typer.Argument(help="Folder for the corpus.")],
    num: Annotated[
        int, typer.Option(min=1, help="Number of training conversations.")
    ] = 100,
    num_development: Annotated[
        int, typer.Option(min=0, help="Number of validation conversations.")
    ] = 10,
    duration: Annotated[
        float, typer.Option(help="Duration of a conversation, in seconds.")
    ] = 60.0,
    speakers: Annotated[
        tuple[int, int],
        typer.Option(metavar="MIN MAX", help="Number of speakers per conversation."),
    ] = (1, 4),
    noise: Annotated[
        list[Path] | None,
        typer.Option(help="Recording of noise, or folder of them; may be repeated."),
    ] = None,
    babble: Annotated[
        list[Path] | None,
        typer.Option(help="Recording of distant voices; may be repeated."),
    ] = None,
    turns: Annotated[
        Path | None,
        typer.Option(
            metavar="RTTM", help="Conversations to copy statistics of turns from."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random numbers.")] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep decoded speech in, 0.1 GB per hour. Default: "
            "~/.cache/pyannote-diarizen."
        ),
    ] = None,
) -> None:
    """Simulate conversations in rooms, with noise, as a pyannote.database protocol.

    Training conversations use the train split of the utterances, development
    conversations the dev split. Run again, the command adds missing conversations.
    """
    from pyannote_diarizen.corpora.listings import read_rttm
    from pyannote_diarizen.findings import require
    from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
    from pyannote_diarizen.simulation.corpus import SUBSETS, simulate_corpus
    from pyannote_diarizen.simulation.lazy_speech import LazySpeechPool
    from pyannote_diarizen.simulation.simulator import ConversationSimulator, TurnTaking

    if turns is not None:
        require(read_rttm(turns).findings)
    noises, voices = read_noises(noise or ()), read_noises(babble or ())
    rooms = Rooms.simulate()
    habits = TurnTaking.from_rttm(turns) if turns else None
    nums = {"train": num, "development": num_development}
    simulators = {
        subset: ConversationSimulator(
            LazySpeechPool(speech, SPLITS[subset], cache=cache),
            rooms=rooms,
            noises=noises,
            babble=voices,
            num_speakers=speakers,
            turn_taking=habits,
        )
        for subset in SUBSETS
        if nums[subset]
    }
    with progress_bars() as progress:
        bar = progress.add_task("conversations", total=sum(nums.values()))
        for subset, simulator in simulators.items():
            database = simulate_corpus(
                simulator,
                into,
                nums[subset],
                duration,
                seed,
                subset,
                hook=lambda _: progress.advance(bar),
            )
    typer.echo(f"Written: {database}.")
