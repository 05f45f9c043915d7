# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile names of files and speakers, arguments, and places to write to."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hostile_cases import OUTPUTS, Case, full_disk
from hostile_data import BENCHMARK, PLDA, RTTM, TRAIN, TUNE

NAMES = (
    *("a b", "a  b", " a", "a\tb", "a\nb", "a\rb", "a\x0cb", "a\u2028b", "a\x1b[31mb"),
    *("-a", "--into", "..a", "...", "~", "~root", "$HOME", "`id`", "a;b", "a|b", "a&b"),
    *("a'b", 'a"b', "[bold]a", "a[/b]", "a[1]", "a*b", "a?b", "{uri}", "%s", "a%00b"),
    *("NA", "nan", "None", "null", "<NA>", "#N/A", "réunion", "re\u0301union", "🎙"),
    *("\u202egnp", "\u200b", "\ufeffa", "名前", "x" * 251, "é" * 125, "CON"),
    *("a:b", "\\"),
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
ARGUMENTS = Path(__file__).with_name("hostile_arguments.txt")
"""Arguments that must be refused, one command a line."""
NAMED = {"TUNE": TUNE, "PLDA": PLDA, "BENCHMARK": BENCHMARK}
ALLOWED = ("apply ''",)
"""An empty path is the current folder."""
OVERRIDES = (
    *("protocol=A.B.C", "protocol=", "protocol=null", "protocol=3"),
    *("+database=nowhere", "+database=kaldi", "run=good.wav", "run=good.wav/x"),
    *("seed=x", "seed=-1", "seed=99999999999999999999", "model=Nonsense"),
    *("model.nonsense=1", "task=Nonsense", "model.attention_in=0"),
    *("model.attention_in=-8", "model.attention_in=x", "model.num_head=3"),
    *("model.num_layer=0", "model.kernel_size=2", "model.n_mels=0", "task.duration=0"),
    *("task.duration=-1", "task.duration=nan", "task.duration=1e9", "task.duration=x"),
    *("task.batch_size=0", "task.batch_size=-1", "task.batch_size=x"),
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
    *("task.duration=${nonsense}", "task.duration=???", "~task", "~protocol"),
    *("train=x", "gradient_checkpointing=x", "backbone.frozen=true"),
    *("+trainer.fast_dev_run=x", "task._target_=os.mkdir", "model._target_=os.system"),
    *("hydra.run.dir=/proc/x", "--config-name=x", "--nonsense", "-m", "run=/proc/x"),
    "+trainer.limit_val_batches=x",
)
"""Options of `pyannote-audio-train` that must be refused, or do no harm."""


def _typed(line: str) -> list[str]:
    complete = line.format(**{name: " ".join(each) for name, each in NAMED.items()})
    return ["" if each == "''" else each for each in complete.split()]


def argument_cases() -> Iterator[Case]:
    """Cases of arguments."""
    for line in ARGUMENTS.read_text(encoding="utf-8").splitlines():
        refused = None if line in ALLOWED else True
        yield Case("arguments", line[-60:], [_typed(line)], refused=refused)
    for option in OVERRIDES:
        key = option.split("=")[0].lstrip("+")
        kept = [each for each in TRAIN if each.lstrip("+").split("=")[0] != key]
        if key in ("model", "task"):
            kept = [each for each in kept if not each.startswith(f"{key}.")]
        yield Case("options of training", option, [[*kept, option]])


_SMALL = ("apply", "edit", "fuse", "import-kaldi", "recluster")
"""Commands whose files may fit on a disk that is nearly full."""


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
        BENCHMARK,
        ["edit", "all.rttm", "--uri", "good", "--rename", "a=c", "--into", "out"],
        ["fuse", "all.rttm", "all.rttm", "--into", "out"],
        ["show", _GOOD, "all.rttm", "--into", "out.html"],
        ["recluster", "features", "--into", "out"],
    ]
    for command in commands:
        name = " ".join(command[:3])
        # a small file fits
        refused = None if command[0] in _SMALL else True
        if command is not BENCHMARK:  # which keeps the recordings that are finished
            yield Case("full disk", name, [command], refused=refused, around=full_disk)
        typed = [OUTPUTS.sub("/proc/out", each) for each in command]
        yield Case("read-only folder", name, [typed], refused=True)
