# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Kaldi's PLDA: its files, and the result of its tools."""

import struct
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.clustering.kaldi_plda import read_kaldi_plda, write_kaldi_plda
from pyannote_diarizen.functional.plda import PLDAParameters

TEXT = """<Plda>  [ 1 -2 ]
 [
  0.5 0
  1 2e-1 ]
 [ 3 0 ]
</Plda> """
FLOATS = np.array([1, -2], "<f4"), np.array([[0.5, 0], [1, 0.2]], "<f4")


def binary_vector(values: np.ndarray) -> bytes:
    return b"FV \4" + struct.pack("<i", len(values)) + values.astype("<f4").tobytes()


def binary_matrix(values: np.ndarray) -> bytes:
    rows, columns = (struct.pack("<i", size) for size in values.shape)
    return b"FM \4" + rows + b"\4" + columns + values.astype("<f4").tobytes()


@pytest.fixture
def parameters(rng: np.random.Generator) -> PLDAParameters:
    """From 6 to 3 dimensions."""
    return PLDAParameters(
        mean1=rng.standard_normal(6),
        lda=rng.standard_normal((6, 3)),
        mean2=rng.standard_normal(3),
        mu=rng.standard_normal(3),
        tr=rng.standard_normal((3, 3)),
        psi=np.array([5.0, 2.0, 0.5]),
    )


def normalize_length(vector: np.ndarray) -> np.ndarray:
    """`ivector-normalize-length` of Kaldi."""
    return vector * np.sqrt(len(vector)) / np.linalg.norm(vector)


def kaldi_score(
    enrolled: np.ndarray, test: np.ndarray, num: int, psi: np.ndarray
) -> float:
    """`Plda::LogLikelihoodRatio`, `enrolled` being the mean of `num` vectors."""

    def log_gaussian(mean: np.ndarray, variance: np.ndarray) -> float:
        return -0.5 * float(np.sum(np.log(variance) + (test - mean) ** 2 / variance))

    shrunk = num * psi / (num * psi + 1)
    known = log_gaussian(shrunk * enrolled, 1 + psi / (num * psi + 1))
    return known - log_gaussian(np.zeros_like(psi), 1 + psi)


def test_text(tmp_path: Path):
    (tmp_path / "plda").write_text(TEXT)
    read = read_kaldi_plda(tmp_path / "plda")
    npt.assert_array_equal(read.mu, [1, -2])
    npt.assert_array_equal(read.tr, [[0.5, 0], [1, 0.2]])
    # zero would be divided by
    npt.assert_allclose(read.psi, [3, 0], atol=1e-5)
    assert read.psi[1] > 0
    # nothing before the PLDA
    npt.assert_array_equal(read.mean1, [0, 0])
    npt.assert_array_equal(read.lda, np.eye(2))


def test_single_precision_binary(tmp_path: Path):
    mean, transform = FLOATS
    content = b"\0B<Plda> " + binary_vector(mean) + binary_matrix(transform)
    content += binary_vector(np.array([3, 1])) + b"</Plda> "
    (tmp_path / "plda").write_bytes(content)
    read = read_kaldi_plda(tmp_path / "plda")
    npt.assert_array_equal(read.mu, mean)
    npt.assert_array_equal(read.tr, transform)
    npt.assert_array_equal(read.psi, [3, 1])


@pytest.mark.parametrize("binary", [True, False])
def test_round_trip(parameters, tmp_path: Path, binary: bool):
    write_kaldi_plda(parameters, tmp_path / "new", binary)
    files = [tmp_path / "new" / name for name in ("plda", "transform.mat", "mean.vec")]
    read = read_kaldi_plda(*files, normalize_first=True)
    for name, array in vars(parameters).items():
        npt.assert_array_equal(getattr(read, name), array)
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)


@pytest.mark.parametrize("normalize_first", [False, True])
def test_scores_are_those_of_the_tools_of_kaldi(
    parameters, rng, tmp_path: Path, normalize_first: bool
):
    write_kaldi_plda(parameters, tmp_path)
    plda = PLDA.from_kaldi(
        tmp_path / "plda",
        tmp_path / "transform.mat",
        tmp_path / "mean.vec",
        normalize_first,
    )

    def project(embedding: np.ndarray) -> np.ndarray:
        vector = embedding - parameters.mean1
        if normalize_first:
            vector = normalize_length(vector)
        vector = normalize_length(parameters.lda.T @ vector - parameters.mean2)
        return parameters.tr @ (vector - parameters.mu)

    embeddings = rng.standard_normal((4, 6))
    projected = [project(embedding) for embedding in embeddings]
    expected = [
        [kaldi_score(a, b, 1, parameters.psi) for b in projected] for a in projected
    ]
    npt.assert_allclose(plda.log_likelihood_ratio(embeddings, embeddings), expected)


def test_lda_without_offset(tmp_path: Path):
    (tmp_path / "plda").write_text(TEXT)
    (tmp_path / "transform.mat").write_text(" [\n  1 2 3\n  4 5 6 ]\n")
    (tmp_path / "mean.vec").write_text(" [ 7 8 9 ]\n")
    read = read_kaldi_plda(
        *(tmp_path / n for n in ("plda", "transform.mat", "mean.vec"))
    )
    npt.assert_array_equal(read.lda.T, [[1, 2, 3], [4, 5, 6]])
    npt.assert_array_equal(read.mean1, [7, 8, 9])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0B<Plda> FV \4\0", "damaged"),
        (b"\0B<Plda> CM 12345", "KeyError"),
        (b"\0BFV \4\x09\0\0\0abc", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"<Plda> [ 1 two ]", "two"),
        (b" [ 1 2 ]\n", r"holds \(2,\)"),
        (b"", "holds nothing"),
    ],
)
def test_something_else(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "plda").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_kaldi_plda(tmp_path / "plda")
    assert str(tmp_path / "plda") in str(caught.value)


def test_files_that_do_not_go_together(parameters, tmp_path: Path):
    write_kaldi_plda(parameters, tmp_path)
    (tmp_path / "other.vec").write_text(" [ 1 2 3 4 ]\n")
    plda, transform = tmp_path / "plda", tmp_path / "transform.mat"
    with pytest.raises(ValueError, match="belong together"):
        read_kaldi_plda(plda, transform, tmp_path / "other.vec")
    with pytest.raises(ValueError, match="needs the `mean`"):
        read_kaldi_plda(plda, transform)
