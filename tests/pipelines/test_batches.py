# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import threading
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from pyannote_diarizen.pipelines.batches import Passes, shrinking_batches

CPU = torch.device("cpu")


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def numbers_below(limit: int):
    def process(batch: list[int]) -> list[int]:
        if len(batch) > limit:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return batch

    return process


@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_batches_shrink_until_they_fit(num_workers):
    passes = Passes(8, "batch_size", num_workers)
    with pytest.warns(UserWarning, match="going on with") as warned:
        results = list(shrinking_batches(list, numbers_below(3), 10, passes))
    assert [result for _, result in results] == [
        *([0, 1], [2, 3], [4, 5], [6, 7], [8, 9])
    ]
    assert "Set `batch_size` to 2" in str(warned[-1].message)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_one_chunk_that_does_not_fit_is_an_error(num_workers):
    passes = Passes(8, "batch_size", num_workers)
    with (
        pytest.warns(UserWarning, match="going on with 1"),
        pytest.raises(RuntimeError, match="out of memory"),
    ):
        list(shrinking_batches(list, numbers_below(0), 10, passes))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_other_errors_are_not_repeated(num_workers):
    def fail(batch: list[int]) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(shrinking_batches(list, fail, 10, Passes(8, "batch_size", num_workers)))


def test_threads_of_torch_are_shared_by_batches_at_the_same_time(four_threads):
    both = threading.Barrier(2)

    def process(batch: list[int]) -> tuple[int, int]:
        both.wait(timeout=5)
        return threading.get_ident(), torch.get_num_threads()

    batches = shrinking_batches(list, process, 4, Passes(1, "batch_size", 2))
    threads, num_threads = zip(*(result for _, result in batches), strict=True)
    assert len(set(threads)) == 2
    assert threading.get_ident() not in threads
    assert num_threads == (2, 2, 2, 2)
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_have_the_autocast_and_the_gpu_of_the_caller(num_workers, monkeypatch):
    gpu = threading.local()
    gpu.current = 3  # PyTorch has one for each thread, 0 at first
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "current_device", lambda: getattr(gpu, "current", 0)
    )
    monkeypatch.setattr(torch.cuda, "set_device", partial(setattr, gpu, "current"))

    def process(batch: list[int]) -> tuple[torch.dtype, int]:
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype, torch.cuda.current_device()

    with torch.autocast("cpu", torch.float16):
        results = list(shrinking_batches(list, process, 3, Passes(1, "_", num_workers)))
    assert {result for _, result in results} == {(torch.float16, 3)}


def test_no_batch_is_read_long_before_it_is_processed():
    read = []
    batches = shrinking_batches(
        lambda items: read.append(items), lambda _: None, 10, Passes(1, "size", 2)
    )
    for items, _ in batches:
        assert len(read) <= items.stop + 2


def test_a_batch_on_a_cpu_is_small(four_threads):
    model = SimpleNamespace()
    assert Passes.of(model, CPU, 32, "size", 8) == Passes(8, "size", 4)
    assert Passes.of(model, CPU, 16, "size", 8) == Passes(8, "size", 2)
    assert Passes.of(model, CPU, 2, "size", 8) == Passes(2, "size", 0)
    cuda = torch.device("cuda")
    assert Passes.of(model, cuda, 32, "size", 8) == Passes(32, "size", 1)


def test_a_model_that_keeps_results_runs_in_the_thread_of_the_caller(four_threads):
    model = SimpleNamespace(channel_weights=None)
    assert Passes.of(model, CPU, 32, "size", 8) == Passes(32, "size", 0)


def test_concurrent_calls_leave_the_number_of_threads_alone(four_threads):
    passes = Passes(1, "size", 2)
    first, second = (
        shrinking_batches(list, lambda batch: batch, 4, passes) for _ in range(2)
    )
    next(first)
    next(second)  # finds the number that the first one has set
    assert torch.get_num_threads() == 2
    first.close()
    second.close()
    assert torch.get_num_threads() == 4
