# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile pipelines, checkpoints, PLDAs, voiceprints, configurations and runs."""

import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hostile_cases import Case, cut, edit_arrays, flip, put
from hostile_data import TRAIN
from safetensors.torch import save_file

from pyannote_diarizen.hub.bundled import bundled_folder

SEGMENTATION = "broken/segmentation/pytorch_model.bin"
EMBEDDING = "broken/embedding/pytorch_model.bin"
PLDA = "broken/plda/plda.npz"
CONFIG = "broken/config.yaml"


class Harmful:
    """Object whose pickle makes a folder."""

    def __reduce__(self) -> tuple:
        """Run code when it is read."""
        return os.mkdir, ("../harm",)


def _pipeline(edit: Callable[[], Any]) -> Callable[[], None]:
    """Copy the bundled pipeline to `broken`, then change it."""

    def write() -> None:
        shutil.copytree(bundled_folder(), "broken")
        edit()

    return write


def _change(name: str, edit: Callable[[bytes], bytes]) -> None:
    Path(name).write_bytes(edit(Path(name).read_bytes()))


def _folder_instead(name: str) -> None:
    Path(name).unlink()
    Path(name).mkdir()


def _weights(name: str, edit: Callable[[dict], Any]) -> None:
    content = torch.load(name, weights_only=False)
    changed = edit(content)
    torch.save(content if changed is None else changed, name)


def _state(name: str, edit: Callable[[dict], Any]) -> None:
    _weights(name, lambda content: edit(content["state_dict"]))


def _first(edit: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict], None]:
    """Change the first weight of more than one dimension."""

    def change(state: dict) -> None:
        name = next(key for key, value in state.items() if value.ndim > 1)
        state[name] = edit(state[name])

    return change


def _architecture(content: dict, **values: Any) -> dict:
    content["pyannote.audio"]["architecture"].update(values)
    return content


DAMAGED_FILES: dict[str, Callable[[str], Any]] = {
    "cut": partial(_change, edit=partial(cut, share=0.5)),
    "empty": lambda name: put(name, b"")(),
    "web page": lambda name: put(name, b"<!DOCTYPE html>")(),
    "text": lambda name: put(name, "hello")(),
    "flipped": partial(_change, edit=partial(flip, seed=6, num=30)),
    "gone": lambda name: Path(name).unlink(),
    "folder": _folder_instead,
    "pickle": lambda name: put(name, pickle.dumps(Harmful()))(),
}
"""What may happen to any binary file."""
WEIGHTS: dict[str, Callable[[str], Any]] = {
    **DAMAGED_FILES,
    "code": lambda name: _weights(name, lambda c: c.update(hook=Harmful())),
    "list": lambda name: _weights(name, lambda _: [1, 2]),
    "tensor": lambda name: _weights(name, lambda _: torch.zeros(3)),
    "empty dictionary": lambda name: _weights(name, lambda _: {}),
    "numbers as keys": lambda name: _weights(name, lambda _: {1: torch.zeros(3)}),
    "no weights": lambda name: _weights(name, lambda c: c.pop("state_dict") and None),
    "texts as weights": lambda name: _state(
        name, lambda s: s.update(dict.fromkeys(s, "x"))
    ),
    "key missing": lambda name: _state(
        name, lambda s: s.pop(next(iter(s))) is None or None
    ),
    "key unknown": lambda name: _state(name, lambda s: s.update(x=torch.zeros(1))),
    "other shape": lambda name: _state(name, _first(lambda x: x[:1])),
    "complex numbers": lambda name: _state(name, _first(lambda x: x + 1j)),
    "NaN": lambda name: _state(name, _first(lambda x: x * torch.nan)),
    "unknown module": lambda name: _weights(
        name, lambda c: _architecture(c, module="nowhere.x")
    ),
    "dangerous module": lambda name: _weights(
        name,
        lambda c: _architecture(
            c | {"hyper_parameters": {"path": "../harm"}},
            **{"module": "os", "class": "mkdir"},
        ),
    ),
    "unknown class": lambda name: _weights(
        name, lambda c: _architecture(c, **{"class": "X"})
    ),
    "number as class": lambda name: _weights(
        name, lambda c: _architecture(c, **{"class": 3})
    ),
    "unknown hyper-parameter": lambda name: _weights(
        name, lambda c: c["hyper_parameters"].update(nonsense=1)
    ),
    "text as hyper-parameter": lambda name: _weights(
        name, lambda c: c["hyper_parameters"].update(num_channels="one")
    ),
    "hyper-parameters are a list": lambda name: _weights(
        name, lambda c: c.update(hyper_parameters=[1])
    ),
    "no description": lambda name: _weights(
        name, lambda c: c.pop("pyannote.audio") and None
    ),
}
MAY_RUN = ("flipped", "NaN", "complex numbers", "unknown hyper-parameter")
"""What may go unnoticed, or changes nothing."""


_arrays = partial(edit_arrays, PLDA)
PLDAS: dict[str, Callable[[], Any]] = {
    "cut": partial(DAMAGED_FILES["cut"], PLDA),
    "empty": put(PLDA, b""),
    "folder": partial(_folder_instead, PLDA),
    "array missing": lambda: _arrays(lambda a: a.pop("mu")),
    "other shape": lambda: _arrays(lambda a: a.update(mu=np.zeros(3))),
    "no dimensions": lambda: _arrays(lambda a: a.update(mu=np.float64(3))),
    "NaN": lambda: _arrays(lambda a: a.update(psi=a["psi"] * np.nan)),
    "negative": lambda: _arrays(lambda a: a.update(psi=-a["psi"])),
    "texts": lambda: _arrays(lambda a: a.update(mu=np.array(["x"] * len(a["mu"])))),
    "code": lambda: _arrays(lambda a: a.update(mu=np.array([Harmful()]))),
    "complex numbers": lambda: _arrays(lambda a: a.update(mu=a["mu"] + 1j)),
}


def _config(edit: Callable[[dict], Any]) -> None:
    content = yaml.safe_load(Path(CONFIG).read_text())
    changed = edit(content)
    Path(CONFIG).write_text(yaml.safe_dump(content if changed is None else changed))


def _params(**values: Any) -> Callable[[], None]:
    return lambda: _config(lambda c: c["pipeline"]["params"].update(values))


def _clustering(**values: Any) -> Callable[[], None]:
    return lambda: _config(lambda c: c["params"]["clustering"].update(values))


CONFIGS: dict[str, Callable[[], Any]] = {
    "empty": put(CONFIG, ""),
    "not YAML": put(CONFIG, "pipeline: ["),
    "list": put(CONFIG, "- 1\n"),
    "text": put(CONFIG, "hello"),
    "bytes": put(CONFIG, bytes(range(256))),
    "Python object": put(
        CONFIG, "pipeline: !!python/object/apply:os.mkdir ['../harm']"
    ),
    "pipeline is a text": put(CONFIG, "pipeline: DiariZen\n"),
    "name is a number": lambda: _config(lambda c: c["pipeline"].update(name=3)),
    "unknown name": lambda: _config(lambda c: c["pipeline"].update(name="a.b.C")),
    "name without a dot": lambda: _config(lambda c: c["pipeline"].update(name="C")),
    "dangerous name": lambda: _config(
        lambda c: c["pipeline"].update(name="os.mkdir", params={"path": "../harm"})
    ),
    "params are a list": lambda: _config(lambda c: c["pipeline"].update(params=[1])),
    "no params": lambda: _config(lambda c: c["pipeline"].pop("params") and None),
    "unknown option": _params(medianfilter=3),
    "median filter": _params(median_filter=4),
    "median filter is a text": _params(median_filter="three"),
    "step 0": _params(segmentation_step=0),
    "step is a text": _params(segmentation_step="a tenth"),
    "step NaN": _params(segmentation_step=float("nan")),
    "batch size 0": _params(segmentation_batch_size=0),
    "batch size -1": _params(embedding_batch_size=-1),
    "batch size is a text": _params(embedding_batch_size="32"),
    "channel": _params(channel="left"),
    "mode": _params(embedding_mode="fast"),
    "compatibility": _params(compatibility="old"),
    "unknown clustering": _params(clustering="Spectral"),
    "clustering is a list": _params(clustering=["vbx"]),
    "clustering options": _params(clustering_options={"nonsense": 1}),
    "clustering options are a text": _params(clustering_options="evidence"),
    "number by": _params(clustering_options={"number_by": "guess"}),
    "segmentation gone": _params(segmentation="$model/nowhere"),
    "segmentation is null": _params(segmentation=None),
    "segmentation is a list": _params(segmentation=["$model/segmentation"]),
    "embedding as segmentation": _params(segmentation="$model/embedding"),
    "segmentation as embedding": _params(embedding="$model/segmentation"),
    "parent": _params(segmentation="../../../../../etc/passwd"),
    "threshold is a text": _clustering(threshold="low"),
    "threshold NaN": _clustering(threshold=float("nan")),
    "threshold 1e308": _clustering(threshold=1e308),
    "Fa negative": _clustering(Fa=-1.0),
    "Fb 0": _clustering(Fb=0.0),
    "unknown hyper-parameter": _clustering(Fc=1.0),
    "hyper-parameters are a text": lambda: _config(lambda c: c.update(params="x")),
    "preprocessors of a class that is not there": lambda: _config(
        lambda c: c.update(preprocessors={"audio": {"name": "a.b.C"}})
    ),
    "dangerous preprocessors": lambda: _config(
        lambda c: c.update(
            preprocessors={"a": {"name": "os.mkdir", "params": {"path": "../harm"}}}
        )
    ),
    "preprocessors as class names": lambda: _config(
        lambda c: c.update(
            preprocessors={"audio": "pyannote_diarizen.audio.reader.AudioReader"}
        )
    ),
    "preprocessors are a number": lambda: _config(lambda c: c.update(preprocessors=3)),
    "dependencies": lambda: _config(
        lambda c: c.update(dependencies={"nowhere": "1.0"})
    ),
    "dependencies are a text": lambda: _config(lambda c: c.update(dependencies="x")),
}


def pipeline_cases() -> Iterator[Case]:
    """Cases of broken pipelines."""
    apply = ["apply", "good.wav", "--into", "out", "--pipeline", "broken"]
    others = [
        ["convert", "broken", "out"],
        ["export", "broken", "--into", "out", "--to", "safetensors"],
        ["link", "good.wav", "--into", "out", "--pipeline", "broken"],
        ["enrol", "good.wav", "--into", "out.npz", "--pipeline", "broken"],
        ["package", SEGMENTATION, "out", "--pipeline", "broken"],
    ]
    doctor = ["doctor", "broken"]
    number = 0
    parts: dict[str, Mapping[str, Callable[[], Any]]] = {
        "configuration": CONFIGS,
        "segmentation": {n: partial(e, SEGMENTATION) for n, e in WEIGHTS.items()},
        "embedding": {n: partial(e, EMBEDDING) for n, e in WEIGHTS.items()},
        "PLDA": PLDAS,
    }
    for kind, group in parts.items():
        for name, edit in group.items():
            commands = [apply, others[number % len(others)]]
            if number % 10 == 0:  # imports all packages in another process
                commands.append(doctor)
            # `package` takes no segmentation of the pipeline
            is_harmless = name in (*MAY_RUN, *_MAY_BE_IGNORED)
            refused = None if is_harmless or "package" in commands[1] else True
            yield Case(kind, name, commands, _pipeline(edit), refused)
            number += 1
    for name, damage in WEIGHTS.items():
        run = [*TRAIN, f"+pretrained={SEGMENTATION}"]
        run = [each for each in run if not each.startswith("model")]
        prune = ["prune", SEGMENTATION, "--method", "magnitude", "--into", "out"]
        write = _pipeline(partial(damage, SEGMENTATION))
        yield Case("pretrained", name, [run, prune], write)


_MAY_BE_IGNORED = ("threshold 1e308", "Fb 0", "preprocessors as class names")


def voiceprint_cases() -> Iterator[Case]:
    """Cases of files of voiceprints."""
    identify = ["identify", "good.wav", "--into", "out", "--voiceprints", "voices.npz"]
    enrol = ["enrol", "--forget", "a", "--into", "voices.npz"]
    files: dict[str, Callable[[], Any]] = {
        "empty": put("voices.npz", b""),
        "text": put("voices.npz", "hello"),
        "pickle": put("voices.npz", pickle.dumps(Harmful())),
        "audio": lambda: shutil.copy("good.wav", "voices.npz"),
        "folder": lambda: Path("voices.npz").mkdir(),
        "missing": lambda: None,
        "PLDA": lambda: shutil.copy(
            bundled_folder() / "plda" / "plda.npz", "voices.npz"
        ),
        "checkpoint": lambda: shutil.copy(
            bundled_folder() / "embedding" / "pytorch_model.bin", "voices.npz"
        ),
        "safetensors": lambda: save_file({"a": torch.zeros(3)}, "voices.npz"),
        "array of NumPy": lambda: np.save(open("voices.npz", "wb"), np.zeros(3)),  # noqa: PTH123, SIM115
        "other model": partial(_voices),
        "later format": partial(_voices, format=99),
        "code": partial(_voices, names=np.array([Harmful()])),
        "no speaker": partial(
            _voices, names=np.array([], str), embeddings=np.zeros((0, 8))
        ),
        "numbers as names": partial(_voices, names=np.arange(2)),
        "other number of names": partial(_voices, names=np.array(["a"])),
        "NaN": partial(_voices, embeddings=np.full((2, 8), np.nan, np.float32)),
        "texts": partial(_voices, embeddings=np.array([["x"], ["y"]])),
        "three dimensions": partial(_voices, embeddings=np.zeros((2, 2, 2))),
        "reserved name": partial(_voices, names=np.array(["unknown_1", "b"])),
    }
    for name, write in files.items():
        yield Case("voiceprints", name, [identify, enrol], write, True, "")


def _voices(**arrays: Any) -> None:
    default = {
        "format": 1,
        "model": "X of 8 dimensions",
        "fingerprint": "0" * 64,
        "names": np.array(["b", "c"]),
        "embeddings": np.ones((2, 8), np.float32),
    }
    np.savez("voices.npz", **{**default, **arrays})


def run_cases() -> Iterator[Case]:
    """Cases of folders of runs, of which `outrun` of the template is complete."""
    run = "outrun"
    commands: list[list[str]] = [
        ["report", run],
        ["average", run, "--best", "1", "--into", "out"],
        ["package", run, "out"],
    ]
    resume = ["train", "+resume=last", f"run={run}"]
    doctor = ["doctor", "--config", "outrun/config.yaml"]
    names = {
        "metrics.csv": ("empty", "text", "bytes", "gone", "folder", "NaN"),
        "config.yaml": ("empty", "text", "bytes", "gone", "folder", "list", "unknown"),
        "checkpoints/0000.ckpt": ("empty", "text", "cut", "gone", "folder"),
        "checkpoints/last.ckpt": ("empty", "text", "cut", "folder"),
        ".hydra/overrides.yaml": ("empty", "text", "bytes", "folder", "numbers"),
    }
    contents: dict[str, str | bytes] = {
        "empty": b"",
        "text": "hello\n",
        "bytes": bytes(range(256)),
        "list": "- 1\n",
        "NaN": "epoch,loss/val\n0,nan\n",
        "unknown": "protocol: P\nnonsense: 1\n",
        "numbers": "[1, 2]\n",
    }
    for file, faults in names.items():
        for fault in faults:
            path = f"{run}/{file}"
            if fault in contents:
                write: Callable[[], Any] = put(path, contents[fault])
            else:
                write = partial(DAMAGED_FILES[fault], path)
            typed = [*commands, doctor] if file == "config.yaml" else commands
            yield Case("run", f"{file}: {fault}", [*typed, resume], write)
