# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import math

import numpy as np
import pytest
import torch

from pyannote_diarizen.functional.speaker_bounds import (
    SpeakerBounds,
    check_expected_speakers,
)

NAMES = ["num_speakers", "min_speakers", "max_speakers"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (True, TypeError),
        (2.5, TypeError),
        (2.0, TypeError),
        ("2", TypeError),
        (np.bool_(True), TypeError),
        (torch.tensor(2.0), TypeError),
        (torch.tensor(True), TypeError),
        (torch.tensor([2]), TypeError),
        (torch.tensor([2, 3]), TypeError),
        (np.array([2]), TypeError),
        (math.inf, TypeError),
    ],
)
def test_numbers_other_than_positive_integers_are_refused(name, value, error):
    with pytest.raises(error, match=f"`{name}` should be"):
        SpeakerBounds(**{name: value})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.array, torch.tensor])
def test_integers_of_any_kind_become_int(name, kind):
    value = getattr(SpeakerBounds(**{name: kind(3)}), name)
    assert (value, type(value)) == (3, int)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_no_array_can_hold_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` should be at most 9"):
        SpeakerBounds(**{name: 10**20})


@pytest.mark.parametrize(
    "numbers",
    [
        {"num_speakers": 2, "max_speakers": 1},
        {"num_speakers": 2, "min_speakers": 6},
        {"min_speakers": 3, "max_speakers": 2},
    ],
)
def test_contradictions_name_both_arguments(numbers):
    with pytest.raises(ValueError, match="should be at most") as error:
        SpeakerBounds(**numbers)
    assert all(f"`{name}`" in str(error.value) for name in numbers)


def test_one_bound_keeps_the_other_one_of_the_configuration():
    configured = SpeakerBounds(None, 2, 4)
    assert SpeakerBounds(None, 3).completed(configured) == SpeakerBounds(None, 3, 4)
    assert SpeakerBounds(None, None, 3).completed(configured) == SpeakerBounds(
        None, 2, 3
    )
    assert SpeakerBounds(7).completed(configured) == SpeakerBounds(7)


def test_a_contradicted_bound_of_the_configuration_has_no_effect_with_a_warning():
    configured = SpeakerBounds(None, 2, 4)
    with pytest.warns(UserWarning, match="`max_speakers` of the configuration"):
        assert SpeakerBounds(None, 6).completed(configured) == SpeakerBounds(None, 6)
    with pytest.warns(UserWarning, match="`min_speakers` of the configuration"):
        bounds = SpeakerBounds(None, None, 1).completed(configured)
    assert bounds == SpeakerBounds(None, None, 1)


@pytest.mark.parametrize("value", ["four", True, math.nan, math.inf, 0, -1, [4]])
def test_expected_number_is_finite_and_positive(value):
    with pytest.raises((TypeError, ValueError), match="`expected_speakers` should be"):
        check_expected_speakers(value)


@pytest.mark.parametrize("value", [None, np.float32(2.5), np.int64(4), 0.5])
def test_expected_number_may_be_of_any_kind(value):
    check_expected_speakers(value)
