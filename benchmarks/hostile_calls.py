# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile names of files and speakers, arguments, and places to write to."""

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hostile_cases import Case, full_disk
from hostile_data import PLDA, RTTM, TRAIN, TUNE

NAMES = (
    *("a b", "a  b", " a", "a\tb", "a\nb", "a\rb", "a\x0cb", "a\u2028b", "a\x1b[31mb"),
    *("-a", "--into", "..a", "...", "~", "~root", "$HOME", "`id`", "a;b", "a|b", "a&b"),
    *("a'b", 'a"b', "[bold]a", "a[/b]", "a[1]", "a*b", "a?b", "{uri}", "%s", "a%00b"),
    *("NA", "nan", "None", "null", "<NA>", "#N/A", "réunion", "re\u0301union", "🎙"),
    *(
        "\u202egnp",
        "\u200b",
        "\ufeffa",
        "名前",
        "x" * 251,
        "é" * 125,
        "CON",
        "a:b",
        "\\",
    ),
    *("unknown_1", "unknown", "SPEAKER_00", "0", "1e5", "a,b", "a=b", "\udcff", "a\\b"),
)
"""Names of recordings and speakers."""


def _copy(name: str) -> None:
    Path(f"{name}.wav").parent.mkdir(exist_ok=True)
    shutil.copy("good.wav", f"{name}.wav")


def _protocol_of(name: str) -> None:
    _copy(name)
    encoded = os.fsencode(name)
    Path("train.lst").write_bytes(encoded + b"\n")
    rttm = RTTM.encode().replace(b"good", encoded)
    Path("all.rttm").write_bytes(rttm + RTTM.replace("good", "other").encode())
    uem = b"%s 1 0 4\nother 1 0 4\n" % encoded
    Path("all.uem").write_bytes(uem)


def name_cases() -> Iterator[Case]:
    """Cases of names."""
    enrol = ["enrol", "--into", "out.npz", "--name"]
    for number, name in enumerate(NAMES):
        file = f"./{name}.wav"
        commands = [
            ["apply", file, "--into", "out"],
            ["link", file, "good.wav", "--into", "out"],
            ["enrol", file, "--into", "out.npz"],
            ["validate", file],
        ]
        chosen = [commands[0], commands[1 + number % 3]]
        yield Case("name", repr(name)[:40], chosen, partial(_copy, name))
        chosen = [[*enrol, name, "good.wav"]]
        yield Case("name", f"speaker {name!r}"[:40], chosen)
        if number % 2:
            reader = TRAIN if number % 4 == 1 else TUNE
            yield Case(
                "name",
                f"protocol of {name!r}"[:40],
                [["validate", "database.yml"], reader],
                partial(_protocol_of, name),
                one_judge=True,
            )


_GOOD = "good.wav"
_OUTPUT = re.compile(r"(?:^|(?<==))out(?=\.|$)")
ARGUMENTS: tuple[str, ...] = (
    "apply",
    "apply nowhere",
    "apply nowhere.scp",
    "apply good.wav nowhere.wav",
    "apply ''",
    "apply kaldi",
    "apply database.yml",
    "apply good.wav --num-speakers 0",
    "apply good.wav --num-speakers -1",
    "apply good.wav --num-speakers two",
    "apply good.wav --num-speakers 1.5",
    "apply good.wav --num-speakers 99999999999999999999",
    "apply good.wav --min-speakers 5 --max-speakers 2",
    "apply good.wav --num-speakers 2 --max-speakers 1",
    "apply good.wav --expected-speakers nan",
    "apply good.wav --expected-speakers inf",
    "apply good.wav --expected-speakers -3",
    "apply good.wav --expected-speakers 0",
    "apply good.wav --channel -1",
    "apply good.wav --channel 1",
    "apply good.wav --channel 99999999999999999999",
    "apply good.wav --device gpu",
    "apply good.wav --device cuda:99",
    "apply good.wav --device meta",
    "apply good.wav --device ''",
    "apply good.wav --pipeline nowhere",
    "apply good.wav --pipeline nowhere/config.yaml",
    "apply good.wav --pipeline good.wav",
    "apply good.wav --pipeline database.yml",
    "apply good.wav --pipeline kaldi",
    "apply good.wav --pipeline ''",
    "apply good.wav --pipeline a/b/c",
    "apply good.wav --pipeline ../here",
    "apply good.wav --pipeline https://example.com/a",
    "apply good.wav --pipeline pyannote/nothing-of-that-name",
    "apply good.wav --preset meeting",
    "apply good.wav --preset ../x",
    "apply good.wav --preset ''",
    "apply good.wav --into good.wav",
    "apply good.wav --into good.wav/x",
    "apply good.wav --evidence good.wav",
    "apply good.wav --nonsense",
    "apply good.wav --into",
    "link good.wav",
    "link good.wav --into out --prior 2",
    "link good.wav --into out --prior nan",
    "link good.wav --into out --plda nowhere",
    "link good.wav --into out --plda good.wav",
    "link good.wav --into good.wav",
    "link good.wav --into out --voiceprints nowhere.npz",
    "link good.wav --into out --num-speakers 0",
    "identify good.wav --voiceprints nowhere.npz",
    "identify good.wav --voiceprints good.wav",
    "identify good.wav --unknown 1.5",
    "identify good.wav --min-probability 2",
    "enrol",
    "enrol nowhere.wav",
    "enrol good.wav --name ''",
    "enrol good.wav --name unknown_3 --into out.npz",
    "enrol --forget a --into nowhere.npz",
    "enrol good.wav --into kaldi",
    "enrol good.wav --into good.wav/x.npz",
    "enrol good.wav --channel 7 --into out.npz",
    "validate",
    "validate nowhere",
    "validate good.wav nowhere.rttm",
    "validate A.B.C",
    "validate P.SpeakerDiarization.Q --database database.yml",
    "validate P.SpeakerDiarization.T --database nowhere.yml",
    "validate P.SpeakerDiarization.T --database kaldi",
    "validate database.yml --root nowhere",
    "validate good.wav --limit 0",
    "validate speech/utterances.tsv",
    "convert diarizen-tiny good.wav",
    "convert diarizen-tiny kaldi",
    "convert diarizen-tiny good.wav/x",
    "convert diarizen-tiny out --to other",
    "convert diarizen-tiny out --embedding good.wav",
    "convert diarizen-tiny out --revision v1",
    "convert diarizen-tiny ''",
    "convert good.wav out",
    "download nowhere out",
    "download pyannote/nothing-of-that-name out",
    "download kaldi out",
    "export diarizen-tiny",
    "export diarizen-tiny --into out --to nonsense",
    "export diarizen-tiny --into good.wav --to safetensors",
    "export diarizen-tiny --into out --to torchscript --precision int8",
    "export diarizen-tiny --into out --to safetensors --precision float99",
    "export good.wav --into out",
    "export nowhere --into out",
    "simulate nowhere out",
    "simulate speech good.wav",
    "simulate speech out --num 0",
    "simulate speech out --duration nan",
    "simulate speech out --duration -5",
    "simulate speech out --duration inf",
    "simulate speech out --duration 0",
    "simulate speech out --speakers 3 1",
    "simulate speech out --speakers 0 0",
    "simulate speech out --speakers 90 99 --num 1",
    "simulate speech out --noise nowhere",
    "simulate speech out --noise kaldi",
    "simulate speech out --turns good.wav",
    "simulate speech out --seed -1",
    "simulate speech out --cache good.wav",
    "import-kaldi nowhere",
    "import-kaldi speech",
    "import-kaldi good.wav",
    "import-kaldi kaldi --into good.wav",
    "import-kaldi kaldi --into out --name a.b",
    "import-kaldi kaldi --into out --name ''",
    "import-kaldi kaldi --into out --scope all",
    "report nowhere",
    "report kaldi",
    "report good.wav",
    "average kaldi",
    "average outrun --best 1 --last 1",
    "average outrun --best 99 --into out",
    "average outrun --metric nonsense --into out",
    "average outrun --metric epoch --best 0",
    "average outrun --best 1 --into good.wav",
    "package kaldi out",
    "package good.wav out",
    "package outrun kaldi",
    "package outrun out --pipeline nowhere",
    "package outrun out --embedding good.wav",
    "prune nowhere --into out",
    "prune diarizen-tiny --into out",
    "prune outrun --into out --sparsity 2",
    "prune outrun --into out --sparsity nan",
    "prune outrun --into out --method magic",
    "prune outrun --into out --recipe nonsense",
    "prune outrun --into out",
    "prune good.wav --into out",
    "plda P.SpeakerDiarization.T --into out",
    "plda A.B.C --embedding diarizen-tiny --into out",
    f"{' '.join(PLDA)} --duration 4 1",
    f"{' '.join(PLDA)} --duration nan 1",
    f"{' '.join(PLDA)} --duration 0 0",
    f"{' '.join(PLDA)} --subset nonsense",
    f"{' '.join(PLDA)} --evaluate nonsense",
    f"{' '.join(PLDA)} --adapt diarizen-tiny",
    f"{' '.join(PLDA[:-2])} --dimension 9999",
    f"{' '.join(PLDA[:-2])} --adapt kaldi",
    f"{' '.join(PLDA[:-2])} --adapt diarizen-tiny --weight 2",
    f"{' '.join(PLDA).replace('--embedding diarizen-tiny', '--embedding good.wav')}",
    "tune diarizen-tiny A.B.C --into out.yaml",
    "tune diarizen-tiny P.SpeakerDiarization.T --into out.txt",
    f"{' '.join(TUNE)} --trials 0",
    f"{' '.join(TUNE)} --subset nonsense",
    f"{' '.join(TUNE)} --subset test",
    f"{' '.join(TUNE)} --storage good.wav",
    f"{' '.join(TUNE)} --storage kaldi",
    f"{' '.join(TUNE)} --storage mysql://nowhere/x",
    f"{' '.join(TUNE)} --storage nonsense://x",
    f"{' '.join(TUNE)} --storage out.sqlite --sampler magic",
    f"{' '.join(TUNE)} --into database.yml",
    f"{' '.join(TUNE)} --into kaldi",
    f"{' '.join(TUNE)} --into good.wav/x.yaml",
    f"{' '.join(TUNE)} --seed -1",
    "profile nowhere.wav",
    "profile good.wav --against nonsense",
    "profile good.wav --pipeline nowhere",
    "profile kaldi",
    "doctor nowhere",
    "doctor good.wav",
    "doctor kaldi",
    "doctor pyannote/nothing-of-that-name",
    "doctor --config nowhere.yaml",
    "doctor --config database.yml",
    "doctor --config kaldi",
    "doctor --config good.wav",
    "demo --pipeline nowhere",
    "demo --device gpu",
    "nonsense",
    "--nonsense",
)
"""Arguments that must be refused."""
ALLOWED = ("apply ''",)
"""An empty path is the current folder."""
OVERRIDES = (
    *(
        "protocol=A.B.C",
        "protocol=",
        "protocol=null",
        "protocol=3",
        "+database=nowhere",
    ),
    *("+database=kaldi", "run=good.wav", "run=good.wav/x", "seed=x", "seed=-1"),
    *(
        "seed=99999999999999999999",
        "model=Nonsense",
        "model.nonsense=1",
        "task=Nonsense",
    ),
    *("model.attention_in=0", "model.attention_in=-8", "model.attention_in=x"),
    *("model.num_head=3", "model.num_layer=0", "model.kernel_size=2", "model.n_mels=0"),
    *("task.duration=0", "task.duration=-1", "task.duration=nan", "task.duration=1e9"),
    *(
        "task.duration=x",
        "task.batch_size=0",
        "task.batch_size=-1",
        "task.batch_size=x",
    ),
    *("task.num_workers=-1", "task.num_workers=x", "task.max_speakers_per_chunk=0"),
    *("task.max_speakers_per_chunk=99", "task.max_speakers_per_frame=5"),
    *("task.batches_per_epoch=0", "task.batches_per_epoch=-1", "optimizer.lr=-1"),
    *("optimizer.lr=x", "optimizer.lr=nan", "optimizer=Nonsense", "scheduler=nonsense"),
    *("trainer.max_epochs=-5", "trainer.max_epochs=x", "trainer.accelerator=abacus"),
    *("trainer.devices=0", "trainer.devices=x", "trainer.precision=3", "trainer=x"),
    *("+trainer.nonsense=1", "+nonsense=1", "nonsense", "+pretrained=nowhere"),
    *("+pretrained=good.wav", "+pretrained=kaldi", "+resume=nowhere.ckpt"),
    *("+resume=good.wav", "validate=true", "patience=x", "max_crowded=x", "a=b=c"),
    *("callbacks=nonsense", "+callbacks.x=1", "augmentation=nonsense", "backbone.lr=x"),
    *("simulator=speech", "distillation=teacher", "distillation=wavlm", "[", "=", "{"),
    *(
        "task.duration=${nonsense}",
        "task.duration=???",
        "~task",
        "~protocol",
        "train=x",
    ),
    *("gradient_checkpointing=x", "backbone.frozen=true", "+trainer.fast_dev_run=x"),
    *("task._target_=os.mkdir", "model._target_=os.system", "hydra.run.dir=/proc/x"),
    *(
        "--config-name=x",
        "--nonsense",
        "-m",
        "run=/proc/x",
        "+trainer.limit_val_batches=x",
    ),
)
"""Options of `pyannote-audio-train` that must be refused, or do no harm."""


def _typed(line: str) -> list[str]:
    return ["" if each == "''" else each for each in line.split()]


def argument_cases() -> Iterator[Case]:
    """Cases of arguments."""
    for line in ARGUMENTS:
        refused = None if line in ALLOWED else True
        yield Case("arguments", line[-60:], [_typed(line)], refused=refused)
    for option in OVERRIDES:
        key = option.split("=")[0].lstrip("+")
        kept = [each for each in TRAIN if each.lstrip("+").split("=")[0] != key]
        if key in ("model", "task"):
            kept = [each for each in kept if not each.startswith(f"{key}.")]
        yield Case("options of training", option, [[*kept, option]])


def place_cases() -> Iterator[Case]:
    """Cases of places where nothing can be written."""
    commands = [
        ["apply", _GOOD, "--into", "out"],
        ["apply", _GOOD, "--into", "out", "--evidence", "out"],
        ["link", _GOOD, "--into", "out", "--remember", "out.npz"],
        ["enrol", _GOOD, "--into", "out.npz"],
        ["convert", "diarizen-tiny", "out"],
        ["export", "diarizen-tiny", "--into", "out", "--to", "safetensors"],
        ["import-kaldi", "kaldi", "--into", "out"],
        ["simulate", "speech", "out", "--num", "1", "--duration", "5"],
        ["average", "outrun", "--best", "1", "--into", "out"],
        ["package", "outrun", "out"],
        PLDA,
        TUNE,
        TRAIN,
    ]
    for command in commands:
        name = " ".join(command[:3])
        # a small file fits
        refused = None if command[0] in ("apply", "import-kaldi") else True
        yield Case("full disk", name, [command], refused=refused, around=full_disk)
        typed = [_OUTPUT.sub("/proc/out", each) for each in command]
        yield Case("read-only folder", name, [typed], refused=True)
