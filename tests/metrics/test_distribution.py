"""Measures of sets of features: closed forms first, then independent formulations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import mannwhitneyu

from anew.metrics.distribution import (
    density_coverage,
    frechet_distance,
    frechet_distance_of_gaussians,
    inception_score,
    kernel_distance,
    memorisation,
    neighbours,
    precision_recall,
    samples,
)
from anew.metrics.distribution.density_coverage import expected_coverage
from anew.metrics.sets import compare_sets


def gaussian(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def brute_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([[np.sqrt(((a - b) ** 2).sum()) for b in y] for a in x])


def brute_radii(x: np.ndarray, k: int) -> np.ndarray:
    return np.sort(brute_distances(x, x), axis=1)[:, k]  # the 0th is itself


# -- Frechet distance -----------------------------------------------------------------------------------------------


def test_frechet_distance_of_commuting_gaussians_is_closed_form() -> None:
    a, b = np.array([4.0, 1.0, 0.25]), np.array([1.0, 9.0, 0.0])
    turn, _ = np.linalg.qr(gaussian(0, 3, 3))
    covariances = [(turn * v) @ turn.T for v in (a, b)]
    mean = np.array([1.0, -2.0, 0.5])
    expected = mean @ mean + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    result = frechet_distance_of_gaussians(mean, covariances[0], np.zeros(3), covariances[1])
    assert result == pytest.approx(expected, rel=1e-7)


def test_frechet_distance_of_two_by_two_gaussians_is_closed_form() -> None:
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.5]])  # tr sqrt(M)^2 = tr M + 2 sqrt det
    expected = np.trace(a) + np.trace(b) - 2 * np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    assert frechet_distance_of_gaussians([0, 0], a, [0, 0], b) == pytest.approx(expected, rel=1e-12)


def test_frechet_distance_of_equal_sets_is_zero_and_of_shifted_ones_the_shift() -> None:
    x = gaussian(1, 300, 6) @ gaussian(2, 6, 6)
    shift = np.arange(6) / 3
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, rel=1e-9)
    assert frechet_distance(x, 3 * x - 2 * x.mean(axis=0)) == pytest.approx(4 * np.trace(np.cov(x.T)), rel=1e-9)


def test_frechet_distance_equals_the_matrix_square_root_of_scipy() -> None:
    x, y = gaussian(3, 400, 7) @ gaussian(4, 7, 7), 0.3 + gaussian(5, 350, 7) @ gaussian(6, 7, 7)
    a, b = np.cov(x.T), np.cov(y.T)
    difference = x.mean(axis=0) - y.mean(axis=0)
    expected = difference @ difference + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_holds_with_fewer_samples_than_features() -> None:
    x, y = gaussian(7, 10, 40), gaussian(8, 12, 40)
    # tr sqrt(AB) is the nuclear norm of the product of the centred data, over sqrt((N-1)(M-1))
    centred = [z - z.mean(axis=0) for z in (x, y)]
    nuclear = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum() / np.sqrt(9 * 11)
    traces = sum((z**2).sum() / (len(z) - 1) for z in centred)
    expected = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum() + traces - 2 * nuclear
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)


# -- kernel distance ------------------------------------------------------------------------------------------------


def test_kernel_distance_equals_its_definition() -> None:
    x, y = gaussian(0, 30, 4), gaussian(1, 25, 4) + 0.2
    xx, yy, xy = ((np.array([[(a @ b / 4 + 1) ** 3 for b in q] for a in p])) for p, q in ((x, x), (y, y), (x, y)))
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (xx, yy)]
    assert kernel_distance(x, y).value == pytest.approx(sum(within) - 2 * xy.mean(), rel=1e-10)


def test_kernel_distance_interval_equals_the_jackknife_done_by_hand() -> None:
    x, y = gaussian(2, 12, 3), gaussian(3, 9, 3) + 0.5
    left_x = np.array([kernel_distance(np.delete(x, i, axis=0), y).value for i in range(12)])
    left_y = np.array([kernel_distance(x, np.delete(y, i, axis=0)).value for i in range(9)])
    variance = 11 / 12 * ((left_x - left_x.mean()) ** 2).sum() + 8 / 9 * ((left_y - left_y.mean()) ** 2).sum()
    result = kernel_distance(x, y)
    assert (result.high - result.low) / 2 == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)
    assert (result.high + result.low) / 2 == pytest.approx(result.value)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kernel_distance_is_unbiased_and_its_interval_holds_the_truth(shift: float) -> None:
    # in one dimension (xy + 1)^3 compares the first three moments: 3 d1^2 + 3 d2^2 + d3^2
    moments = np.array([shift, shift**2, shift**3 + shift])  # of U(-1, 1) + shift, less those of U(-1, 1)
    truth = np.array([3, 3, 1]) @ moments**2
    draws = [np.random.default_rng(s).uniform(-1, 1, (270, 1)) for s in range(200)]
    results = [kernel_distance(z[:150], z[150:] + shift) for z in draws]
    values = np.array([r.value for r in results])
    assert abs(values.mean() - truth) < 3 * values.std() / np.sqrt(len(values))
    assert np.mean([r.low <= truth <= r.high for r in results]) > 0.88


def test_few_samples_are_told() -> None:
    few = kernel_distance(gaussian(0, 50, 2), gaussian(1, 3000, 2))
    assert few.warning is not None
    assert "50 real and 3000 generated" in few.warning
    assert kernel_distance(gaussian(0, 2048, 2), gaussian(1, 2048, 2)).warning is None


# -- inception score ------------------------------------------------------------------------------------------------


def test_inception_score_of_known_predictions() -> None:
    sure = np.eye(5)[np.arange(100) % 5]
    assert inception_score(sure).value == pytest.approx(5)
    assert inception_score(np.full((40, 4), 0.25)).value == pytest.approx(1)
    assert inception_score(np.eye(5)[np.zeros(60, int)]).value == pytest.approx(1)
    p = np.array([[0.9, 0.1], [0.1, 0.9]])  # log 2 - H(0.9)
    assert inception_score(p, splits=1).value == pytest.approx(2 * np.exp(0.9 * np.log(0.9) + 0.1 * np.log(0.1)))
    assert inception_score(np.repeat(np.eye(2), 10, axis=0), splits=2).value == pytest.approx(1)  # each split one class
    with pytest.raises(ValueError, match="sum to 1"):
        inception_score(np.ones((3, 3)))


# -- precision, recall, density, coverage ---------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 5])
def test_shares_equal_brute_force(k: int) -> None:
    x, y = gaussian(0, 40, 3), 0.6 * gaussian(1, 30, 3) + 0.3
    distances = brute_distances(x, y)  # (real, generated)
    of_x, of_y = brute_radii(x, k), brute_radii(y, k)
    pr, dc = precision_recall(x, y, k=k), density_coverage(x, y, k=k)
    assert pr.precision == np.mean([any(distances[i, j] <= of_x[i] for i in range(40)) for j in range(30)])
    assert pr.recall == np.mean([any(distances[i, j] <= of_y[j] for j in range(30)) for i in range(40)])
    assert dc.density == pytest.approx(sum(distances[i, j] <= of_x[i] for i in range(40) for j in range(30)) / (k * 30))
    assert dc.coverage == np.mean([any(distances[i, j] <= of_x[i] for j in range(30)) for i in range(40)])


def test_equal_distributions_have_density_one_and_the_expected_coverage() -> None:
    found = [density_coverage(gaussian(s, 500, 2), gaussian(s + 100, 400, 2), k=5) for s in range(20)]
    assert np.mean([f.density for f in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected_coverage(500, 400), abs=0.006)
    assert expected_coverage(10**7, 10**7, k=5) == pytest.approx(1 - 2**-5, abs=1e-6)
    assert expected_coverage(2, 1, k=1) == pytest.approx(0.5)  # of two others, one is nearer


def test_a_lost_mode_shows_in_recall_and_coverage_and_not_in_precision() -> None:
    real = np.concatenate([gaussian(0, 300, 2), gaussian(1, 300, 2) + 50])
    generated = gaussian(2, 600, 2)
    pr, dc = precision_recall(real, generated), density_coverage(real, generated)
    assert pr.precision > 0.95
    assert pr.recall < 0.52
    assert dc.coverage < 0.52


def test_a_comparison_takes_the_sets_in_this_order() -> None:
    real, generated = np.concatenate([gaussian(0, 40, 2), gaussian(1, 40, 2) + 50]), gaussian(2, 60, 2)
    compared = compare_sets(real, generated)
    assert compared.fidelity == precision_recall(real, generated)
    assert compared.spread == density_coverage(real, generated)
    assert compared.best_coverage == expected_coverage(80, 60)
    assert compared.fidelity.recall < 0.6 < compared.fidelity.precision


def test_one_outlier_raises_precision_and_not_density() -> None:
    generated = 0.5 * gaussian(3, 200, 2) + 10
    with_outlier = np.concatenate([gaussian(4, 200, 2), [[30.0, 30.0]]])
    assert precision_recall(with_outlier, generated).precision == 1
    assert density_coverage(with_outlier, generated).density < 0.21  # only the outlier's ball, of the k = 5 it counts


# -- memorisation ---------------------------------------------------------------------------------------------------


def test_copies_are_found_and_named() -> None:
    train, test = gaussian(0, 500, 5), gaussian(1, 300, 5)
    generated = gaussian(2, 400, 5)
    generated[[7, 11]] = train[[40, 3]] + np.array([[1e-9], [1e-6]])
    found = memorisation(train, generated, test, pairs=2)
    assert found.pairs.tolist() == [[7, 40], [11, 3]]
    assert found.distances == pytest.approx(np.sqrt(5) * np.array([1e-9, 1e-6]), rel=1e-5)
    assert found.nearer_than_test == pytest.approx(0.5, abs=0.06)
    assert found.copies < 0.04


def test_a_copying_generator_is_told_from_a_fresh_one() -> None:
    train, test = gaussian(0, 500, 5), gaussian(1, 300, 5)
    copying = memorisation(train, train[::2] + 0.01 * gaussian(2, 250, 5), test)
    fresh = memorisation(train, gaussian(3, 400, 5), test)
    assert copying.nearer_than_test == 1
    assert copying.copies == 1
    assert copying.authentic < 0.01
    assert fresh.authentic == pytest.approx(fresh.authentic_test, abs=0.1)
    assert fresh.median == pytest.approx(fresh.median_test, rel=0.05)


def test_ranks_equal_the_mann_whitney_statistic_and_shares_brute_force() -> None:
    train, generated, test = gaussian(0, 40, 2), gaussian(1, 30, 2), gaussian(2, 20, 2)
    generated[4] = test[3]  # a tie
    of_generated, of_test = brute_distances(generated, train), brute_distances(test, train)
    u = mannwhitneyu(of_test.min(axis=1), of_generated.min(axis=1)).statistic
    found = memorisation(train, generated, test)
    assert found.nearer_than_test == pytest.approx(u / 600)
    reach = brute_radii(train, 1)
    authentic = [row.min() > reach[row.argmin()] for row in of_generated]
    assert found.authentic == np.mean(authentic)
    assert found.median == pytest.approx(np.median(of_generated.min(axis=1)))


# -- ties -----------------------------------------------------------------------------------------------------------


def tied_features(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give whole numbers, whose squared distances numpy has exactly."""
    rng = np.random.default_rng(3)
    if kind == "binary":
        return tuple(rng.integers(0, 2, (60, 8)) for _ in range(3))  # type: ignore[return-value]
    if kind == "counts":
        return tuple(rng.poisson(2, (50, 3)) for _ in range(3))  # type: ignore[return-value]
    few = rng.integers(-9, 9, (12, 5))
    return tuple(few[rng.integers(0, len(few), 40)] for _ in range(3))  # type: ignore[return-value]


def whole_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x[:, None] - y[None]) ** 2).sum(axis=2)


MOVES = {
    "as they are": lambda z: z.astype(float),
    "shifted": lambda z: z + 10.0,
    "far away": lambda z: z + 1e6,
    "tripled": lambda z: 3.0 * z,
    "quantised": lambda z: z / 255,
    "quantised and shifted": lambda z: 0.1 * z + 0.7,
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("kind", ["binary", "counts", "repeated"])
@pytest.mark.parametrize("k", [1, 3])
def test_shares_of_tied_distances_equal_whole_numbers(
    kind: str, k: int, move: Callable[[np.ndarray], np.ndarray]
) -> None:
    x, y, _ = tied_features(kind)
    across = whole_squares(x, y)
    of_x, of_y = (np.sort(whole_squares(z, z), axis=1)[:, k] for z in (x, y))
    in_x, in_y = across <= of_x[:, None], across <= of_y
    pr, dc = precision_recall(move(x), move(y), k=k), density_coverage(move(x), move(y), k=k)
    assert (pr.precision, pr.recall) == (in_x.any(axis=0).mean(), in_y.any(axis=1).mean())
    assert (dc.density, dc.coverage) == (in_x.sum() / (k * len(y)), in_x.any(axis=1).mean())


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("kind", ["binary", "counts", "repeated"])
def test_memorisation_of_tied_distances_equals_whole_numbers(
    kind: str, move: Callable[[np.ndarray], np.ndarray]
) -> None:
    train, generated, test = tied_features(kind)
    reach = np.sort(whole_squares(train, train), axis=1)[:, 1]
    of_generated, of_test = whole_squares(generated, train), whole_squares(test, train)
    near, near_test = of_generated.min(axis=1), of_test.min(axis=1)
    found = memorisation(move(train), move(generated), move(test))
    assert found.authentic == (near > reach[of_generated.argmin(axis=1)]).mean()
    assert found.authentic_test == (near_test > reach[of_test.argmin(axis=1)]).mean()
    assert found.nearer_than_test == pytest.approx(
        mannwhitneyu(near_test, near).statistic / (len(near) * len(near_test))
    )


def test_a_far_outlier_widens_no_ball() -> None:
    x, y = np.concatenate([gaussian(0, 40, 3), np.full((1, 3), 1e6)]), 0.6 * gaussian(1, 30, 3) + 0.3
    hits = brute_distances(x, y) <= brute_radii(x, 5)[:, None]
    found = density_coverage(x, y, k=5)
    assert (found.density, found.coverage) == (hits.sum() / 150, hits.any(axis=1).mean())
    assert precision_recall(x, y, k=5).precision == hits.any(axis=0).mean()


# -- all ------------------------------------------------------------------------------------------------------------


def figures(result: object) -> list[float]:
    values = vars(result).values() if hasattr(result, "__dict__") else [result]
    return [value for value in values if isinstance(value, float)]


PAIRWISE = [frechet_distance, kernel_distance, precision_recall, density_coverage]


@pytest.mark.parametrize("measure", PAIRWISE)
def test_wrong_features_are_refused(measure: Callable[..., object]) -> None:
    x = gaussian(0, 20, 3)
    with pytest.raises(ValueError, match=r"shape \(N, D\)"):
        measure(x[:, 0], x)
    with pytest.raises(ValueError, match="real ones have 3, generated 2"):
        measure(x, x[:, :2])
    with pytest.raises(ValueError, match=r"at least \d generated samples"):
        measure(x, x[:1])
    with pytest.raises(ValueError, match="generated features hold NaN"):
        measure(x, np.where(x > 2, np.nan, np.nan))


@pytest.mark.parametrize("measure", PAIRWISE)
def test_blocks_change_nothing(measure: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussian(0, 50, 3), gaussian(1, 40, 3)
    whole = measure(x, y)
    monkeypatch.setattr(samples, "BLOCK_VALUES", 130)
    assert [len(x[rows]) for rows in samples.row_blocks(50, 40)][:2] == [3, 3]
    parts = measure(x, y)
    for before, after in zip(figures(whole), figures(parts), strict=True):
        assert after == pytest.approx(before, rel=1e-9)


@pytest.mark.parametrize("measure", PAIRWISE)
def test_inputs_are_not_changed_and_any_float_will_do(measure: Callable[..., object]) -> None:
    x, y = gaussian(0, 50, 3).astype(np.float32), gaussian(1, 40, 3).astype(np.float32)
    before = x.copy(), y.copy()
    assert measure(x, y) == measure(x.astype(np.float64), y.astype(np.float64))
    assert np.array_equal(x, before[0])
    assert np.array_equal(y, before[1])


def test_k_must_leave_neighbours() -> None:
    with pytest.raises(ValueError, match="k must be from 1 to 3"):
        neighbours.radii(gaussian(0, 4, 2), 4)


# -- what is refused ------------------------------------------------------------------------------------------------

EYE = np.eye(3)


@pytest.mark.parametrize(
    ("mean", "covariance", "words"),
    [
        (np.zeros(1), EYE, r"a mean of shape \(D,\) and a covariance of shape \(D, D\), got \(1,\) and \(3, 3\)"),
        (np.zeros((3, 1)), EYE, r"got \(3, 1\) and \(3, 3\)"),
        (np.zeros(2), np.eye(2), "both Gaussians need the same dimension, got 3 and 2"),
        (np.full(3, np.nan), EYE, "NaN or infinite"),
        (np.zeros(3), np.full((3, 3), np.inf), "NaN or infinite"),
        (np.zeros(3), EYE + np.eye(3, k=1), "symmetric"),
        (np.zeros(3), -EYE, "eigenvalues >= 0, the least is -1"),
        (np.full(3, 1e200), EYE, "too large for float64"),
    ],
)
def test_what_is_no_gaussian_is_refused(mean: np.ndarray, covariance: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        frechet_distance_of_gaussians(np.zeros(3), EYE, mean, covariance)
    if "both" not in words:
        with pytest.raises(ValueError, match=words):
            frechet_distance_of_gaussians(mean, covariance, np.zeros(3), EYE)


def test_covariances_of_float32_and_of_few_samples_are_taken() -> None:
    x = gaussian(0, 20, 60)
    covariance = np.cov(x.T).astype(np.float32)  # its least eigenvalues are rounding, some below 0
    assert frechet_distance_of_gaussians(np.zeros(60), covariance, np.zeros(60), covariance) < 1e-2


@pytest.mark.parametrize("measure", PAIRWISE)
def test_features_whose_squares_overflow_are_refused(measure: Callable[..., object]) -> None:
    x = gaussian(0, 20, 3)
    for pair in ((x * 1e200, x), (x, x * 1e200), (x * 1e307, x)):
        with pytest.raises(ValueError, match="too large for float64; divide both sets by the same number"):
            measure(*pair)


@pytest.mark.parametrize("k", [1.5, 0, 20])
@pytest.mark.parametrize("measure", [precision_recall, density_coverage])
def test_k_must_be_a_count_of_neighbours(measure: Callable[..., object], k: float) -> None:
    with pytest.raises(ValueError, match=f"k must be from 1 to 19, an integer below the number of samples; got {k}"):
        measure(gaussian(0, 20, 3), gaussian(1, 20, 3), k=k)


def test_counts_must_be_whole_and_possible() -> None:
    with pytest.raises(ValueError, match="k must be from 1 to 3"):
        expected_coverage(4, 1, k=7)
    with pytest.raises(ValueError, match="generated must be an integer >= 1, got 0"):
        expected_coverage(4, 0, k=1)
    with pytest.raises(ValueError, match=r"splits must be an integer >= 1, got 2\.5"):
        inception_score(np.eye(4), splits=2.5)  # type: ignore[arg-type]
    for pairs in (-1, 1.5):
        with pytest.raises(ValueError, match=f"pairs must be an integer >= 0, got {pairs}"):
            memorisation(gaussian(0, 9, 2), gaussian(1, 9, 2), gaussian(2, 9, 2), pairs=pairs)  # type: ignore[arg-type]


def test_memorisation_names_the_set_that_is_wrong_and_takes_one_sample() -> None:
    train = gaussian(0, 9, 2)
    with pytest.raises(ValueError, match="training ones have 2, test 3"):
        memorisation(train, train, gaussian(1, 9, 3))
    with pytest.raises(ValueError, match="training ones have 2, generated 3"):
        memorisation(train, gaussian(1, 9, 3), train)
    found = memorisation(train, train[4:5], train[:1] + 1)
    assert (found.nearer_than_test, found.copies, found.authentic, found.median) == (1, 1, 0, 0)
    assert found.pairs.tolist() == [[0, 4]]
