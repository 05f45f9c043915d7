# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Manifests of Lhotse: recordings and supervisions, read and written by Lhotse.

A supervision is a turn of a speaker. Its channels are those of its recording. Lhotse
has no annotated regions: recordings are annotated from beginning to end.
"""

import gzip
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyannote.database import ProtocolFile

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.listings import (
    Listing,
    Recording,
    Turn,
    checked_recordings,
    checked_turns,
)
from pyannote_diarizen.corpora.recordings import listed_audio
from pyannote_diarizen.corpora.subset import Subset
from pyannote_diarizen.installation import require_packages
from pyannote_diarizen.rttm import rttm_name, speaker_names

if TYPE_CHECKING:
    import lhotse


def require_lhotse() -> None:
    """Refuse to go on without Lhotse.

    Raises
    ------
    MissingPackagesError
        If it is not installed; the message has the pip line.
    """
    packages = {"lhotse": "'pyannote-diarizen[lhotse]'"}
    require_packages("Manifests of Lhotse", packages)


def read_lhotse(
    recordings: Path, supervisions: Path, channel: int | None = None
) -> Subset:
    """Read the manifests of one subset.

    Relative paths of audio start in the current folder, or else in the folder of the
    manifest.

    Parameters
    ----------
    recordings, supervisions : Path
        As Lhotse writes them: .jsonl, .json or .yaml, or compressed (.jsonl.gz).
    channel : int, optional
        Channel to use of recordings with one file per channel. Only its supervisions
        are turns.

    Returns
    -------
    subset : Subset
        With an error for each recording and supervision that cannot be used.

    Raises
    ------
    FileNotFoundError
        If a manifest does not exist.
    MissingPackagesError
        If Lhotse is not installed.
    """
    require_lhotse()
    import lhotse

    listing: Listing[Recording] = Listing(Path(recordings))
    # of each recording, the channels of all files, and those of the file in use
    channels: dict[str, tuple[list[int], list[int]]] = {}
    for line, recording in _items(listing, lhotse.RecordingSet):
        uri = recording.id
        if not isinstance(uri, str) or rttm_name(uri) != uri:
            text = f"{uri!a:.200} cannot be a name in an RTTM file"
            listing.report(line, text, "rename it, and in its supervisions")
            continue
        try:
            source = _source_of(recording, channel)
            audio = listed_audio(listing.path, source.source)
            listing.items.append(Recording(line, uri, audio))
            channels[uri] = recording.channel_ids, source.channels
        except (OSError, ValueError) as error:
            listing.report(line, f"audio of '{uri}': {error}", "correct it")
            channels[uri] = recording.channel_ids, []
    turns = _read_turns(Path(supervisions), channels)
    return Subset([checked_recordings(listing)], [checked_turns(turns)])


def _items(
    listing: Listing, manifest: "type[lhotse.RecordingSet | lhotse.SupervisionSet]"
) -> Iterator[tuple[int | None, Any]]:
    """Yield the items of a manifest with their lines, and report what is damaged."""
    path = listing.path
    if not path.is_file():  # Lhotse would open addresses and commands
        raise FileNotFoundError(f"There is no manifest '{path}': correct its path.")
    has_lines = ".jsonl" in path.suffixes
    kind = manifest.__name__.removesuffix("Set")
    line = 1
    try:
        read = manifest.from_jsonl_lazy if has_lines else manifest.from_file
        for found in read(path):
            if not type(found).__name__.startswith(kind):
                raise TypeError(f"got {type(found).__name__}")
            yield (line if has_lines else None), found
            line += 1
    except Exception as error:  # noqa: BLE001 - Lhotse raises all kinds
        text = f"expected a {kind.lower()} of Lhotse: {type(error).__name__}: "
        text += " ".join(str(error).split())
        listing.report(line if has_lines else None, text, "write it by Lhotse")


def _source_of(
    recording: "lhotse.Recording", channel: int | None
) -> "lhotse.AudioSource":
    """Select the file of a recording.

    Raises
    ------
    ValueError
        If there is no file, or more than one.
    """
    sources = recording.sources
    if len(sources) > 1:
        if channel is None:
            raise ValueError(
                f"{len(sources)} files, one per channel; select one by --channel"
            )
        sources = [source for source in sources if channel in source.channels]
    if len(sources) != 1:
        raise ValueError("no file" if not sources else "several files of the channel")
    (source,) = sources
    if source.type != "file" or not isinstance(source.source, str):
        raise ValueError(f"expected a file, got a source of type {source.type!a:.200}")
    if not source.source or "\0" in source.source:
        raise ValueError(f"{source.source!a:.200} is no path")
    changes = {type(each).__name__ for each in recording.transforms or ()}
    if changes - {"Resample"}:
        raise ValueError(
            f"Lhotse changes it while reading ({', '.join(sorted(changes))}); save it "
            "by `save_audios` of Lhotse"
        )
    return source


def _read_turns(
    path: Path, channels: dict[str, tuple[list[int], list[int]]]
) -> Listing[Turn]:
    """Read supervisions of known recordings as turns."""
    import lhotse

    listing: Listing[Turn] = Listing(path)
    for line, each in _items(listing, lhotse.SupervisionSet):
        text, uri = "", each.recording_id
        times = each.start, each.duration
        listed = each.channel if isinstance(each.channel, list) else [each.channel]
        if not isinstance(uri, str) or uri not in channels:
            text = f"recording {uri!a:.200} is in no manifest of recordings"
        elif not isinstance(each.speaker, str) or not each.speaker:
            text = f"expected the name of a speaker, got {each.speaker!a:.200}"
        elif not all(_is_time(time) for time in times):
            text = f"expected start and duration in seconds, got {times!a:.200}"
        elif not any(one in channels[uri][0] for one in listed):
            text = f"'{uri}' has no channel {each.channel!a:.200}"
        if text:
            name = f"supervision {each.id!a:.200}"
            listing.report(line, f"{name}: {text}", "correct it, or remove it")
        elif any(one in channels[uri][1] for one in listed):
            end = round(each.start + each.duration, 6)
            listing.items.append(Turn(line, uri, each.start, end, each.speaker))
    names = speaker_names(dict.fromkeys(turn.speaker for turn in listing.items))
    listing.items = [
        turn._replace(speaker=names[turn.speaker]) for turn in listing.items
    ]
    return listing


def _is_time(time: Any) -> bool:
    return type(time) in (int, float) and 0 <= time < math.inf


def export_lhotse(
    files: Iterable[ProtocolFile], into: Path, subset: str
) -> tuple[Path, Path]:
    """Write manifests of the files of one subset.

    Parameters
    ----------
    files : iterable of ProtocolFile
        Files with "uri", "audio" and "annotation".
    into : Path
        Folder to write to.
    subset : str
        Last part of the names of the manifests, as Lhotse composes them.

    Returns
    -------
    recordings, supervisions : Path
        Manifests, as in "recordings_train.jsonl.gz". Paths of audio are absolute.

    Raises
    ------
    MissingPackagesError
        If Lhotse is not installed.
    OSError
        If audio cannot be read, or a manifest cannot be written.
    """
    require_lhotse()
    import lhotse

    recordings, supervisions = [], []
    for file in files:
        info, audio = audio_info(file["audio"]), str(Path(file["audio"]).absolute())
        channels = list(range(info.num_channels))
        recordings.append(
            lhotse.Recording(
                id=file["uri"],
                sources=[lhotse.AudioSource("file", channels, audio)],
                sampling_rate=info.sample_rate,
                num_samples=info.num_samples,
                duration=info.duration,
            )
        )
        turns = file["annotation"].itertracks(yield_label=True)
        supervisions += [
            lhotse.SupervisionSegment(
                id=f"{file['uri']}-{number:06}",
                recording_id=file["uri"],
                start=round(turn.start, 6),
                duration=round(turn.duration, 6),
                channel=channels if info.num_channels > 1 else 0,
                speaker=str(speaker),
            )
            for number, (turn, _, speaker) in enumerate(turns)
        ]
    kinds = {
        "recordings": lhotse.RecordingSet.from_recordings(recordings),
        "supervisions": lhotse.SupervisionSet.from_segments(supervisions),
    }
    paths = []
    for kind, content in kinds.items():
        paths.append(into / f"{kind}_{subset}.jsonl.gz")
        rows = (json.dumps(row, ensure_ascii=False) for row in content.to_dicts())
        text = "".join(f"{row}\n" for row in rows)
        # without a time, the same content is the same file
        write_file(gzip.compress(text.encode("utf-8"), mtime=0), paths[-1])
    return paths[0], paths[1]
