# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Arrays in temporary files."""

import errno
import os

import numpy as np
import numpy.testing as npt
import pytest
from tone_pipeline import write_tones

from pyannote_diarizen.pipelines import scratch
from pyannote_diarizen.pipelines.batch import diarize_files
from pyannote_diarizen.pipelines.scratch import (
    limited_memory,
    new_array,
    own_memory,
    parse_size,
)


@pytest.fixture
def all_mapped(monkeypatch) -> list[int]:
    """Map all arrays within any limit, and return their sizes."""
    sizes = []

    def spy(file, size):
        sizes.append(size)
        reserve(file, size)

    reserve = scratch._reserve
    monkeypatch.setattr(scratch, "_reserve", spy)
    monkeypatch.setattr(scratch, "_SMALL", 1)
    monkeypatch.setattr(scratch, "HEADROOM", 0)
    monkeypatch.setattr(scratch, "own_memory", lambda: 0)
    return sizes


@pytest.mark.parametrize(
    ("text", "size"), [(" 2gb ", 2 * 10**9), ("1.5MiB", 3 << 19), ("64k", 64000)]
)
def test_sizes_have_units(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 pounds", "-1GB", "1.2.3GB", "infinite"])
def test_other_texts_are_no_sizes(text):
    with pytest.raises(ValueError, match="should be a size such as '2GB', got"):
        parse_size(text)


def test_a_limit_below_the_process_is_refused():
    before = own_memory()
    assert before > 50 << 20
    with (
        pytest.raises(ValueError, match=r"`max_memory` should be at least \d\.\dGB"),
        limited_memory(before),
    ):
        pass
    with limited_memory(before + scratch.HEADROOM + (100 << 20)):
        assert new_array((2, 3), np.uint8).base is None


def test_arrays_above_the_limit_are_mapped(all_mapped):
    with limited_memory(1):
        ones = new_array((100, 3), np.float32, fill=1)
        zeros = new_array((5,), np.uint8)
    assert all_mapped == [1200, 5]
    zeros[2:] += 7
    npt.assert_array_equal(ones, np.ones((100, 3)))
    npt.assert_array_equal(zeros, [0, 0, 7, 7, 7])
    assert new_array((5,), np.uint8).base is None


def test_small_arrays_stay_in_memory(monkeypatch):
    monkeypatch.setattr(scratch, "own_memory", lambda: 0)
    with limited_memory(scratch.HEADROOM):
        assert new_array((100,), np.uint8).base is None
        assert isinstance(new_array((1 << 20,), np.uint8).base, np.memmap)


@pytest.mark.parametrize("clustering", ["vbx", "agglomerative"])
def test_the_result_is_that_without_limit(build, conversation, all_mapped, clustering):
    pipeline = build(clustering=clustering)
    expected = pipeline(conversation)
    assert not all_mapped
    output = pipeline(conversation, max_memory=1)
    assert len(all_mapped) >= 5  # both networks, activity, selected, exclusive
    assert output.speaker_diarization == expected.speaker_diarization
    assert output.exclusive_speaker_diarization == (
        expected.exclusive_speaker_diarization
    )
    npt.assert_array_equal(output.speaker_embeddings, expected.speaker_embeddings)


@pytest.mark.usefixtures("all_mapped")
def test_no_space_is_an_error_of_the_file(build, tmp_path, monkeypatch):
    files = {name: tmp_path / f"{name}.wav" for name in ("a", "b")}
    write_tones(files["a"], [(0.2, 1.3, 0)])
    # too long for batches with other files
    write_tones(files["b"], [(start, start + 1, 0) for start in range(0, 30, 2)])
    allocate = os.posix_fallocate

    def fill(descriptor, offset, size):
        if size > 4000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        allocate(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", fill)
    out = tmp_path / "out"
    good, bad = diarize_files(build(), files, out, max_memory=1)
    assert good.error is None
    assert "'" + str(files["b"]) + "' cannot be diarized: [Errno 28] No space" in (
        bad.error
    )
    assert "set TMPDIR to another disk, or raise `max_memory`" in bad.error
    assert [path.name for path in out.iterdir()] == ["a.rttm"]
