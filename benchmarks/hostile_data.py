# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile lists, annotations, protocols, Kaldi folders and speech folders."""

import gzip
import random
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from hostile_cases import Case, put

PROTOCOL = "P.SpeakerDiarization.T"
TURN = "SPEAKER good 1 {} {} <NA> <NA> {} <NA> <NA>\n"
RTTM = TURN.format("0.5", "1.5", "a") + TURN.format("1.8", "2.0", "b")
OTHER_RTTM = RTTM.replace("good", "other")
ALL_RTTM = RTTM + OTHER_RTTM
UEM = "good 1 0.0 4.0\nother 1 0.0 4.0\n"
DATABASE = """\
Databases:
  P: "{uri}.wav"
Protocols:
  P:
    SpeakerDiarization:
      T:
        scope: file
        train: {uri: train.lst, annotation: all.rttm, annotated: all.uem}
        development: {uri: development.lst, annotation: all.rttm, annotated: all.uem}
"""
COMBINED = (
    DATABASE.replace("{", "{{").replace("}", "}}")
    + """\
  X:
    SpeakerDiarization:
      Y:
        train:
          {}
"""
)
TRAIN = [
    *("train", f"protocol={PROTOCOL}", "+database=database.yml", "run=out"),
    *("model=FBankConformer", "model.attention_in=8", "model.ffn_hidden=8"),
    *("model.num_head=2", "model.num_layer=1", "model.kernel_size=3"),
    *("model.n_mels=8", "task.duration=1.0", "task.max_speakers_per_chunk=2"),
    *("task.batch_size=2", "task.batches_per_epoch=1", "task.num_workers=0"),
    *("trainer.accelerator=cpu", "trainer.devices=1", "trainer.max_epochs=1"),
    *("callbacks.chunks=null", "callbacks.curves=null"),
    *("+trainer.enable_progress_bar=false", "+trainer.enable_model_summary=false"),
]
TUNE = ["tune", "diarizen-tiny", PROTOCOL, "out.yaml", "--database", "database.yml"]
TUNE[3:4] = ["--into", "out.yaml", "--trials", "1"]
PLDA = ["plda", PROTOCOL, "--embedding", "diarizen-tiny", "--into", "out"]
PLDA += ["--database", "database.yml", "--dimension", "2"]
VALIDATE = ["validate", "database.yml"]
BENCHMARK = ["benchmark", "diarizen-tiny", PROTOCOL, "--into", "out"]
BENCHMARK += ["--database", "database.yml", "--subset", "development"]
READERS = (TRAIN, TUNE, PLDA, BENCHMARK)
SCP = "good good.wav\nother other.wav\n"


def write_template(folder: Path) -> None:
    """Write the lists of a protocol of the recordings `good` and `other`."""
    files = {
        "database.yml": DATABASE,
        "all.rttm": ALL_RTTM,
        "all.uem": UEM,
        "train.lst": "good\n",
        "development.lst": "other\n",
        "wav.scp": SCP,
        "kaldi/train/wav.scp": "good good.wav\n",
        "kaldi/train/rttm": RTTM,
        "kaldi/dev/wav.scp": "other other.wav\n",
        "kaldi/dev/rttm": OTHER_RTTM,
        "speech/utterances.tsv": UTTERANCES,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


_UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "blank lines": b"\n\n \n\t\n",
    "zero bytes": bytes(100),
    "random bytes": random.Random(4).randbytes(3000),
    "UTF-16": ALL_RTTM.encode("utf-16"),
    "gzip": gzip.compress(RTTM.encode()),
    "web page": b"<!DOCTYPE html><html><body>404</body></html>\n",
    "Latin-1": RTTM.replace(" a ", " José ").encode("latin-1"),
    "line of 1 MB": b"SPEAKER " + b"x" * 1_000_000 + b"\n",
}


def _rttm(start: str = "0.5", duration: str = "1.5", speaker: str = "a") -> str:
    return TURN.format(start, duration, speaker) + ALL_RTTM


RTTM_TEXTS: dict[str, str] = {
    **{
        f"start {value}": _rttm(start=value)
        for value in ("nan", "inf", "-1", "1e308", "-1e308", "1e-320", "0x10", "1,5")
    },
    **{
        f"duration {value}": _rttm(duration=value)
        for value in ("nan", "inf", "-1", "0", "1e308", "1e-9", "abc", "1_000", "٣")
    },
    **{
        f"speaker {value!r}": _rttm(speaker=value)
        for value in ("NA", "nan", "None", '"a', "a b", "<NA>", "[/b]", "{x}", "\x00")
    },
    "byte-order mark": "\ufeff" + ALL_RTTM,
    "CR LF": ALL_RTTM.replace("\n", "\r\n"),
    "CR": ALL_RTTM.replace("\n", "\r"),
    "no last line break": ALL_RTTM.rstrip("\n"),
    "comments": ";; made by\n" + ALL_RTTM,
    "lower case": ALL_RTTM.lower(),
    "few fields": "SPEAKER good 1 0.5\n" + ALL_RTTM,
    "many fields": RTTM.replace("<NA>\n", "<NA> <NA> <NA> <NA>\n") + OTHER_RTTM,
    "tabs": ALL_RTTM.replace(" ", "\t"),
    "form feed": RTTM + "\x0c\n" + OTHER_RTTM,
    "line separator": RTTM.replace("a <", "a\u2028 <") + OTHER_RTTM,
    "other recordings": RTTM.replace("good", "stranger"),
    "only one recording": RTTM,
    "past the end": _rttm(start="100"),
    "far past the end": _rttm(start="0", duration="1000000"),
    "the same turn twice": RTTM + ALL_RTTM,
    "10000 lines": ALL_RTTM * 2_500,
    "1000 speakers": "".join(
        TURN.format(0.5 + i / 1000, 0.5, f"s{i}") for i in range(1000)
    )
    + OTHER_RTTM,
    "other types": "SPKR-INFO good 1 <NA> <NA> <NA> unknown a <NA> <NA>\n" + ALL_RTTM,
    "JSON": '[{"start": 0.5, "end": 2, "speaker": "a"}]\n',
    "CSV": "good,0.5,2.0,a\n",
}
UEM_TEXTS: dict[str, str] = {
    "reversed": UEM.replace("0.0 4.0", "4.0 0.0"),
    "no duration": UEM.replace("0.0 4.0", "1.0 1.0"),
    "negative": UEM.replace("0.0", "-3"),
    "not a number": UEM.replace("0.0", "nan"),
    "infinite": UEM.replace("4.0", "inf"),
    "1e308": UEM.replace("4.0", "1e308"),
    "past the end": UEM.replace("4.0", "40"),
    "overlapping": UEM + UEM,
    "few fields": "good 1\n" + UEM,
    "many fields": UEM.replace("4.0", "4.0 5.0"),
    "only one recording": "good 1 0 4\n",
    "other recordings": "stranger 1 0 4\n",
    "byte-order mark": "\ufeff" + UEM,
    "CR LF": UEM.replace("\n", "\r\n"),
    "comments": ";; made by\n" + UEM,
    "outside of turns": UEM.replace("0.0 4.0", "3.9 4.0"),
    "half a frame": UEM.replace("0.0 4.0", "1.0 1.001"),
    "100000 lines": UEM * 50_000,
}
LST_TEXTS: dict[str, str] = {
    "absolute path": "/etc/passwd\n",
    "parent": "../neighbour\n",
    "stars": "*\n",
    "brackets": "[gG]ood\n",
    "braces": "{uri}\n",
    "spaces": "go od\n",
    "twice": "good\ngood\n",
    "other subset": "good\nother\n",
    "byte-order mark": "\ufeffgood\n",
    "CR LF": "good\r\n",
    "no last line break": "good",
    "suffix": "good.wav\n",
    "stranger": "stranger\n",
    "NA": "NA\n",
    "very long": "x" * 5000 + "\n",
    "emoji": "🎙\n",
    "null": "go\0od\n",
    "comment": "# recordings\ngood\n",
}
SCP_TEXTS: dict[str, str] = {
    "command": "good sox good.wav -t wav - |\n",
    "one field": "good\n",
    "missing file": "good nowhere.wav\n",
    "folder": "good kaldi\n",
    "list itself": "good wav.scp\n",
    "twice": "good good.wav\ngood other.wav\n",
    "twice the same": "good good.wav\ngood good.wav\n",
    "parent": "../up good.wav\n",
    "absolute": "/tmp/up good.wav\n",
    "dot": ". good.wav\n",
    "dot before": "good good.wav\n./good other.wav\n",
    "slash": "a/b good.wav\n",
    "backslash": "a\\b good.wav\n",
    "prefix of another": "a good.wav\na/b other.wav\n",
    "very long": "x" * 300 + " good.wav\n",
    "brackets": "a[/b] good.wav\n[bold] other.wav\n",
    "leading dash": "-rf good.wav\n",
    "NA": "NA good.wav\n",
    "quotes": "\"a\" good.wav\n'b' other.wav\n",
    "right to left": "\u202egnp good.wav\n",
    "emoji": "🎙 good.wav\n",
    "byte-order mark": "\ufeffgood good.wav\n",
    "null": "go\0od good.wav\n",
    "null in path": "good go\0od.wav\n",
    "escape": "\x1b[31mred good.wav\n",
    "finished": "finished.jsonl good.wav\n",
    "case": "Good good.wav\ngood other.wav\n",
    "composed": "re\u0301union good.wav\nr\u00e9union other.wav\n",
    "tilde": "good ~nobody/good.wav\n",
    "URL": "good https://example.com/good.wav\n",
    "10000 lines": "".join(f"x{i} nowhere{i}.wav\n" for i in range(10_000)),
}
YML: dict[str, str] = {
    "list": "- a\n- b\n",
    "text": "hello\n",
    "number": "3\n",
    "null": "null\n",
    "unclosed": "Protocols: {P: [\n",
    "tabs": DATABASE.replace("  ", "\t"),
    "Python object": "Protocols: !!python/object/apply:os.mkdir ['../harm']\n",
    "unknown tag": "Protocols: !mine {a: 1}\n",
    "recursive": "Protocols: &a\n  P: *a\n",
    "recursive list": "Databases: &a [*a]\nProtocols: {}\n",
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{new}: &{new} [{','.join(9 * [f'*{old}'])}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "Databases: {P: *i}\nProtocols: {}\n",
    "two documents": DATABASE + "---\n" + DATABASE,
    "key twice": DATABASE + "Protocols: {}\n",
    "no protocols": DATABASE.split("Protocols")[0],
    "no databases": "Protocols" + DATABASE.split("Protocols")[1],
    "requires itself": "Requirements: database.yml\n" + DATABASE,
    "requires nothing there": "Requirements: nowhere.yml\n" + DATABASE,
    "requires a folder": "Requirements: kaldi\n" + DATABASE,
    "requires a number": "Requirements: 3\n" + DATABASE,
    "template with another key": DATABASE.replace("{uri}.wav", "{file}.wav"),
    "template with an attribute": DATABASE.replace("{uri}", "{uri.__class__}"),
    "template with a width": DATABASE.replace("{uri}", "{uri:>999999999}"),
    "unclosed template": DATABASE.replace("{uri}", "{uri"),
    "template without a key": DATABASE.replace("{uri}.wav", "good.wav"),
    "template of all": DATABASE.replace("{uri}.wav", "**/{uri}.*"),
    "template of other formats": DATABASE.replace("{uri}.wav", "{uri}.*"),
    "number as template": DATABASE.replace('"{uri}.wav"', "3"),
    "lists of files": DATABASE.replace("train.lst", "[train.lst]"),
    "number as file": DATABASE.replace("train.lst", "3"),
    "null as file": DATABASE.replace("train.lst", "null"),
    "boolean as file": DATABASE.replace("all.rttm", "yes"),
    "date as file": DATABASE.replace("all.rttm", "2024-02-31"),
    "missing list": DATABASE.replace("train.lst", "nowhere.lst"),
    "folder as list": DATABASE.replace("train.lst", "kaldi"),
    "folder as RTTM": DATABASE.replace("all.rttm", "folder.rttm"),
    "audio as RTTM": DATABASE.replace("all.rttm", "good.wav"),
    "unknown suffix": DATABASE.replace("all.rttm", "all.eaf"),
    "no annotation": DATABASE.replace("annotation: all.rttm, ", ""),
    "no uri": DATABASE.replace("uri: train.lst, ", ""),
    "old spelling": DATABASE.replace("uri: ", "uris: "),
    "misspelt": DATABASE.replace("annotated", "anotated"),
    "dev": DATABASE.replace("development:", "dev:"),
    "Train": DATABASE.replace("train:", "Train:"),
    "subset is a text": DATABASE.split("train: {")[0] + "train: train.lst\n",
    "subset is empty": DATABASE.split("train: {")[0] + "train:\n",
    "scope": DATABASE.replace("scope: file", "scope: files"),
    "scope is a list": DATABASE.replace("scope: file", "scope: [file]"),
    "unknown task": DATABASE.replace("SpeakerDiarization", "Diarisation"),
    "dot in a name": DATABASE.replace("T:", "T.x:"),
    "number as name": DATABASE.replace("T:", "3:"),
    "null as name": DATABASE.replace("T:", "null:"),
    "X of itself": COMBINED.format("X.SpeakerDiarization.Y: [train]"),
    "X of nothing there": COMBINED.format("Q.SpeakerDiarization.Y: [train]"),
    "X with a text": COMBINED.format(f"{PROTOCOL}: train"),
    "X twice": COMBINED.format(f"{PROTOCOL}: [train, train]"),
}
UTTERANCES = "source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\n" + "".join(
    f"s\t{speaker}\t{split}\t../good.wav\t{start}\t16000\n"
    for split in ("train", "dev")
    for start, speaker in ((12000, f"a{split}"), (28000, f"b{split}"))
)
TSV: dict[str, str | bytes] = {
    "no header": UTTERANCES.split("\n", 1)[1],
    "only header": UTTERANCES.split("\n")[0] + "\n",
    "commas": UTTERANCES.replace("\t", ","),
    "negative start": UTTERANCES.replace("12000", "-1"),
    "no samples": UTTERANCES.replace("16000", "0"),
    "past the end": UTTERANCES.replace("16000", "999999999"),
    "huge number": UTTERANCES.replace("12000", "9" * 400),
    "digits of other scripts": UTTERANCES.replace("12000", "²"),
    "missing file": UTTERANCES.replace("good.wav", "nowhere.wav"),
    "other format": UTTERANCES.replace("../good.wav", "utterances.tsv"),
    "empty speaker": UTTERANCES.replace("atrain", ""),
    "few columns": UTTERANCES + "s\ta\n",
    "one split": UTTERANCES.replace("dev", "test"),
    "Latin-1": UTTERANCES.replace("atrain", "José").encode("latin-1"),
    "null": UTTERANCES.replace("atrain", "a\0"),
    "quotes": UTTERANCES.replace("atrain", '"a'),
    "field of 200 kB": UTTERANCES.replace("atrain", "a" * 200_000),
    "random bytes": random.Random(5).randbytes(3000),
}


def _protocol_cases(
    kind: str, file: str, contents: Mapping[str, str | bytes]
) -> Iterator[Case]:
    """Cases of a file of the protocol: `validate`, then one of the other commands."""
    for number, (name, content) in enumerate(contents.items()):
        # the only subset that all kinds of files are part of
        reader = READERS[number % len(READERS)]
        subset = ["--subset", "train"] if reader in (TUNE, BENCHMARK) else []
        commands = [VALIDATE, [*reader, *subset]]
        if file == "all.rttm" and number % 3 == 1:
            commands.append(
                ["simulate", "speech", "out", "--num", "1", "--num-development", "0"]
            )
            commands[-1] += ["--turns", "all.rttm", "--duration", "5"]
        writes = put(file, content)
        yield Case(kind, name, commands, writes, one_judge=True)


def data_cases() -> Iterator[Case]:
    """Cases of lists, annotations and protocols."""
    readers = [VALIDATE, TRAIN, TUNE, BENCHMARK]  # two speakers make no PLDA
    yield Case("protocol", "without a fault", readers, refused=False)
    texts = {"RTTM": RTTM_TEXTS, "UEM": UEM_TEXTS, "list": LST_TEXTS}
    files = {"RTTM": "all.rttm", "UEM": "all.uem", "list": "train.lst"}
    for kind, some in texts.items():
        yield from _protocol_cases(kind, files[kind], {**some, **_UNREADABLE})
    for number, (name, text) in enumerate(YML.items()):
        chosen = "X.SpeakerDiarization.Y" if name.startswith("X ") else PROTOCOL
        reader = READERS[number % len(READERS)]
        typed = [each.replace(PROTOCOL, chosen) for each in reader]
        yield Case("database.yml", name, [VALIDATE, typed], put("database.yml", text))
    for name, content in _UNREADABLE.items():
        commands = [VALIDATE, TRAIN]
        yield Case("database.yml", name, commands, put("database.yml", content), True)


def list_cases() -> Iterator[Case]:
    """Cases of `wav.scp`, Kaldi folders and speech folders."""
    simulate = ["simulate", "speech", "out", "--num", "1", "--num-development", "1"]
    simulate += ["--duration", "5", "--speakers", "1", "2"]
    yield Case("speech", "without a fault", [simulate], refused=False)
    for name, content in TSV.items():
        write = put("speech/utterances.tsv", content)
        refused = None if name in ("quotes", "field of 200 kB", "null") else True
        yield Case("speech", name, [simulate], write, refused, "utterances.tsv")
    convert = ["import-kaldi", "kaldi", "--into", "out"]
    yield Case("Kaldi", "without a fault", [convert], refused=False)
    link = ["link", "wav.scp", "--into", "out"]
    identify = ["identify", "wav.scp", "--into", "out", "--voiceprints", "voices.npz"]
    scps: dict[str, str | bytes] = {**SCP_TEXTS, **_UNREADABLE}
    for number, (name, content) in enumerate(scps.items()):
        commands = [
            ["validate", "wav.scp"],
            ["apply", "wav.scp", "--into", "out"],
            ["apply", "wav.scp"],
            (link, identify)[number % 2],
        ]
        if name == "10000 lines":
            commands = commands[:2]
        yield Case("wav.scp", name, commands, put("wav.scp", content))
        write = partial(_write_kaldi, content)
        yield Case("Kaldi", f"wav.scp: {name}", [convert], write)
    rttms: dict[str, str | bytes] = {**RTTM_TEXTS, **_UNREADABLE}
    for name, content in rttms.items():
        if name.startswith(("start", "duration", "speaker", "line")):
            write = put("kaldi/train/rttm", content)
            yield Case("Kaldi", f"rttm: {name}", [convert], write)


def _write_kaldi(content: str | bytes) -> None:
    put("kaldi/train/wav.scp", content)()
    if isinstance(content, str):
        uris = [line.split()[0] for line in content.split("\n") if line.split()][:5]
        lines = [RTTM.replace("good", uri) for uri in uris]
        Path("kaldi/train/rttm").write_text("".join(lines), encoding="utf-8")
