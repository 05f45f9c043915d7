# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Commands on one hostile input, and the rules that their results must keep.

Commands run in this process, so that imports are paid once; what they and their C
libraries print is read from the file descriptors.
"""

import io
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from hydra.core.global_hydra import GlobalHydra
from pyannote.database.util import load_rttm
from reports import ROOT

from pyannote_diarizen.cli.main import app
from pyannote_diarizen.cli.train import main as train

sys.path.append(str(ROOT / "tests"))
from restricted import full_disk as full_disk  # type: ignore[import-not-found]
from restricted import unprivileged as unprivileged

LIMIT = 60
"""Seconds of computation, and ten times as many of waiting, of a command that hangs."""
OUTPUT = "out"
"""Name, without suffix, of what commands may write."""
_CHECKING = (
    "apply benchmark doctor enrol identify import-kaldi import-lhotse link recluster "
    "validate"
)
CODES = {**dict.fromkeys(_CHECKING.split(), (0, 1, 2)), "train": (0, 2, 3, 4)}
"""Documented exit codes; those of other commands are 0 and 2."""
OUTPUTS = re.compile(rf"(?:^|(?<==)){OUTPUT}(?=\.|$)")
"""`OUTPUT` in an argument."""
_UNREADABLE = re.compile(
    r"Traceback|Error in sys|\.py:\d+|Warning: .{1,300}Warning:|\b[A-Z]\w{1,40}Warning:"
    r"|Fatal Python|Exception ignored|object at 0x"
)
"""What only developers understand."""
MAX_LINE = 3000


class HangingError(BaseException):
    """A command that does not end."""


@dataclass(frozen=True)
class Case:
    """One hostile input, and the commands that read it.

    Parameters
    ----------
    kind, name : str
        Kind of the input, and what is wrong with it.
    commands : sequence of sequence of str
        Arguments, the first one the name of the command.
    write : callable, optional
        Writes the input into the current folder.
    refused : bool, optional
        Whether commands must fail; both are right if None.
    mention : str, optional
        Text that an error must hold, such as the name of the file.
    around : callable, optional
        Context in which the commands run.
    one_judge : bool, optional
        What `validate`, the first command, refuses, the others refuse.
    """

    kind: str
    name: str
    commands: Sequence[Sequence[str]]
    write: Callable[[], Any] = field(default=lambda: None)
    refused: bool | None = None
    mention: str = ""
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    one_judge: bool = False


@dataclass(frozen=True)
class Ended:
    """Exit code and output of a command."""

    code: int
    output: str
    errors: str
    failure: str | None = None


def run_case(case: Case, template: Path, folder: Path) -> Iterator[str]:
    """Run the commands of a case on a copy of `template`; yield the broken rules."""
    here = folder / "around" / "here"
    shutil.copytree(template, here, symlinks=True)
    (here.parent / "neighbour.wav").write_bytes(b"neighbour")
    before_all = Path.cwd()
    os.chdir(here)
    temporary = folder / "temporary"
    temporary.mkdir()
    temporary.chmod(0o777)
    former, tempfile.tempdir = tempfile.tempdir, str(temporary)
    try:
        case.write()
        judged = None
        for number, arguments in enumerate(case.commands):
            typed = [OUTPUTS.sub(rf"\g<0>{number}", each) for each in arguments]
            before = _content(folder)
            with case.around():
                ended = run(typed)
            for broken in _broken_rules(case, typed, ended, before, folder):
                yield f"{' '.join(typed)[:200]}: {broken}"
            judged = ended.code if judged is None else judged
            if case.one_judge and judged and not ended.code:
                yield f"{' '.join(typed)[:200]}: accepts what validate refuses"
    finally:
        tempfile.tempdir = former
        os.chdir(before_all)
        shutil.rmtree(folder, ignore_errors=True)


def run(arguments: Sequence[str]) -> Ended:
    """Run a command as typed, "train" for `pyannote-audio-train`."""
    failure = None
    with _captured() as (output, errors):
        try:
            with _time_limit():
                code = _run(list(arguments))
        except (Exception, HangingError) as error:  # noqa: BLE001 - a result
            frames = traceback.extract_tb(error.__traceback__)
            ours = [each for each in frames if "pyannote_diarizen" in each.filename]
            place = ours[-1] if ours else frames[-1]
            failure = (
                f"{type(error).__name__}: {str(error)[:200]} in "
                f"{Path(place.filename).name}:{place.lineno}"
            )
            code = -1
        sys.stdout.flush()
        sys.stderr.flush()
        printed = [_text(each) for each in (output, errors)]
    return Ended(code, printed[0], printed[1], failure)


def _run(arguments: list[str]) -> int:
    command, *rest = arguments
    try:
        if command == "train":
            GlobalHydra.instance().clear()
            former, sys.argv = sys.argv, ["pyannote-audio-train", *rest]
            try:
                train()
            finally:
                sys.argv = former
        else:
            app(arguments, prog_name="pyannote-diarizen")
    except SystemExit as ended:
        code: Any = ended.code
        return code if isinstance(code, int) else int(bool(code))
    return 0


@contextmanager
def _captured() -> Iterator[tuple[Any, Any]]:
    """Redirect the file descriptors of standard output and errors to files."""
    streams = sys.stdout, sys.stderr, sys.stdin
    for stream in streams[:2]:
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    sys.stdout, sys.stderr, sys.stdin = _OUT, _ERR, io.TextIOWrapper(io.BytesIO())
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            yield output, errors
        finally:
            _OUT.flush()
            _ERR.flush()
            sys.stdout, sys.stderr, sys.stdin = streams
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)


# logging keeps the streams that it finds, so that they stay the same
_OUT, _ERR = (open(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))  # noqa: SIM115


def _text(file: Any) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise HangingError(f"no end after {LIMIT} s")

    numbers = signal.SIGALRM, signal.SIGPROF
    former = [signal.signal(number, stop) for number in numbers]
    signal.alarm(10 * LIMIT)  # a busy machine makes commands wait
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)


def _content(folder: Path) -> dict[str, Any]:
    """Size and time of change of each file, and folders."""
    found: dict[str, Any] = {}
    for root, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.join(root, name)] = None  # noqa: PTH118
        for name in files:
            path = os.path.join(root, name)  # noqa: PTH118
            status = os.lstat(path)
            found[path] = status.st_size, status.st_mtime_ns
    return found


def _broken_rules(
    case: Case,
    arguments: Sequence[str],
    ended: Ended,
    before: dict[str, Any],
    folder: Path,
) -> Iterator[str]:
    command = arguments[0]
    if ended.failure:
        yield ended.failure
    else:
        yield from _broken_codes(case, command, ended)
    for text in (ended.output, ended.errors):
        if found := _UNREADABLE.search(text):
            near = text[max(0, found.start() - 80) : found.end() + 120]
            yield f"prints {' '.join(near.split())!r}"
        longest = max(map(len, text.split("\n")))
        if longest > MAX_LINE and text is ended.errors:
            yield f"prints a line of {longest} characters"
    after = _content(folder)
    changed = [
        path
        for path in {**before, **after}
        if before.get(path, 0) != after.get(path, 0)
    ]
    yield from _broken_files(command, ended, changed, folder)


def _broken_codes(case: Case, command: str, ended: Ended) -> Iterator[str]:
    last = ended.errors.strip().split("\n")[-1][:300]
    if ended.code not in CODES.get(command, (0, 2)):
        yield f"exit code {ended.code} is not documented: {last}"
    if case.refused is False and ended.code:
        yield f"refuses, with exit code {ended.code}: {last}"
    if case.refused and not ended.code:
        yield f"accepts: {' '.join((ended.output + ended.errors).split())[-300:]}"
    printed = ended.output + ended.errors
    if ended.code and not printed.strip():
        yield f"prints nothing, exit code {ended.code}"
    words = " ".join(printed.replace("_", " ").split())
    if ended.code and case.mention.replace("_", " ") not in words:
        yield f"does not mention {case.mention!r}: {last}"


def _broken_files(
    command: str, ended: Ended, changed: Sequence[str], folder: Path
) -> Iterator[str]:
    here = folder / "around" / "here"
    for name in changed:
        path = Path(name)
        where = path.relative_to(folder)
        if not path.is_relative_to(here):
            if "torchinductor" not in name:
                yield f"changes '{where}', outside"
        elif not path.relative_to(here).parts[0].startswith(OUTPUT):
            yield f"changes '{where}'"
        elif ended.code == 2 and path.suffix != ".journal":  # of finished trials
            yield f"writes '{where}' with exit code 2"
        elif re.search(r"/\.[0-9a-f]{32}|\.tmp$", name):
            yield f"leaves '{where}'"
        elif path.is_file():
            yield from _broken_content(command, path, here)


def _broken_content(command: str, path: Path, here: Path) -> Iterator[str]:
    """Rules of a result: complete, and about its own recording."""
    if path.suffix == ".rttm" and path.stat().st_size:
        text = path.read_text(encoding="utf-8")
        own = path.relative_to(here).as_posix().split("/", 1)[-1].removesuffix(".rttm")
        uris = list(load_rttm(path))
        if command in ("apply", "link", "identify") and uris != [own]:
            yield f"'{path.name}' is about {uris}"
        times = [time for line in text.splitlines() for time in line.split(" ")[3:5]]
        if not text.endswith("\n") or "nan" in times:
            yield f"'{path.name}' is incomplete"
    if path.suffix in (".yaml", ".yml"):
        yaml.safe_load(path.read_text(encoding="utf-8"))


# -- inputs


def put(name: str, content: str | bytes | Callable[[], bytes]) -> Callable[[], Any]:
    """Write a file, texts in UTF-8."""

    def write() -> None:
        made = content() if callable(content) else content
        Path(name).write_bytes(made.encode() if isinstance(made, str) else made)

    return write


def cut(content: bytes, share: float) -> bytes:
    """Keep the first part."""
    return content[: int(len(content) * share)]


def flip(content: bytes, seed: int, num: int = 20) -> bytes:
    """Change some bytes."""
    drawn, changed = random.Random(seed), bytearray(content)
    for _ in range(num):
        changed[drawn.randrange(len(changed))] = drawn.randrange(256)
    return bytes(changed)


def edit_arrays(name: str, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Change the arrays of an archive."""
    with np.load(name) as archive:
        arrays = dict(archive)
    edit(arrays)
    np.savez(name, **arrays)
