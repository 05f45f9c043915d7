# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np

from pyannote_diarizen.functional.bounded_cache import BoundedCache, digest


def test_last_used_results_are_kept_up_to_a_size():
    cache = BoundedCache(10, lambda key, result: len(result))
    computed = []

    def compute(key: str) -> str:
        computed.append(key)
        return key * 4

    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(key, lambda key=key: compute(key)) == key * 4
    assert computed == ["a", "b", "c", "b"]


def test_a_result_that_is_too_large_is_computed_each_time():
    cache = BoundedCache(3, lambda key, result: len(result))
    assert cache.get("a", lambda: "four") == "four"
    assert cache.get("a", lambda: "five") == "five"


def test_digest_depends_on_content_shape_and_type():
    array = np.arange(6.0)
    others = (array[::-1], array.reshape(2, 3), array.astype(np.float32), array[:5])
    assert digest(array) == digest(array.copy())
    assert len({digest(array), *map(digest, others)}) == 5
    assert digest(array, array) != digest(array)
