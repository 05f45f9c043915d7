# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulated conversations on disk, as a protocol of pyannote.database.

    folder/database.yml             Simulated.SpeakerDiarization.Conversations
    folder/train.lst, .uem, .json   list, annotated part, settings; same for development
    folder/audio/train_00000.flac
    folder/rttm/train_00000.rttm

Each conversation has its own seed: an interrupted simulation continues, and a larger
corpus begins with the same conversations.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import yaml
from pyannote.core import Segment, Timeline

from pyannote_diarizen.atomic import replacing, write_file
from pyannote_diarizen.rttm import write_rttm
from pyannote_diarizen.simulation.conversation import SimulatedConversation
from pyannote_diarizen.simulation.simulator import ConversationSimulator

Subset = Literal["train", "development"]
SUBSETS: tuple[Subset, ...] = ("train", "development")


def simulate_corpus(
    simulator: ConversationSimulator,
    folder: str | Path,
    num_conversations: int,
    duration: float,
    seed: int = 0,
    subset: Subset = "train",
    hook: Callable[[str], None] | None = None,
) -> Path:
    """Simulate one subset of a corpus; conversations already on disk are kept.

    Conversations without any turn are drawn again.

    Parameters
    ----------
    simulator : ConversationSimulator
        Give each subset its own pool, as subsets should not share speakers.
    folder : str or Path
    num_conversations : int
    duration : float
        Duration of each conversation, in seconds.
    seed : int, optional
        Defaults to 0.
    subset : {"train", "development"}, optional
        Defaults to "train".
    hook : callable, optional
        Called with the name of each conversation that is on disk.

    Returns
    -------
    database : Path
        Path of `database.yml`.

    Raises
    ------
    ValueError
        If the result would be empty, or if the folder holds conversations simulated
        with other settings.
    """
    if num_conversations < 1 or not duration > 0:
        raise ValueError(
            "`num_conversations` and `duration` should be positive, got "
            f"{num_conversations} and {duration}."
        )
    if simulator.turn_taking.silence == 1:
        raise ValueError(
            "No conversation would have a turn: `silence` should be below 1."
        )
    folder = Path(folder)
    _check_settings(
        folder / f"{subset}.json", _settings(simulator, duration=duration, seed=seed)
    )
    uris = [f"{subset}_{index:05d}" for index in range(num_conversations)]
    for index, uri in enumerate(uris):
        audio, rttm = folder / f"audio/{uri}.flac", folder / f"rttm/{uri}.rttm"
        if not (audio.is_file() and rttm.is_file()):
            rng = np.random.default_rng([seed, SUBSETS.index(subset), index])
            _write(_draw(simulator, duration, rng), uri, audio, rttm)
        if hook is not None:
            hook(uri)
    with replacing(folder / f"{subset}.uem") as temporary, temporary.open("w") as file:
        for uri in uris:
            Timeline([Segment(0, duration)], uri=uri).write_uem(file)
    write_file("\n".join(uris) + "\n", folder / f"{subset}.lst")
    return _write_database(folder)


def _draw(
    simulator: ConversationSimulator, duration: float, rng: np.random.Generator
) -> SimulatedConversation:
    while True:
        conversation = simulator.simulate(duration, rng)
        if conversation.turns:
            return conversation


def _write(
    conversation: SimulatedConversation, uri: str, audio: Path, rttm: Path
) -> None:
    with replacing(audio) as temporary:
        soundfile.write(temporary, conversation.waveform, conversation.sample_rate)
    write_rttm(conversation.annotation(uri), rttm)


def _settings(simulator: ConversationSimulator, **others: Any) -> dict[str, Any]:
    pool, recorder = simulator.pool, simulator.recorder
    settings = {
        **others,
        "sample_rate": pool.sample_rate,
        "num_speakers_of_pool": len(pool.speakers),
        "num_utterances_of_pool": len(pool),
        "num_rooms": recorder.rooms.num_rooms if recorder.rooms else 0,
        "num_noises": len(recorder.noises),
        "num_babble": len(recorder.babble),
        "num_speakers": simulator.num_speakers,
        "same_source": simulator.same_source,
        "min_pause": simulator.min_pause,
        "speed": simulator.speed,
        "turn_taking": asdict(simulator.turn_taking),
        "mixing": asdict(recorder.mixing),
    }
    return json.loads(json.dumps(settings))  # tuples to lists, as after reading


def _check_settings(path: Path, settings: dict[str, Any]) -> None:
    """Write settings, or compare them with the settings on disk."""
    if not path.is_file():
        write_file(json.dumps(settings, indent=2) + "\n", path)
        return
    before = json.loads(path.read_text())
    changed = [name for name in settings if settings[name] != before.get(name)]
    if changed:
        raise ValueError(
            f"{path.parent} holds conversations simulated with other settings "
            f"({', '.join(changed)} differ from {path.name}): use another folder, or "
            "empty this one."
        )


def _write_database(folder: Path) -> Path:
    subsets: dict[str, Any] = {
        subset: {
            "uri": f"{subset}.lst",
            "annotation": "rttm/{uri}.rttm",
            "annotated": f"{subset}.uem",
        }
        for subset in SUBSETS
        if (folder / f"{subset}.lst").is_file()
    }
    conversations = {"scope": "global", **subsets}
    protocols = {"SpeakerDiarization": {"Conversations": conversations}}
    database = {
        "Databases": {"Simulated": "audio/{uri}.flac"},
        "Protocols": {"Simulated": protocols},
    }
    write_file(yaml.safe_dump(database, sort_keys=False), folder / "database.yml")
    return folder / "database.yml"
