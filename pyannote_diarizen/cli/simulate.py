# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen simulate`: conversations to train on, from isolated utterances."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

SPLITS = {"train": "train", "development": "dev"}
"""Of utterances, for each subset of conversations."""


def simulate(
    speech: Annotated[
        Path,
        typer.Argument(help="Folder of utterances, listed in its `utterances.tsv`."),
    ],
    into: Annotated[Path, typer.Argument(help="Folder for the corpus.")],
    num: Annotated[int, typer.Option(min=1, help="Conversations to train on.")] = 100,
    num_development: Annotated[
        int, typer.Option(min=0, help="Conversations to validate on, or 0.")
    ] = 10,
    duration: Annotated[float, typer.Option(help="Of each, in seconds.")] = 60.0,
    speakers: Annotated[
        tuple[int, int],
        typer.Option(metavar="MIN MAX", help="Speakers in a conversation."),
    ] = (1, 4),
    noise: Annotated[
        list[Path] | None,
        typer.Option(help="Noise recordings, or a folder of them; may be repeated."),
    ] = None,
    babble: Annotated[
        list[Path] | None,
        typer.Option(help="Recordings of distant voices; may be repeated."),
    ] = None,
    turns: Annotated[
        Path | None,
        typer.Option(metavar="RTTM", help="Take turns as in these conversations."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random generator.")] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder to keep decoded speech in, for the next time."),
    ] = None,
) -> None:
    """Simulate conversations in rooms, with noise, as a pyannote.database protocol.

    Those for training are made of the train split of the utterances, those for
    development of the dev split. Run again, it completes what is missing.
    """
    from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
    from pyannote_diarizen.simulation.corpus import SUBSETS, simulate_corpus
    from pyannote_diarizen.simulation.simulator import ConversationSimulator, TurnTaking
    from pyannote_diarizen.simulation.speech import SpeechPool

    noises, voices = read_noises(noise or ()), read_noises(babble or ())
    rooms = Rooms.simulate()
    habits = TurnTaking.from_rttm(turns) if turns else None
    nums = {"train": num, "development": num_development}
    simulators = {
        subset: ConversationSimulator(
            SpeechPool.from_folder(speech, SPLITS[subset], cache=cache),
            rooms=rooms,
            noises=noises,
            babble=voices,
            num_speakers=speakers,
            turn_taking=habits,
        )
        for subset in SUBSETS
        if nums[subset]
    }
    with Progress(console=Console(stderr=True), transient=True) as progress:
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
