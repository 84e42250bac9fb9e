"""BM3D: filter groups of similar blocks together, twice; the second time guided by the first result.

Dabov, Foi, Katkovnik and Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative filtering", IEEE
TIP 16 (2007); colour: "Color image denoising via sparse 3D collaborative filtering with grouping constraint in
luminance-chrominance space", ICIP 2007; noise of a known spectrum: "Image restoration by sparse 3D transform-domain
collaborative filtering", SPIE 6812 (2008), with the variances of Makinen, Azzari and Foi, "Collaborative filtering of
correlated noise: exact transform-domain variance for improved shrinkage and patch matching", IEEE TIP 29 (2020).

Deviations: similarity is judged by a threshold above the distance that the noise alone makes, so one profile serves
every sigma; estimates of a block are added up in the transform domain and transformed back once; any number of
channels is decorrelated by an orthonormal DCT across them, which for three is the opponent space of the paper.

The image is cut into tiles whose layout depends on its size only, and tiles are merged in order: the result does not
depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.noise_model import as_psd
from anew.kernels.block_matching import BLOCK, SPAN, match_blocks, search_offsets
from anew.kernels.block_transforms import add_blocks, bior_basis, dct_basis, kaiser_window, transform_blocks
from anew.kernels.collaborative_filtering import group_variances, threshold_groups, wiener_groups
from anew.options import NotNegative, checked_arguments
from anew.threads import thread_count

LEAST_VARIANCE = 1e-6  # of a coefficient, as a share of sigma^2
TILE = 125  # pixels that the reference blocks of a tile cover, per axis


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How one of the two passes groups blocks.

    Attributes
    ----------
    group : int, a power of 2
        Most blocks in a group, N_2.
    step : int
        Distance between reference blocks in pixels, N_step.
    radius : int
        Blocks are searched in a window of 2 * radius + 1 pixels, N_S.
    similar : float
        Mean squared difference, in grey levels of 255, up to which blocks are alike, beyond that of the noise.
    """

    group: int
    step: int
    radius: int
    similar: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What trades quality for speed.

    Attributes
    ----------
    hard, wiener : Stage
        The first and the second pass.
    threshold : float
        Hard threshold in standard deviations of the noise, lambda_3D, of the first plane: luminance, or grey.
    chroma_threshold : float
        That of the other planes, which hold less texture.
    window : float
        beta of the Kaiser window that weighs the pixels of a block.
    """

    hard: Stage
    wiener: Stage
    threshold: float = 2.6
    chroma_threshold: float = 3.1
    window: float = 2.0


PROFILES = {
    "normal": Profile(
        hard=Stage(group=16, step=3, radius=19, similar=2500),
        wiener=Stage(group=32, step=3, radius=19, similar=1000),
    ),
    "fast": Profile(
        hard=Stage(group=16, step=4, radius=12, similar=2500),
        wiener=Stage(group=16, step=4, radius=12, similar=1000),
    ),
}


@checked_arguments
def denoise_bm3d(
    image: Image, sigma: NotNegative, *, profile: str | Profile = "normal", psd: NDArray[np.floating] | None = None
) -> Image:
    """Remove Gaussian noise by block matching and collaborative filtering.

    Use it where no network may be trusted to have seen your kind of picture (microscopy, radar, astronomy), where every
    step must be explained, or where the noise is correlated and its spectrum is known.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Any size and number of channels; the noise is the same in all channels.
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1].
    profile : {"normal", "fast"} or Profile
        "fast" takes about half of the time for about 0.1 dB.
    psd : (h, w) float array, >= 0, optional
        Shape of the power spectrum of the noise in the order of ``numpy.fft.fft2``, of any size from 15x15; only its
        shape matters, ``sigma`` sets the scale. White if not given.

    Returns
    -------
    float32 array of the same shape
    """
    settings = choose_profile(profile)
    if sigma == 0:
        return image.copy()
    height, width = image.shape[:2]
    planes = pad_to_a_block(decorrelate(image))
    spectrum = None if psd is None else as_psd(psd)
    basic = first_estimate(planes, sigma, spectrum, settings)
    result = second_estimate(planes, basic, sigma, spectrum, settings)
    return recorrelate(result[:, :height, :width], image)


def choose_profile(profile: str | Profile) -> Profile:
    """Give a profile by its name."""
    if isinstance(profile, str) and profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    if not isinstance(profile, str | Profile):
        raise ValueError(f"profile must be one of {', '.join(PROFILES)} or a Profile, got {profile!r}")
    return PROFILES[profile] if isinstance(profile, str) else profile


def pad_to_a_block(planes: Image) -> Image:
    """Mirror (C, H, W) planes below and to the right where they are smaller than a block."""
    grow = [(0, max(0, BLOCK - n)) for n in planes.shape[1:]]
    return np.pad(planes, [(0, 0), *grow], mode="symmetric")


def decorrelate(image: Image) -> Image:
    """Give (C, H, W) planes, the first one the scaled mean of the channels; noise keeps its sigma."""
    channels = image[:, :, None] if image.ndim == 2 else image
    return np.ascontiguousarray(np.einsum("dc,hwc->dhw", _channel_basis(channels.shape[2]), channels))


def recorrelate(planes: Image, image: Image) -> Image:
    channels = np.einsum("dc,dhw->hwc", _channel_basis(len(planes)), planes)
    return np.ascontiguousarray(channels.reshape(image.shape))


def _channel_basis(n: int) -> NDArray[np.float32]:
    """Give the orthonormal DCT-II of length n; for 3 channels it is the opponent space, for 1 the identity."""
    k, c = np.mgrid[0:n, 0:n]
    basis = np.sqrt(2 / n) * np.cos(np.pi * k * (2 * c + 1) / (2 * n))
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def first_estimate(planes: Image, sigma: float, psd: NDArray[np.floating] | None, settings: Profile) -> Image:
    basis = bior_basis()
    covariance = coefficient_covariance(basis, sigma, psd, 2 * settings.hard.radius)

    def filter_plane(plane: int, tile: _Tile, scratch: _Scratch) -> None:
        transform_blocks(planes[plane], tile.top, tile.left, basis, scratch.rowwise(tile), scratch.noisy(tile))
        threshold_groups(
            scratch.noisy(tile).reshape(-1, BLOCK * BLOCK),
            scratch.found,
            scratch.count,
            scratch.variances,
            settings.threshold if plane == 0 else settings.chroma_threshold,
            scratch.estimates(tile).reshape(-1, BLOCK * BLOCK),
            scratch.weights(tile).reshape(-1),
        )

    luminance = planes[0] / np.float32(np.sqrt(len(planes)))
    noise = sigma**2 / len(planes)
    return _filter(planes.shape, luminance, noise, settings.hard, basis, covariance, settings.window, filter_plane)


def second_estimate(
    planes: Image, basic: Image, sigma: float, psd: NDArray[np.floating] | None, settings: Profile
) -> Image:
    basis = dct_basis()
    covariance = coefficient_covariance(basis, sigma, psd, 2 * settings.wiener.radius)

    def filter_plane(plane: int, tile: _Tile, scratch: _Scratch) -> None:
        transform_blocks(planes[plane], tile.top, tile.left, basis, scratch.rowwise(tile), scratch.noisy(tile))
        transform_blocks(basic[plane], tile.top, tile.left, basis, scratch.rowwise(tile), scratch.pilot(tile))
        wiener_groups(
            scratch.noisy(tile).reshape(-1, BLOCK * BLOCK),
            scratch.pilot(tile).reshape(-1, BLOCK * BLOCK),
            scratch.found,
            scratch.count,
            scratch.variances,
            scratch.estimates(tile).reshape(-1, BLOCK * BLOCK),
            scratch.weights(tile).reshape(-1),
        )

    luminance = basic[0] / np.float32(np.sqrt(len(planes)))
    return _filter(planes.shape, luminance, 0.0, settings.wiener, basis, covariance, settings.window, filter_plane)


def coefficient_covariance(
    basis: NDArray[np.float32], sigma: float, psd: NDArray[np.floating] | None, reach: int
) -> NDArray[np.float32]:
    """Give the covariance of the noise in each coefficient of two blocks, by their displacement.

    The covariance of two pixels is the autocorrelation r of the noise at their displacement, and r is the inverse
    Fourier transform of the power spectrum. With A_v(p) = sum_a T_va T_v(a+p), the autocorrelation of a basis vector,
    cov(v, u; d, e) = sum_pq A_v(p) A_u(q) r(d + p, e + q).

    Returns
    -------
    (2 reach + 1, 2 reach + 1, 64) float32 array, or (1, 1, 64) for white noise, where blocks count as independent
    """
    if psd is None:
        norm = (basis**2).sum(axis=1)
        covariance = np.outer(norm, norm)[None, None]
    else:
        r = np.fft.ifft2(psd).real
        r /= r[0, 0]
        lag = np.arange(-reach - BLOCK + 1, reach + BLOCK)
        window = r[np.ix_(lag % r.shape[0], lag % r.shape[1])]
        correlation = np.stack([np.correlate(b, b, mode="full") for b in basis.astype(np.float64)])  # A_v(p), symmetric
        shifted = np.lib.stride_tricks.sliding_window_view(window, 2 * BLOCK - 1, axis=0)  # (d, x, p)
        rowwise = np.einsum("vp,dxp->dvx", correlation, shifted, optimize=True)
        shifted = np.lib.stride_tricks.sliding_window_view(rowwise, 2 * BLOCK - 1, axis=2)  # (d, v, e, q)
        covariance = np.einsum("uq,dveq->devu", correlation, shifted, optimize=True)
    flat = covariance.reshape(*covariance.shape[:2], BLOCK * BLOCK)
    centre = flat[flat.shape[0] // 2, flat.shape[1] // 2]
    centre[:] = np.maximum(centre, LEAST_VARIANCE)
    return np.ascontiguousarray(sigma**2 * flat, np.float32)


@dataclass(frozen=True)
class _Tile:
    """Reference blocks that are handled together, and the rectangle of block positions that their groups may use."""

    rows: NDArray[np.int64]  # top rows of the reference blocks
    columns: NDArray[np.int64]
    top: int
    left: int
    height: int  # of the rectangle of positions
    width: int


def _tiles(height: int, width: int, stage: Stage) -> Iterator[_Tile]:
    """Cut the grid of reference blocks into tiles."""
    r = stage.radius
    for rows in _runs(_grid(height, stage.step), TILE):
        for columns in _runs(_grid(width, stage.step), TILE):
            top, left = max(0, rows[0] - r), max(0, columns[0] - r)
            bottom, right = min(height - BLOCK, rows[-1] + r), min(width - BLOCK, columns[-1] + r)
            yield _Tile(rows, columns, int(top), int(left), int(bottom - top + 1), int(right - left + 1))


def _grid(length: int, step: int) -> NDArray[np.int64]:
    """Give the reference positions along one axis; the last block is always one."""
    return np.unique(np.append(np.arange(0, length - BLOCK, step), length - BLOCK))


def _runs(positions: NDArray[np.int64], span: int) -> list[NDArray[np.int64]]:
    """Cut positions into runs of nearly equal length, of blocks that fit into a span of pixels."""
    pieces = -(-int(positions[-1] + BLOCK - positions[0]) // span)
    while True:
        runs = np.array_split(positions, pieces)
        if all(run[-1] - run[0] <= span - BLOCK for run in runs):
            return runs
        pieces += 1


class _Scratch:
    """The arrays that one thread works in, allocated once."""

    def __init__(self, stage: Stage) -> None:
        side = TILE - BLOCK + 2 * stage.radius + 1
        self._rowwise = np.empty((side + BLOCK) * side * BLOCK, np.float32)
        self._noisy = np.empty(side * side * BLOCK * BLOCK, np.float32)
        self._pilot = np.empty(side * side * BLOCK * BLOCK, np.float32)
        self._estimates = np.empty(side * side * BLOCK * BLOCK, np.float32)
        self._weights = np.empty(side * side, np.float32)
        self.found = np.empty((0, stage.group), np.int64)
        self.count = np.empty(0, np.int64)
        groups = ((TILE - BLOCK) // stage.step + 2) ** 2
        self._variances = np.empty((groups, stage.group, BLOCK * BLOCK), np.float32)
        self.variances = self._variances[:0]

    def take_groups(
        self, found: NDArray[np.int64], count: NDArray[np.int64], pitch: int, covariance: NDArray[np.float32]
    ) -> None:
        """Keep the groups of a tile, and the variance of the noise in them, which all planes share."""
        self.found, self.count = found, count
        alike = covariance.shape[0] == 1  # in white noise all groups are
        self.variances = self._variances[: 1 if alike else len(count)]
        group_variances(found, count, pitch, covariance, self.variances)

    def rowwise(self, tile: _Tile) -> NDArray[np.float32]:
        return _shaped(self._rowwise, (tile.height + BLOCK - 1, tile.width, BLOCK))

    def noisy(self, tile: _Tile) -> NDArray[np.float32]:
        return _shaped(self._noisy, (tile.height, tile.width, BLOCK * BLOCK))

    def pilot(self, tile: _Tile) -> NDArray[np.float32]:
        return _shaped(self._pilot, (tile.height, tile.width, BLOCK * BLOCK))

    def estimates(self, tile: _Tile) -> NDArray[np.float32]:
        return _shaped(self._estimates, (tile.height, tile.width, BLOCK * BLOCK))

    def weights(self, tile: _Tile) -> NDArray[np.float32]:
        return _shaped(self._weights, (tile.height, tile.width))


def _shaped(memory: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return memory[: int(np.prod(shape))].reshape(shape)


def _match(
    padded: Image, shape: tuple[int, int], tile: _Tile, offsets: NDArray[np.int64], alike: float, stage: Stage
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the groups of all reference blocks of a tile: numbers of blocks (G, N), and how many (G,)."""
    found, count = [], []
    origin = (tile.top, tile.left, tile.width)
    for rows in _runs(tile.rows, SPAN):
        for columns in _runs(tile.columns, SPAN):
            found.append(np.empty((len(rows), len(columns), stage.group), np.int64))
            count.append(np.empty((len(rows), len(columns)), np.int64))
            match_blocks(padded, stage.radius, shape, rows, columns, offsets, alike, origin, found[-1], count[-1])
    return np.concatenate([f.reshape(-1, stage.group) for f in found]), np.concatenate([c.ravel() for c in count])


def _filter(
    shape: tuple[int, ...],
    luminance: Image,
    noise: float,
    stage: Stage,
    basis: NDArray[np.float32],
    covariance: NDArray[np.float32],
    beta: float,
    filter_plane: Callable[[int, _Tile, _Scratch], None],
) -> Image:
    """Match blocks on the luminance, filter the groups of every plane, and average all estimates of each pixel."""
    n_planes, height, width = shape
    r = stage.radius
    padded = np.pad(luminance, ((r, r), (r, r + SPAN)))
    offsets = search_offsets(r)
    alike = stage.similar / 255**2 + 2 * noise
    synthesis, window = np.linalg.inv(basis), kaiser_window(beta)
    idle: SimpleQueue[_Scratch] = SimpleQueue()

    def work(tile: _Tile) -> NDArray[np.float32]:
        try:
            scratch = idle.get_nowait()
        except Empty:
            scratch = _Scratch(stage)
        groups = _match(padded, (height, width), tile, offsets, alike, stage)
        scratch.take_groups(*groups, tile.width, covariance)
        sums = np.empty((n_planes, 2, tile.height + BLOCK - 1, tile.width + BLOCK - 1), np.float32)
        for plane in range(n_planes):
            scratch.estimates(tile)[:] = 0
            scratch.weights(tile)[:] = 0
            filter_plane(plane, tile, scratch)
            estimates, weights, rowwise = scratch.estimates(tile), scratch.weights(tile), scratch.rowwise(tile)
            add_blocks(estimates, weights, synthesis, window, rowwise, sums[plane, 0], sums[plane, 1])
        idle.put(scratch)
        return sums

    total = np.zeros((n_planes, 2, height, width), np.float32)
    tiles = list(_tiles(height, width, stage))
    with ThreadPoolExecutor(min(thread_count(), len(tiles))) as pool:
        for tile, sums in zip(tiles, pool.map(work, tiles), strict=True):
            total[:, :, tile.top : tile.top + sums.shape[2], tile.left : tile.left + sums.shape[3]] += sums
    return total[:, 0] / total[:, 1]
