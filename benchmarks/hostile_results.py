# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile results: diarizations, transcripts, scores and features to read again."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from hostile_cases import Case, edit_arrays, put, run
from hostile_models import DAMAGED_FILES, Harmful

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.formats import FORMATS
from pyannote_diarizen.results.turns import Turn, Word

FEATURES = "features/long.features.npz"
"""File that `apply --keep` wrote into the template."""
DOCUMENT = DiarizationDocument(
    "good",
    [Turn(0.5, 2.125, "alice"), Turn(1.75, 3.5, "bob")],
    words=[Word(0.5, 1.0, "hello", "alice"), Word(1.75, 2.125, "there", "bob")],
)
TRANSCRIPTS = {
    ".json": json.dumps(
        {"segments": [{"start": 0.5, "end": 2.125, "text": "alice speaks"}]}
    ),
    ".srt": "1\n00:00:00,500 --> 00:00:02,125\nalice speaks\n",
    ".vtt": "WEBVTT\n\n00:00:00.500 --> 00:00:02.125\nalice speaks\n",
    ".ctm": "good 1 0.5 1.625 alice\ngood 1 2.125 0.5 speaks\n",
}


def _replace(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


INTACT = "without a fault"
DAMAGES: dict[str, Callable[[str], str | bytes]] = {
    INTACT: str,
    "empty": lambda _: "",
    "first half": lambda text: text[: len(text) // 2],
    "zero bytes": lambda text: bytes(len(text)),
    "random bytes": lambda _: np.random.default_rng(0).bytes(3000),
    "UTF-16": lambda text: text.encode("utf-16"),
    "byte-order mark": lambda text: "\ufeff" + text,
    "web page": lambda _: "<!DOCTYPE html><html><body>404</body></html>\n",
    "start NaN": _replace("0.5", "NaN"),
    "start -1": _replace("0.5", "-1"),
    "start a text": _replace("0.5", "soon"),
    "end 1e308": _replace("2.125", "1e308"),
    "end before start": _replace("2.125", "0.25"),
    "speaker of markup": _replace("alice", "<script>[/b]{\\\\b}"),
    "speaker of no letter": _replace("alice", ""),
    "speaker of 20 kB": _replace("alice", "x" * 20_000),
    "repeated 2000 times": lambda text: text * 2000,
}


def _refused(name: str) -> bool | None:
    return False if name == INTACT else None


def _diarization_cases() -> Iterator[Case]:
    """Cases of each format that is read: `edit`, and one of the other commands."""
    others = cycle(
        [
            ["show", "good.wav", "{}", "--into", "out.html", "--audio", "none"],
            ["score", "{}", "all.rttm"],
            ["assign", "words.srt", "{}", "--into", "out", "--uri", "good"],
            ["fuse", "{}", "all.rttm", "--into", "out"],
            ["score", "all.rttm", "{}", "--uem", "all.uem", "--format", "json"],
        ]
    )
    for kind, known in FORMATS.items():
        if known.read is None:
            continue
        text = str(known.render(DOCUMENT, False))
        file = f"good{known.suffix}"
        edit = ["edit", file, "--rename", "bob=carol", "--format", "rttm,json,textgrid"]
        edit += ["--into", "out", "--uri", "good"]
        for name, damage in DAMAGES.items():
            other = [each.replace("{}", file) for each in next(others)]
            yield Case(
                "diarization",
                f"{kind}: {name}",
                [edit, other],
                partial(_write_with_words, file, damage(text)),
                _refused(name),
            )


def _write_with_words(name: str, content: str | bytes) -> None:
    put("words.srt", TRANSCRIPTS[".srt"])()
    put(name, content)()


def _transcript_cases() -> Iterator[Case]:
    for suffix, text in TRANSCRIPTS.items():
        file = f"words{suffix}"
        assign = ["assign", file, "all.rttm", "--uri", "good", "--into", "out"]
        show = ["show", "good.wav", "all.rttm", "--words", file, "--audio", "none"]
        commands = cycle([assign, [*show, "--into", "out.html"]])
        for name, damage in DAMAGES.items():
            write = put(file, damage(text))
            command = next(commands)
            label = f"{suffix}: {name}"
            yield Case("transcript", label, [command], write, _refused(name))


def _scores_cases() -> Iterator[Case]:
    """Cases of scores, of which the other system is intact."""
    for kind in ("json", "csv"):
        compare = ["compare", f"a.{kind}", f"b.{kind}", "--into", "out"]
        for name, damage in DAMAGES.items():
            write = partial(_write_scores, kind, damage)
            yield Case("scores", f"{kind}: {name}", [compare], write, _refused(name))


def _write_scores(kind: str, damage: Callable[[str], str | bytes]) -> None:
    text = run(["score", "all.rttm", "all.rttm", "--format", kind]).output
    # the numbers of DAMAGES
    text = text.replace("3.3", "0.5").replace("good", "alice")
    put(f"a.{kind}", text)()
    put(f"b.{kind}", damage(text))()


_arrays = partial(edit_arrays, FEATURES)


def _header(edit: Callable[[dict[str, Any]], Any]) -> None:
    def change(arrays: dict[str, Any]) -> None:
        header = json.loads(str(arrays["header"]))
        edit(header)
        arrays["header"] = np.array(json.dumps(header))

    _arrays(change)


def _update(header: dict[str, Any], **values: object) -> None:
    header.update(values)


def _set_step(key: str, value: object, header: dict[str, Any]) -> None:
    header[key]["step"] = value


FEATURES_EDITS: Mapping[str, Callable[[], Any]] = {
    INTACT: lambda: None,
    **{name: partial(damage, FEATURES) for name, damage in DAMAGED_FILES.items()},
    "code": lambda: _arrays(lambda a: a.update(header=np.array([Harmful()]))),
    "array missing": lambda: _arrays(lambda a: a.pop("embedded")),
    "array unknown": lambda: _arrays(lambda a: a.update(x=np.zeros(3))),
    "header is no JSON": lambda: _arrays(lambda a: a.update(header=np.array("{"))),
    "header is a list": lambda: _arrays(lambda a: a.update(header=np.array("[1]"))),
    "header is empty": lambda: _arrays(lambda a: a.update(header=np.array("{}"))),
    "activity of other size": lambda: _arrays(
        lambda a: a.update(activity=a["activity"][:1])
    ),
    "embeddings NaN": lambda: _arrays(
        lambda a: a.update(embeddings=a["embeddings"] * np.nan)
    ),
    "embeddings of other size": lambda: _arrays(
        lambda a: a.update(embeddings=a["embeddings"][:, :3])
    ),
    "embeddings are texts": lambda: _arrays(
        lambda a: a.update(embeddings=a["embeddings"].astype(str))
    ),
    "later version": lambda: _header(lambda h: h.update(version=99)),
    "other format": lambda: _header(lambda h: h.update(format="x")),
    "huge shape": lambda: _header(lambda h: h.update(shape=[2**40, 2**40, 4])),
    "negative shape": lambda: _header(lambda h: h.update(shape=[-1, 5, 4])),
    "texts in the header": lambda: _header(lambda h: h.update(dict.fromkeys(h, "x"))),
    "text in the settings": lambda: _header(
        lambda h: h["settings"].update({"segmentation.threshold": "x"})
    ),
    "name of another folder": lambda: _header(lambda h: h.update(uri="../up")),
    "name with line breaks": lambda: _header(lambda h: h.update(uri="a\nb")),
    **{
        f"duration {value}": partial(_header, partial(_update, duration=value))
        for value in (None, "x", -3.0, float("nan"), 1e308)
    },
    **{
        f"{key} of {value} s": partial(_header, partial(_set_step, key, value))
        for key in ("chunks", "frames")
        for value in ("x", 0.0, -1.0, float("nan"), 1e308, 1e-308)
    },
}


def _features_cases() -> Iterator[Case]:
    recluster = ["recluster", FEATURES, "--into", "out"]
    edit = ["edit", "results/long.rttm", "--features", FEATURES, "--into", "out"]
    edit += ["--split", "SPEAKER_00"]
    for name, write in FEATURES_EDITS.items():
        yield Case("features", name, [recluster, edit], write, _refused(name))


def result_cases() -> Iterator[Case]:
    """Cases of results that commands read."""
    yield from _diarization_cases()
    yield from _transcript_cases()
    yield from _scores_cases()
    yield from _features_cases()


MANIFESTS: Mapping[str, str] = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]\n",
    "null": "null\n",
    "a number": '{"id": 3}\n',
    "another folder": '{"id": "../up", "sources": [], "sampling_rate": 8000}\n',
    "NaN": '{"id": "a", "recording_id": "a", "start": NaN, "duration": NaN}\n',
    "a command": '{"id": "a", "sources": [{"type": "command", "source": "ls"}]}\n',
}
"""Manifests of Lhotse, each as recordings and as supervisions."""


def lhotse_cases() -> Iterator[Case]:
    """Cases of manifests."""
    imported = ["import-lhotse", "recordings.jsonl", "supervisions.jsonl"]
    for name, content in MANIFESTS.items():
        for manifest in imported[1:]:
            write = partial(_write_manifests, manifest, content)
            command = [*imported, "--into", "out"]
            yield Case("Lhotse", f"{manifest}: {name}", [command], write)


def _write_manifests(name: str, content: str | bytes) -> None:
    for other in ("recordings.jsonl", "supervisions.jsonl"):
        put(other, content if other == name else "")()
