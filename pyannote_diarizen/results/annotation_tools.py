# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files of annotation tools: TextGrid of Praat, EAF of ELAN.

Each speaker has a tier of its name. Its intervals hold the words, or the name of the
speaker if there are none. Empty intervals are silence.
"""

import mimetypes
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.turns import Turn, Word
from pyannote_diarizen.results.utterances import Utterance, utterances_by_speaker


def to_textgrid(document: DiarizationDocument, exclusive: bool) -> str:
    """TextGrid of Praat, one tier per speaker."""
    from praatio import textgrid

    end = document.end or 1
    grid = textgrid.Textgrid(0, end)
    for speaker, tier in _tiers(document, exclusive):
        entries = [(each.start, each.end, each.text or speaker) for each in tier]
        grid.addTier(textgrid.IntervalTier(speaker, entries, 0, end))
    return _through_file(
        lambda path: grid.save(
            str(path), format="long_textgrid", includeBlankSpaces=True
        )
    )


def to_eaf(document: DiarizationDocument, exclusive: bool) -> str:
    """Annotation document of ELAN, one tier per speaker."""
    from pympi import Eaf

    eaf = Eaf(author="pyannote-diarizen")
    if document.audio is not None:
        audio = Path(document.audio)
        url = audio.as_uri() if audio.is_absolute() else document.audio
        kind = mimetypes.guess_type(audio.name)[0] or "audio/*"
        eaf.add_linked_file(url, mimetype=kind)
    for speaker, tier in _tiers(document, exclusive):
        eaf.add_tier(speaker, part=speaker)
        for each in tier:
            times = round(each.start * 1000), round(each.end * 1000)
            eaf.add_annotation(speaker, *times, each.text or speaker)
    if len(eaf.tiers) > 1 or document.speakers:
        eaf.remove_tier("default")
    return _through_file(eaf.to_file)


def read_textgrid(path: Path) -> list[DiarizationDocument]:
    """Read a TextGrid: each interval with a text is a turn of its tier's speaker."""
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), False, reportingMode="silence")
    except (PraatioException, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"cannot be read as a TextGrid: {error}") from error
    tiers = {
        tier.name: list(tier.entries)
        for tier in grid.tiers
        if isinstance(tier, textgrid.IntervalTier)
    }
    return [_document(path, tiers, grid.maxTimestamp)]


def read_eaf(path: Path) -> list[DiarizationDocument]:
    """Read an annotation document of ELAN: annotations of tiers without parent."""
    from pympi import Eaf

    try:
        # pympi hides the reason why a file is no XML
        ElementTree.parse(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other versions of the format
            eaf = Eaf(str(path))
        tiers = {
            name: [
                (start / 1000, end / 1000, text)
                for start, end, text, *_ in eaf.get_annotation_data_for_tier(name)
            ]
            for name in eaf.get_tier_names()
            if eaf.get_parameters_for_tier(name).get("PARENT_REF") is None
        }
    except (ElementTree.ParseError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"cannot be read as a file of ELAN: {reason}") from error
    return [_document(path, tiers, None)]


def _tiers(
    document: DiarizationDocument, exclusive: bool
) -> Iterator[tuple[str, list[Utterance]]]:
    """Yield speakers with utterances that last a millisecond or longer."""
    for speaker, tier in utterances_by_speaker(document, exclusive).items():
        yield (
            speaker,
            [each for each in tier if round(each.end, 3) > round(each.start, 3)],
        )


def _document(
    path: Path, tiers: dict[str, list[Any]], duration: float | None
) -> DiarizationDocument:
    turns, words = [], []
    for speaker, entries in tiers.items():
        for start, end, text in entries:
            try:
                if text.strip():
                    turns.append(Turn(start, end, speaker))
                    if text.strip() != speaker:
                        words.append(Word(start, end, text.strip(), speaker))
            except ValueError as error:
                raise ValueError(f"tier '{speaker}': {error}") from error
    return DiarizationDocument(path.stem, turns, words=words, duration=duration)


def _through_file(write: Callable[[Path], Any]) -> str:
    """Return what `write` writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "document")
        write(path)
        return path.read_text(encoding="utf-8")
