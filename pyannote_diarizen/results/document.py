# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Result of one recording: turns, words, and what made them.

All file formats are written from a `DiarizationDocument`, and read into one. Its own
format is JSON, version 1; docs/formats.md describes the keys. Times are in seconds from
the start of the recording. Files hold milliseconds.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn, Union

from pyannote.core import Annotation, Segment

from pyannote_diarizen.results.overlap import resolve_overlap
from pyannote_diarizen.results.turns import (
    Speaker,
    Turn,
    Word,
    doubtful_turns,
    speakers_of,
)
from pyannote_diarizen.rttm import valid_text

if TYPE_CHECKING:  # slow to import
    from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput

FORMAT = "pyannote-diarizen"
"""Value of the key `format`."""

VERSION = 1
"""Value of the key `version`: other readers need a change if it is increased."""


@dataclass(frozen=True)
class DiarizationDocument:
    """Turns and words of one recording.

    Parameters
    ----------
    uri : str
        Name of the recording.
    turns : sequence of Turn
        Turns in any order; they may overlap.
    exclusive_turns : sequence of Turn, optional
        Turns with at most one speaker at a time; see `resolve_overlap`, which is also
        applied to these. Default to `turns`.
    words : sequence of Word, optional
        Words in any order.
    duration : float, optional
        Duration of the recording.
    audio : str, optional
        Path of the recording.
    pipeline : Mapping, optional
        What made the turns: `name`, `version`, `models`, `settings`.
    speaker_confidence : Mapping of str to float, optional
        Confidence of each speaker, between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If a value is of the wrong type or out of its range.

    Examples
    --------
    >>> document = DiarizationDocument("call", [Turn(0, 2, "ann"), Turn(1, 2, "bob")])
    >>> [speaker.label for speaker in document.speakers]
    ['ann', 'bob']
    >>> document.exclusive_turns
    (Turn(start=0.0, end=2.0, speaker='ann', confidence=None),)
    """

    uri: str
    turns: Sequence[Turn]
    exclusive_turns: Sequence[Turn] | None = None
    words: Sequence[Word] = ()
    duration: float | None = None
    audio: str | None = None
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    speaker_confidence: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort and check."""
        if not isinstance(self.uri, str) or not self.uri:
            raise TypeError(f"`uri` should be the name of a file, got {self.uri!r}.")
        if self.duration is not None:
            _check_duration(self.duration)
        turns = _sorted(self.turns, Turn, "turns")
        exclusive = self.exclusive_turns
        exclusive = (
            turns if exclusive is None else _sorted(exclusive, Turn, "exclusive_turns")
        )
        object.__setattr__(self, "turns", turns)
        object.__setattr__(self, "exclusive_turns", resolve_overlap(exclusive))
        object.__setattr__(self, "words", _sorted(self.words, Word, "words"))

    @property
    def speakers(self) -> list[Speaker]:
        """Speakers in the order of their first turns."""
        return speakers_of(self.turns, self.speaker_confidence)

    @property
    def end(self) -> float:
        """Duration of the recording; if unknown, the end of the last turn or word."""
        ends = [turn.end for turn in self.turns] + [word.end for word in self.words]
        return max([self.duration or 0.0, *ends])

    def annotation(self, exclusive: bool = False) -> Annotation:
        """Return turns as an annotation.

        Parameters
        ----------
        exclusive : bool, optional
            Return `exclusive_turns`.
        """
        annotation = Annotation(uri=self.uri)
        turns = self.exclusive_turns if exclusive else self.turns
        for track, turn in enumerate(turns or ()):
            annotation[Segment(turn.start, turn.end), track] = turn.speaker
        return annotation

    def _repr_html_(self) -> str:
        """Timeline and table of speakers, for notebooks."""
        # draws by matplotlib, which most uses of a document do not need
        from pyannote_diarizen.results.notebook import summary_html

        return summary_html(self)

    @classmethod
    def from_output(
        cls, output: Union["DiarizeOutput", Annotation], **options: Any
    ) -> "DiarizationDocument":
        """Convert the output of a pipeline, or an annotation.

        Parameters
        ----------
        output : DiarizeOutput or Annotation
            An annotation has exclusive turns by `resolve_overlap`.
        options : dict
            Other arguments of the constructor. `uri` defaults to that of `output`.
        """
        diarization = getattr(output, "speaker_diarization", output)
        if not isinstance(diarization, Annotation):
            raise TypeError(
                "`output` should be a DiarizeOutput or an Annotation, got "
                f"{type(output).__name__}."
            )
        exclusive = getattr(output, "exclusive_speaker_diarization", None)
        return cls(
            **{
                "uri": str(diarization.uri or "recording"),
                "turns": turns_of(diarization),
                "exclusive_turns": None if exclusive is None else turns_of(exclusive),
                **options,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a JSON file; absent values are left out."""
        doubtful = doubtful_turns(self.turns)
        return {
            "format": FORMAT,
            "version": VERSION,
            "uri": self.uri,
            **({} if self.audio is None else {"audio": self.audio}),
            **({} if self.duration is None else {"duration": round(self.duration, 3)}),
            "pipeline": dict(self.pipeline),
            "speakers": [speaker.to_dict() for speaker in self.speakers],
            "turns": _dicts(self.turns),
            "exclusive_turns": _dicts(self.exclusive_turns or ()),
            **({"review": _dicts(doubtful)} if doubtful else {}),
            **({"words": _dicts(self.words)} if self.words else {}),
        }

    def to_json(self) -> str:
        """Return the text of a JSON file, one line per turn and word."""
        lines = []
        for key, value in self.to_dict().items():
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
            if isinstance(value, list) and value:
                items = ",\n  ".join(
                    json.dumps(item, ensure_ascii=False, allow_nan=False)
                    for item in value
                )
                text = f"[\n  {items}\n ]"
            lines.append(f' "{key}": {text}')
        return valid_text("{\n" + ",\n".join(lines) + "\n}\n")

    @classmethod
    def from_dict(cls, content: Any) -> "DiarizationDocument":
        """Check and convert the content of a JSON file; other keys are ignored."""
        if not isinstance(content, Mapping) or content.get("format") != FORMAT:
            raise ValueError(
                f'expected an object with "format": "{FORMAT}", got {_shown(content)}.'
            )
        if content.get("version") != VERSION:
            raise ValueError(
                f"expected version {VERSION} of the format, got "
                f"{_shown(content.get('version'))}: install a newer pyannote-diarizen."
            )
        exclusive = content.get("exclusive_turns")
        speakers = _list(content, "speakers")
        return cls(
            uri=content.get("uri", ""),
            turns=_parse(content, "turns", Turn),
            exclusive_turns=(
                None if exclusive is None else _parse(content, "exclusive_turns", Turn)
            ),
            words=_parse(content, "words", Word),
            duration=content.get("duration"),
            audio=_typed(content, "audio", str),
            pipeline=_typed(content, "pipeline", Mapping) or {},
            speaker_confidence={
                speaker.label: speaker.confidence
                for speaker in map(Speaker.from_dict, speakers)
                if speaker.confidence is not None
            },
        )

    @classmethod
    def from_json(cls, text: str) -> "DiarizationDocument":
        """Read the text of a JSON file.

        Raises
        ------
        ValueError
            If the text is no JSON, or a value is missing or wrong.
        """
        return cls.from_dict(parse_json(text))


def parse_json(text: str) -> Any:
    """Parse JSON; NaN, infinity and deep nesting are errors.

    Raises
    ------
    ValueError
        With the line of the error.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("lists are nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} is no JSON: {error.msg}.") from error


def describe_pipeline(
    pipeline: Any, name: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the value of `DiarizationDocument.pipeline`.

    Parameters
    ----------
    pipeline : Pipeline
    name : str
        Name of the pipeline, as in "diarizen-tiny".
    options : Mapping
        Options of its call; those that are None are left out.
    """
    models = {
        "segmentation": getattr(getattr(pipeline, "_segmentation", None), "model", 0),
        "embedding": getattr(getattr(pipeline, "_embedding", None), "model_", 0),
    }
    given = {key: value for key, value in options.items() if value is not None}
    return {
        "name": name,
        "version": version("pyannote-diarizen"),
        "models": {
            role: type(model).__name__ for role, model in models.items() if model
        },
        "settings": {**_parameters(pipeline), **given},
    }


def _parameters(pipeline: Any) -> dict[str, Any]:
    """Return hyper-parameters; before its first call, a pipeline may have none yet."""
    if pipeline.instantiated:
        return pipeline.parameters(instantiated=True)
    try:
        return pipeline.default_parameters()
    except NotImplementedError:
        return {}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number: write one, or null.")


def turns_of(annotation: Annotation) -> list[Turn]:
    """Convert the turns of an annotation; different labels need different names."""
    names = {label: str(label) for label in annotation.labels()}
    if len(set(names.values())) < len(names):
        raise ValueError(f"Different speakers have the same name, in {list(names)}.")
    return [
        Turn(segment.start, segment.end, names[label])
        for segment, _, label in annotation.itertracks(yield_label=True)
    ]


def _sorted(parts: Iterable[Any], kind: type, name: str) -> tuple[Any, ...]:
    parts = tuple(parts)
    for part in parts:
        if not isinstance(part, kind):
            raise TypeError(
                f"`{name}` should hold objects of type {kind.__name__}, got "
                f"{type(part).__name__}."
            )
    return tuple(sorted(parts, key=lambda part: (part.start, part.end)))


def _dicts(parts: Iterable[Turn | Word]) -> list[dict[str, Any]]:
    """Convert turns and words; turns below half a millisecond are left out."""
    return [
        each
        for each in (part.to_dict() for part in parts)
        if each["end"] > each["start"] or "text" in each
    ]


def _parse(content: Mapping[str, Any], key: str, kind: Any) -> list[Any]:
    parsed = []
    for number, item in enumerate(_list(content, key)):
        try:
            parsed.append(kind.from_dict(item))
        except (TypeError, ValueError) as error:
            raise ValueError(f'number {number} of "{key}": {error}') from error
    return parsed


def _list(content: Mapping[str, Any], key: str) -> list[Any]:
    return _typed(content, key, list) or []


def _typed(content: Mapping[str, Any], key: str, kind: type) -> Any:
    value = content.get(key)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f'"{key}" should be a {kind.__name__}, got {_shown(value)}.')
    return value


def _check_duration(duration: Any) -> None:
    number = isinstance(duration, Real) and not isinstance(duration, bool)
    if not number or not 0 <= duration < math.inf:
        raise ValueError(f"`duration` should be in seconds, got {_shown(duration)}.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
