# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile recordings: wrong headers, odd samples, damaged and renamed files."""

import gzip
import io
import os
import pickle
import random
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from hostile_cases import Case, cut, flip, put, unprivileged

RATE = 16000


def samples() -> np.ndarray:
    """Four seconds of conversation, (num_samples,)."""
    return soundfile.read("good.wav", dtype="float32")[0]


def encode(kind: str, subtype: str | None = None, rate: int = RATE) -> bytes:
    """Encode the conversation by soundfile."""
    file = io.BytesIO()
    soundfile.write(file, samples(), rate, format=kind, subtype=subtype)
    return file.getvalue()


def encode_av(kind: str, codec: str, rate: int = RATE) -> bytes:
    """Encode the conversation by PyAV."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples()[None], "fltp", "mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()


def video() -> bytes:
    """Encode a video without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        image = np.zeros((64, 64, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()


def wave(
    data: bytes,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    tag: int = 1,
    align: int | None = None,
    size: int | None = None,
) -> bytes:
    """Header and samples of a WAV file, whatever they claim."""
    align = channels * bits // 8 if align is None else align
    size = len(data) if size is None else size
    head = struct.pack(
        "<HHIIHH", tag, channels, rate, rate * align % 2**32, align % 2**16, bits
    )
    body = b"WAVEfmt \x10\0\0\0" + head + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", min(len(body), 2**32 - 1)) + body


def floats(edit: Callable[[np.ndarray], Any], rate: int = RATE) -> bytes:
    """Encode samples that `edit` changes, or returns, as 32-bit floats."""
    signal = samples()
    changed = edit(signal)
    file = io.BytesIO()
    signal = signal if changed is None else changed
    soundfile.write(file, signal, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def hole(content: bytes) -> bytes:
    """Replace 200 bytes in the middle by zeros."""
    middle = len(content) // 2
    return content[:middle] + bytes(200) + content[middle + 200 :]


def _pcm() -> bytes:
    return (samples() * 32767).astype("<i2").tobytes()


def _set(where: Any, value: float) -> Callable[[np.ndarray], None]:
    def edit(signal: np.ndarray) -> None:
        signal[where] = value

    return edit


# what must be refused, by name of the file
REFUSED: dict[str, Callable[[], bytes]] = {
    "empty.wav": lambda: b"",
    "byte.wav": lambda: b"R",
    "text.wav": lambda: b"hello\n" * 1000,
    "page.mp3": lambda: b"<!DOCTYPE html><html><body>404</body></html>",
    "json.flac": lambda: b'{"error": "not found"}',
    "image.wav": lambda: b"\x89PNG\r\n\x1a\n" + bytes(500),
    "zip.ogg": lambda: _zipped(),
    "gzip.wav": lambda: gzip.compress(encode("WAV")),
    "pickle.wav": lambda: pickle.dumps([1, 2]),
    "program.m4a": lambda: b"\x7fELF" + bytes(range(256)) * 10,
    "pointer.wav": lambda: b"version https://git-lfs.github.com/spec/v1\nsize 9\n",
    "zeros.wav": lambda: bytes(40000),
    "noise.mp3": lambda: random.Random(1).randbytes(40000),
    "noise.wav": lambda: random.Random(2).randbytes(40000),
    "riff only.wav": lambda: b"RIFF\x24\0\0\0WAVE",
    "no data.wav": lambda: wave(b"")[:36],
    "no samples.wav": lambda: wave(b""),
    "no channels.wav": lambda: wave(_pcm(), channels=0),
    "rate 0.wav": lambda: wave(_pcm(), rate=0),
    "nan.wav": lambda: floats(_set(slice(None), np.nan)),
    "one nan.wav": lambda: floats(_set(30000, np.nan)),
    "inf.wav": lambda: floats(_set(40000, np.inf)),
    "minus inf.wav": lambda: floats(_set(40000, -np.inf)),
    "video.mkv": video,
    "video.wav": video,
    "playlist.wav": lambda: b"#EXTM3U\n#EXTINF:1\ngood.wav\n",
    "concat.m4a": lambda: b"ffconcat version 1.0\nfile ../neighbour.wav\n",
    "subtitles.mkv": lambda: b"1\n00:00:01,000 --> 00:00:02,000\nHello\n",
    "head.flac": lambda: encode("FLAC")[:42],
    "head.ogg": lambda: encode("OGG")[:58],
    "id3.mp3": lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(100),
}
# what must be read
ACCEPTED: dict[str, Callable[[], bytes]] = {
    **{
        f"{subtype}.wav": partial(encode, "WAV", subtype)
        for subtype in (
            *("PCM_U8", "PCM_24", "PCM_32", "DOUBLE", "ULAW", "ALAW"),
            *("IMA_ADPCM", "GSM610", "MS_ADPCM"),
        )
    },
    **{
        f"sound.{suffix}": partial(encode, kind)
        for suffix, kind in (
            *(("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3"), ("aiff", "AIFF")),
            *(("au", "AU"), ("w64", "W64"), ("caf", "CAF"), ("sph", "NIST")),
        )
    },
    "rf64.wav": partial(encode, "RF64"),
    "opus.opus": partial(encode, "OGG", "OPUS"),
    "mp3 named.wav": partial(encode, "MP3"),
    "wav named.mp3": partial(encode, "WAV"),
    "flac named.ogg": partial(encode, "FLAC"),
    "ogg named.flac": partial(encode, "OGG"),
    "wav named.m4a": partial(encode, "WAV"),
    "wav named.raw": partial(encode, "WAV"),
    "wav named.txt": partial(encode, "WAV"),
    "no suffix": partial(encode, "WAV"),
    "UPPER.WAV": partial(encode, "WAV"),
    "m4a named.wav": partial(encode_av, "mp4", "aac"),
    "aac.aac": partial(encode_av, "adts", "aac"),
    "webm.webm": partial(encode_av, "webm", "libopus", 48000),
    **{
        f"rate {rate}.wav": partial(lambda rate: wave(_pcm(), rate=rate), rate)
        for rate in (4000, 7999, 11025, 96000, 192000, 384000)
    },
    **{
        f"{num} channels.wav": partial(
            lambda num: floats(lambda x: np.tile(x[:, None], (1, num))), num
        )
        for num in (2, 6, 64, 255)
    },
    "silence.wav": lambda: floats(_set(slice(None), 0)),
    "offset.wav": lambda: floats(lambda x: x * 0.01 + 1),
    "tiny.wav": lambda: floats(lambda x: x * 1e-9),
    "denormal.wav": lambda: floats(lambda x: x * 0 + 1e-40),
    "clipped.wav": lambda: floats(lambda x: np.sign(x)),
    "unfinished header.wav": lambda: wave(_pcm(), size=0),
    "header of a pipe.wav": lambda: wave(_pcm(), size=2**32 - 1),
    "extensible.wav": partial(encode, "WAVEX"),
    "id3 before.mp3": lambda: b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + encode("MP3"),
    "tag behind.wav": lambda: encode("WAV") + b"TAG" + bytes(125),
    "twice.opus": lambda: 2 * encode("OGG", "OPUS"),
}
# either is right
OTHER: dict[str, Callable[[], bytes]] = {
    **{
        f"rate {rate}.wav": partial(lambda rate: wave(_pcm(), rate=rate), rate)
        for rate in (1, 8, 100, 1000, 655350, 2**31 - 1, 2**32 - 1)
    },
    **{
        f"{num} samples.wav": partial(lambda num: floats(lambda x: x[:num]), num)
        for num in (1, 2, 159, 400, 1600)
    },
    "1000 channels.wav": lambda: wave(_pcm(), channels=1000, align=2000),
    "65535 channels.wav": lambda: wave(_pcm(), channels=65535),
    "1e30.wav": lambda: floats(lambda x: x * 1e30),
    "largest.wav": lambda: floats(lambda x: np.sign(x) * 3e38),
    **{
        f"{bits} bits.wav": partial(lambda bits: wave(_pcm(), bits=bits), bits)
        for bits in (0, 1, 3, 12, 64, 255)
    },
    "align 0.wav": lambda: wave(_pcm(), align=0),
    "align 7.wav": lambda: wave(_pcm(), align=7),
    "unknown tag.wav": lambda: wave(_pcm(), tag=0x9999),
    "odd size.wav": lambda: wave(_pcm() + b"\1"),
    "announced 2 GB.wav": lambda: wave(_pcm(), size=2**31 - 40),
    "data before format.wav": lambda: wave(_pcm()).replace(b"fmt ", b"fmx "),
    "large chunk.wav": lambda: wave(_pcm()).replace(b"data", b"LIST"),
    "appended.wav": lambda: encode("WAV") + random.Random(3).randbytes(9999),
    "prepended.wav": lambda: b"\xef\xbb\xbf" + encode("WAV"),
    "twice.wav": lambda: 2 * encode("WAV"),
    "twice.flac": lambda: 2 * encode("FLAC"),
    "twice.mp3": lambda: 2 * encode("MP3"),
    "image.svg.wav": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
}
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut 0.1": partial(cut, share=0.1),
    "cut 0.6": partial(cut, share=0.6),
    "flipped 0": partial(flip, seed=0),
    "flipped 1": partial(flip, seed=1),
    "hole": hole,
}
FORMATS = {
    "wav": partial(encode, "WAV"),
    "flac": partial(encode, "FLAC"),
    "ogg": partial(encode, "OGG"),
    "opus": partial(encode, "OGG", "OPUS"),
    "mp3": partial(encode, "MP3"),
    "aiff": partial(encode, "AIFF"),
    "m4a": partial(encode_av, "mp4", "aac"),
    "webm": partial(encode_av, "webm", "libopus", 48000),
}


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("good.wav", encode("WAV"))
    return file.getvalue()


def damaged() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Damage files of each format."""
    for suffix, content in FORMATS.items():
        for name, damage in DAMAGES.items():
            yield f"{name}.{suffix}", partial(_damaged, content, damage)


def _damaged(content: Callable[[], bytes], damage: Callable[[bytes], bytes]) -> bytes:
    return damage(content())


def _bind_socket() -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.wav")


def _unreadable() -> None:
    Path("unreadable.wav").write_bytes(encode("WAV"))
    Path("unreadable.wav").chmod(0)


def _loop_of_folders() -> None:
    Path("many").mkdir()
    Path("many", "a.wav").write_bytes(encode("WAV"))
    Path("many", "loop").symlink_to(Path("..") / "many")


def _partly_broken_folder() -> None:
    Path("many").mkdir()
    Path("many", "a.wav").write_bytes(encode("WAV"))
    Path("many", "b.wav").symlink_to("nowhere.wav")
    Path("many", "c.wav").mkdir()
    Path("many", "._a.wav").write_bytes(b"resource fork")


def _commands(name: str, number: int) -> list[list[str]]:
    """`apply`, `validate`, and one of the other commands that read audio."""
    others = [
        ["enrol", name, "--into", "out.npz"],
        ["link", "good.wav", name, "--into", "out"],
        ["identify", "good.wav", name, "--into", "out"],
        ["validate", name, "--decode"],
    ]
    return [["apply", "good.wav", name, "--into", "out"], others[number % 4]]


def audio_cases() -> Iterator[Case]:
    """Cases of single recordings, beside a good one."""
    groups = ((True, REFUSED), (False, ACCEPTED), (None, {**OTHER, **dict(damaged())}))
    number = 0
    for refused, group in groups:
        for name, content in group.items():
            commands = _commands(name, number)
            if refused is None:
                commands.append(["validate", name])
            if refused and number % 5 == 0:
                commands.append(["profile", name])
                commands.append(["export", "diarizen-tiny", "--into", "out", "--to"])
                commands[-1] += ["torchscript", "--audio", name]
            readable = "silence", "denormal", "tiny", "offset", "clipped", "rate"
            if name.startswith(readable) or name.endswith((".raw", ".txt", "suffix")):
                commands = commands[:1]
            number += 1
            yield Case(
                "audio", name, commands, put(name, content), refused, Path(name).stem
            )
    special: dict[str, Callable[[], Any]] = {
        "folder.wav": lambda: Path("folder.wav").mkdir(),
        "fifo.wav": lambda: os.mkfifo("fifo.wav"),
        "socket.wav": _bind_socket,
        "loop.wav": lambda: Path("loop.wav").symlink_to("loop.wav"),
        "dangling.wav": lambda: Path("dangling.wav").symlink_to("nowhere"),
        "zero.wav": lambda: Path("zero.wav").symlink_to("/dev/zero"),
        "null.wav": lambda: Path("null.wav").symlink_to("/dev/null"),
        "unreadable memory.wav": lambda: Path("unreadable memory.wav").symlink_to(
            "/proc/self/mem"
        ),
        "good.wav/x.wav": lambda: None,
        "missing.wav": lambda: None,
    }
    for number, (name, write) in enumerate(special.items()):
        yield Case("audio", name, _commands(name, number), write, True, Path(name).stem)
    yield Case(
        "audio",
        "unreadable.wav",
        [["validate", "unreadable.wav"], ["validate", "unreadable.wav", "--decode"]],
        _unreadable,
        True,
        "unreadable",
        unprivileged,
    )
    many = [["apply", "many", "--into", "out"], ["validate", "many"]]
    yield Case("audio", "linked folders", many, _loop_of_folders, False)
    yield Case("audio", "broken links", many, _partly_broken_folder, True, "b.wav")
