"""Checks: against true errors where those are known, and against damage made worse on purpose."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

import anew
from anew.restoration import checks
from anew.restoration.inpainting_choice import choose_inpainting, hold_out
from anew.tiles import apply_in_tiles, fill_in_tiles


def noisy(clean: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    return (clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)).astype(np.float32)


def test_sure_of_a_linear_filter_is_the_closed_form() -> None:
    """For f(y) = a y, SURE = (1 - a)^2 |y|^2 / N - sigma^2 + 2 sigma^2 a."""
    y = noisy(np.full((200, 200), 0.5, np.float32), 0.1)
    expected = 0.7**2 * np.mean(y**2) - 0.01 + 2 * 0.01 * 0.3
    estimate = checks.monte_carlo_sure(y, lambda x: np.float32(0.3) * x, 0.1)
    assert estimate == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("width", [0.6, 1.0, 2.0])
def test_sure_meets_the_true_error(width: float) -> None:
    clean = (skimage.data.camera() / 255).astype(np.float32)
    y = noisy(clean, 0.1)
    true = np.mean((gaussian_filter(y, width) - clean) ** 2)
    estimate = checks.monte_carlo_sure(y, lambda x: gaussian_filter(x, width), 0.1)
    assert 10 * np.log10(estimate / true) == pytest.approx(0, abs=0.2)


def test_sure_takes_a_result_that_was_made_of_more_pixels() -> None:
    """Cut out of the whole, it differs at the borders from what the window alone gives; the estimate does not."""
    clean = (skimage.data.camera() / 255).astype(np.float32)
    y = noisy(clean, 0.1)
    whole = gaussian_filter(y, 2.0)
    window = np.s_[100:292, 200:392]
    estimate = checks.monte_carlo_sure(y[window], lambda x: gaussian_filter(x, 2.0), 0.1, denoised=whole[window])
    assert estimate == pytest.approx(np.mean((whole - clean)[window] ** 2), rel=0.1)


def grainy(clean: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise through the kernel [1 2 1] in both directions, and its autocorrelation, known from the kernel."""
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 6  # of unit energy
    noise = cv2.filter2D(np.random.default_rng(3).standard_normal(clean.shape), -1, kernel)
    along = np.array([0, 1, 4, 6, 4, 1, 0]) / 6
    return (clean + sigma * noise).astype(np.float32), np.outer(along, along)


@pytest.mark.parametrize("width", [0.6, 1.0, 2.0])
def test_sure_meets_the_true_error_under_correlated_noise(width: float) -> None:
    clean = (skimage.data.camera() / 255).astype(np.float32)
    y, autocorrelation = grainy(clean, 0.1)

    def smooth(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, width)

    true = np.mean((smooth(y) - clean) ** 2)
    estimate = checks.monte_carlo_sure(y, smooth, 0.1, autocorrelation=autocorrelation)
    assert 10 * np.log10(estimate / true) == pytest.approx(0, abs=0.2)
    assert checks.monte_carlo_sure(y, smooth, 0.1) < 0.8 * true  # taken for white, it would seem to be gone


def test_sure_meets_the_true_error_under_noise_that_grows_with_the_light() -> None:
    clean = (skimage.data.camera() / 255).astype(np.float32)
    noise = checks.MeasuredNoise(0.1, gain=0.03, offset_sigma=0.01)
    deviation = np.sqrt(0.03 * clean + 0.01**2)
    np.testing.assert_allclose(noise.deviation(clean), deviation, rtol=1e-6)
    y = (clean + deviation * np.random.default_rng(2).standard_normal(clean.shape)).astype(np.float32)

    def bright_only(x: np.ndarray) -> np.ndarray:
        return np.where(clean > 0.5, gaussian_filter(x, 1.5), x)

    true = np.mean((bright_only(y) - clean) ** 2)
    estimate = checks.monte_carlo_sure(y, bright_only, noise.deviation(clean))
    assert 10 * np.log10(estimate / true) == pytest.approx(0, abs=0.2)


def test_coloured_noise_has_the_autocorrelation_that_was_asked_for() -> None:
    _, autocorrelation = grainy(np.zeros((8, 8)), 1.0)
    b = checks.coloured(np.random.default_rng(0).standard_normal((600, 600), np.float32), autocorrelation)
    assert float(np.mean(b * b)) == pytest.approx(1, abs=0.02)
    for dy, dx in ((0, 1), (1, 1), (2, 0), (0, 3)):
        found = float(np.mean(b[dy:, dx:] * b[: b.shape[0] - dy, : b.shape[1] - dx]))
        assert found == pytest.approx(autocorrelation[3 + dy, 3 + dx], abs=0.02)


def test_a_good_denoiser_is_kept_and_a_crude_one_dropped(colour_photo: np.ndarray) -> None:
    y = noisy(colour_photo, 0.08)
    noise = checks.MeasuredNoise(0.08)

    def blur(width: float):
        return lambda x: np.stack([gaussian_filter(x[:, :, c], width) for c in range(3)], axis=2)

    assert checks.check_denoised(y, blur(0.8)(y), blur(0.8), noise).kept
    assert not checks.check_denoised(y, blur(8.0)(y), blur(8.0), noise).kept


def test_a_large_image_is_judged_by_windows_spread_over_it(grey_photo: np.ndarray) -> None:
    clean = np.tile(0.3 + 0.4 * grey_photo, (8, 8))[:900, :, None]  # alike everywhere, and nowhere near black or white
    y, sizes = noisy(clean, 0.08), []

    def smooth(x: np.ndarray) -> np.ndarray:
        sizes.append(x.shape)
        return cv2.GaussianBlur(x, (0, 0), 0.8)[:, :, None]

    denoised = smooth(y)
    true = 10 * np.log10(0.08**2 / np.mean((denoised - clean) ** 2))
    verdict = checks.check_denoised(y, denoised, smooth, checks.MeasuredNoise(0.08))
    assert verdict.kept
    assert sizes[1:] == [(192, 192, 1)] * 4
    assert verdict.figures["predicted_gain_db"] == pytest.approx(true, abs=0.5)
    for quarter in range(4):  # whichever of the rows or columns is spoilt, the windows see it
        for axis in (0, 1):
            spoilt = denoised.copy()
            np.moveaxis(spoilt, axis, 0)[225 * quarter : 225 * quarter + 225] += 0.14
            worse = checks.check_denoised(y, spoilt, smooth, checks.MeasuredNoise(0.08)).figures
            assert worse["predicted_gain_db"] < verdict.figures["predicted_gain_db"] - 0.5


def test_the_gain_is_that_of_the_pixels_that_are_looked_at() -> None:
    """Where noise grows with the light, the dark rest of a picture says nothing of the noise in a bright window."""
    lit, rng = np.full((800, 1000, 1), 0.05, np.float32), np.random.default_rng(0)
    middle = np.s_[100:700, 150:850]  # holds all windows
    lit[middle] = 0.6
    deviation = np.sqrt(0.01 * lit + 0.005**2)
    grainy = (lit + deviation * rng.standard_normal(lit.shape)).astype(np.float32)

    def blur(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, (0.7, 0.7, 0))

    denoised = blur(grainy)
    verdict = checks.check_denoised(grainy, denoised, blur, checks.MeasuredNoise(0.05, gain=0.01, offset_sigma=0.005))
    before, after = (np.mean((image - lit)[121:678, 161:838] ** 2) for image in (grainy, denoised))
    assert verdict.figures["predicted_gain_db"] == pytest.approx(10 * np.log10(before / after), abs=0.3)


def test_texture_taken_for_noise_is_seen(colour_photo: np.ndarray) -> None:
    half = colour_photo.copy()
    half[:, 64:] = 0.5  # smooth, and without any noise
    half[:, :64] = noisy(half[:, :64], 0.1)

    def blur(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (0, 0), 1)

    verdict = checks.check_denoised(half, blur(half), blur, checks.MeasuredNoise(0.1))
    assert not verdict.kept
    assert "texture" in verdict.reason


def test_residual_correlation_of_white_and_of_smooth_noise() -> None:
    white = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    assert checks.residual_correlation(white) == pytest.approx(0, abs=0.01)
    # A box of 2 x 2 over white noise: neighbours share half of their samples.
    assert checks.residual_correlation(cv2.blur(white, (2, 2))) == pytest.approx(0.5, abs=0.02)


def test_blockiness_is_one_without_blocks_and_grows_with_compression(grey_photo: np.ndarray) -> None:
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    assert checks.blockiness(ramp + ramp.T) == pytest.approx(1, abs=1e-3)
    grey_levels = np.rint(grey_photo * 255).astype(np.uint8)
    values = []
    for quality in (80, 30, 8):
        _, code = cv2.imencode(".jpg", grey_levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        values.append(checks.blockiness(cv2.imdecode(code, 0).astype(np.float32) / 255))
    assert values == sorted(values)
    assert values[-1] > 1.5
    shifted = np.roll(cv2.imdecode(code, 0), (3, 5), (0, 1)).astype(np.float32) / 255
    assert checks.blockiness(shifted, (3, 5)) > 1.5 > checks.blockiness(shifted, (0, 0))


def test_blockiness_is_finite_where_steps_stand_at_the_borders_of_blocks_only() -> None:
    board = np.kron(np.indices((6, 6)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.float32)
    assert 100 < checks.blockiness(board) < 1e5
    faded = 0.5 + np.float32(0.9) * (board - np.float32(0.5))
    verdict = checks.check_deblocked(board, faded, 10)
    assert verdict.kept
    assert not any(character.isdigit() for character in verdict.reason)  # how many times none is tells nothing


def test_borders_that_fade_by_less_than_the_compression_explains_are_left(grey_photo: np.ndarray) -> None:
    _, code = cv2.imencode(".jpg", np.rint(grey_photo * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])
    image = cv2.imdecode(code, 0).astype(np.float32) / 255
    smooth = cv2.GaussianBlur(image, (0, 0), 0.7)
    assert checks.check_deblocked(image, smooth, 30).kept
    assert not checks.check_deblocked(image, image + np.float32(0.01) * (smooth - image), 30).kept


def test_of_a_photograph_calmer_blocks_with_the_same_borders_do_not_suffice(grey_photo: np.ndarray) -> None:
    _, code = cv2.imencode(".jpg", np.rint(grey_photo * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])
    image = cv2.imdecode(code, 0).astype(np.float32) / 255
    calm = image.copy()
    for top, left in np.ndindex(16, 16):
        block = np.s_[8 * top : 8 * top + 8, 8 * left : 8 * left + 8]
        calm[block] = cv2.GaussianBlur(image[block], (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    verdict = checks.check_deblocked(image, calm, 30)
    assert checks.blockiness(calm) > checks.blockiness(image)
    assert not verdict.kept
    assert "no weaker" in verdict.reason


def test_of_a_page_the_ripples_beside_its_letters_are_judged() -> None:
    picture = Image.new("L", (320, 240), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for row in range(12):
        pen.text((8, 20 * row), "Sphinx of black quartz, judge my vow; 42", 10, font)
    clean = np.asarray(picture, np.float32) / 255
    _, code = cv2.imencode(".jpg", np.asarray(picture), [cv2.IMWRITE_JPEG_QUALITY, 50])
    page = cv2.imdecode(code, 0).astype(np.float32) / 255
    assert checks.check_deblocked(page, page + np.float32(0.5) * (clean - page), 50).kept
    assert not checks.check_deblocked(page, page, 50).kept
    assert not checks.check_deblocked(page, page - np.float32(0.3) * (clean - page), 50).kept
    restored = anew.restore(page)
    assert [(step.kind, step.kept) for step in restored.steps] == [("jpeg", True)]
    assert "ripples" in restored.steps[0].reason


def test_without_evidence_only_what_a_person_marked_or_has_no_value_is_filled(grey_photo: np.ndarray) -> None:
    image, mask = grey_photo[:, :, None], np.zeros(grey_photo.shape, bool)
    mask[20:100] = True
    filled = np.where(mask[:, :, None], np.float32(0.5), image)
    empty = np.where(mask[:, :, None], np.float32(np.nan), image)
    assert not checks.check_filled(image, filled, mask, np.nan, "holes").kept
    assert checks.check_filled(empty, filled, mask, np.nan, "holes").kept
    assert checks.check_filled(image, filled, mask, np.nan, "marked").kept


@pytest.mark.parametrize(
    ("kind", "least"), [("impulses", 2.3), ("holes", 0.5), ("text", 0.5), ("scratches", 1.5), ("dust", 1.5)]
)
def test_how_odd_pixels_must_be_depends_on_what_they_are_taken_for(kind: str, least: float) -> None:
    image, mask = np.full((100, 100, 1), 0.4, np.float32), np.zeros((100, 100), bool)
    mask[3, :40] = True
    for oddity in (0.9, 1.1):
        filled = image + np.where(mask, np.float32(oddity * least * 0.02), 0)[:, :, None]
        verdict = checks.check_filled(image, filled, mask, 0.02, kind)
        assert verdict.kept == (oddity > 1)
        assert verdict.figures == pytest.approx({"held_out_error": 0.02, "change": oddity * least * 0.02}, abs=1e-5)
    assert checks.check_filled(image, image, mask, 0.02, "marked").kept


@pytest.mark.parametrize(("count", "words"), [(1, "0.01%"), (4, "0.04%"), (5, "0.1%"), (250, "2.5%")])
def test_the_share_that_was_filled_is_said(count: int, words: str) -> None:
    image, mask = np.zeros((100, 100, 1), np.float32), np.zeros((100, 100), bool)
    mask.flat[:count] = True
    reason = checks.check_filled(image, image + 1, mask, 0.02, "holes").reason
    assert reason == f"{words} of the pixels were filled; held-out ones return within 5 of 255"


def test_odd_pixels_are_filled_and_ordinary_ones_left(grey_photo: np.ndarray) -> None:
    image = grey_photo[:, :, None]
    mask = np.zeros(grey_photo.shape, bool)
    mask[:, 60:63] = True
    scratched = image.copy()
    scratched[mask] = 1.0
    name, error = choose_inpainting(np.where(mask[:, :, None], 0, image), mask, ["biharmonic", "telea"])
    assert name in ("biharmonic", "telea")
    from anew.restoration.tasks import inpaint

    filled = inpaint(scratched, mask)
    assert checks.check_filled(scratched, filled, mask, error, "scratches").kept
    assert not checks.check_filled(image, filled, mask, error, "scratches").kept


def test_held_out_pixels_are_known_ones() -> None:
    mask = np.zeros((80, 80), bool)
    mask[10:20, 30:60] = True
    held = hold_out(mask)
    assert held is not None
    assert not (held & mask).any()
    assert held.sum() > 100
    assert hold_out(np.ones((8, 8), bool)) is None


def test_turning_a_grid_upright_is_seen() -> None:
    from anew.restoration.unwarping.tilt import unwarp_tilt

    page = np.ones((200, 200), np.float32)
    page[::50] = page[:, ::50] = 0
    page = cv2.GaussianBlur(page, (0, 0), 1)
    tilted = unwarp_tilt(page, angle=-4.0)
    inside = np.zeros((200, 200), bool)
    inside[20:-20, 20:-20] = True
    assert checks.straightness(page, inside) > 0.6
    upright = unwarp_tilt(tilted, angle=4.0)
    assert checks.check_unwarped(tilted[:, :, None], upright[:, :, None], inside).kept
    assert not checks.check_unwarped(page[:, :, None], tilted[:, :, None], inside).kept


def test_a_result_that_shows_less_than_half_of_real_pixels_is_dropped() -> None:
    crooked, upright = np.zeros((2, 80, 100, 1), np.float32)
    crooked[:, :50] += np.arange(80, dtype=np.float32)[:, None, None] / 80
    upright[:, ::10] = 1
    for rows, kept in ((45, True), (35, False)):
        valid = np.zeros((80, 100), bool)
        valid[:rows] = True
        verdict = checks.check_unwarped(crooked, upright, valid)
        assert verdict.kept == kept, verdict.reason
        assert ("would show real pixels" in verdict.reason) != kept


@pytest.mark.parametrize("angle", [-1.2, 3.0])
def test_the_edges_of_a_surround_prove_a_turn_whatever_the_content(angle: float) -> None:
    from anew.degradations.geometry import tilt
    from anew.restoration.unwarping.tilt import unwarp_tilt, valid_tilt

    slanted = tilt(np.float32(skimage.data.brick()[:, :, None] / 255), angle=-angle).image[100:400, 60:460]
    turned = tilt(slanted, angle=angle, border="constant").image  # what stood crooked is upright now
    back, valid = unwarp_tilt(turned, angle=angle, border="nearest"), valid_tilt(turned.shape, angle=angle)
    assert checks.straightness(back, valid) < checks.straightness(turned, valid)
    assert checks.check_unwarped(turned, back, valid, angle).kept
    assert not checks.check_unwarped(turned, back, valid, angle + 1).kept


def test_lines_of_text_prove_a_turn_whatever_their_letters() -> None:
    from anew.restoration.unwarping.tilt import unwarp_tilt

    page = np.ones((500, 400), np.float32)
    for row in range(40, 460, 12):
        for column in range(30, 360, 7):  # letters of slanted strokes only
            cv2.line(page, (column, row + 6), (column + 4, row), (0.0,), 1, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((199.5, 249.5), 2.0, 1.0)
    crooked = cv2.warpAffine(page, matrix, (400, 500), borderMode=cv2.BORDER_REPLICATE)[:, :, None]
    everywhere = np.ones(page.shape, bool)
    upright = unwarp_tilt(crooked, angle=2.0, border="nearest")
    assert checks.straightness(upright, everywhere) < 1.1 * checks.straightness(crooked, everywhere)
    assert checks.check_unwarped(crooked, upright, everywhere, 2.0).kept


@pytest.mark.parametrize(("angle", "kept"), [(1.7, False), (4.0, True)])
def test_a_small_turn_needs_a_clear_gain(angle: float, kept: bool) -> None:
    """People leave as much: a turn by it must do more than a larger one."""
    page = np.ones((200, 200, 1), np.float32)
    page[::50] = page[:, ::50] = 0
    page = cv2.GaussianBlur(page, (0, 0), 1)[:, :, None]
    crooked = page.copy()
    crooked[60:90, 60:90] += 0.02 * np.arange(30, dtype=np.float32)[:, None, None] * np.arange(30)[:, None] / 30
    everywhere = np.ones(page.shape[:2], bool)
    before, after = checks.straightness(crooked, everywhere), checks.straightness(page, everywhere)
    assert before < after < 1.1 * before
    assert checks.check_unwarped(crooked, page, everywhere, angle).kept == kept


def test_a_few_straight_edges_in_much_texture_prove_no_turn() -> None:
    texture = cv2.GaussianBlur(np.random.default_rng(0).standard_normal((200, 200)).astype(np.float32), (0, 0), 2)
    before = (0.5 + 0.2 * texture / texture.std())[:, :, np.newaxis]
    after = before.copy()
    after[:, 20:180:22] += 0.6
    everywhere = np.ones(texture.shape, bool)
    assert checks.straightness(before, everywhere) < checks.straightness(after, everywhere) < 0.1
    verdict = checks.check_unwarped(before, after, everywhere, 5.0)
    assert not verdict.kept
    assert "of the edges would stand straight" in verdict.reason


@pytest.mark.parametrize("side", [2, 5, 6])
def test_a_perfect_deblurring_is_kept_whatever_the_sides_of_the_psf(side: int, colour_photo: np.ndarray) -> None:
    psf = np.arange(1, side**2 + 1, dtype=np.float32).reshape(side, side)
    psf /= psf.sum()
    blurred, whole = np.zeros((116, 116, 3), np.float32), side // 2
    for y, x in np.ndindex(psf.shape):  # the sum of shifted pictures, the origin of the psf at (side // 2, side // 2)
        blurred += psf[y, x] * colour_photo[6 + whole - y :, 6 + whole - x :][:116, :116]
    verdict = checks.check_deblurred(blurred, colour_photo[6:122, 6:122], 0.0, psf)
    assert verdict.kept, verdict.reason
    shifted = checks.check_deblurred(blurred, colour_photo[6:122, 7:123], 0.0, psf)
    assert not shifted.kept
    assert "does not give the picture back" in shifted.reason


def test_noise_and_ringing_are_told_from_sharpness(grey_photo: np.ndarray) -> None:
    sharp = (0.2 + 0.6 * grey_photo)[:, :, None]
    soft = cv2.GaussianBlur(sharp, (0, 0), 1.0)[:, :, None]
    assert checks.check_deblurred(soft, sharp, 0.0, None).kept
    assert "no sharper" in checks.check_deblurred(soft, soft + np.float32(0.02) * (sharp - soft), 0.0, None).reason
    grainy_one = noisy(sharp, 0.05)
    for sigma, amplified in ((0.005, True), (0.015, True), (0.02, False)):
        assert ("amplifies noise to" in checks.check_deblurred(soft, grainy_one, sigma, None).reason) == amplified
    for share, rings in ((0.01, False), (0.04, True)):
        spread = sharp.copy()
        columns = round(share * sharp.shape[1] * 0.5)
        spread[:, 20 : 20 + columns], spread[:, 90 : 90 + columns] = soft.min() - 0.03, soft.max() + 0.03
        spread[:, 40:50] = soft.max() + 0.01  # so little beyond the range is none
        verdict = checks.check_deblurred(soft, spread, 0.02, None)
        assert ("edges ring" in verdict.reason) == rings
        assert verdict.figures["overshoot"] == pytest.approx(2 * columns / sharp.shape[1], abs=1e-4)


def test_compressed_noise_is_taken_from_everywhere_and_no_more_than_there_is(grey_photo: np.ndarray) -> None:
    clean = (0.2 + 0.6 * grey_photo)[:, :, None]
    for level, kept, word in ((0.02, True, "everywhere, 5.1 of 255"), (0.032, False, "changes more than noise")):
        verdict = checks.check_compressed_noise(noisy(clean, level), clean, 0.02)
        assert verdict.kept == kept
        assert word in verdict.reason
        assert verdict.figures["residual_over_sigma"] == pytest.approx(level / 0.02, rel=0.02)
    edges = np.abs(cv2.Laplacian(clean, cv2.CV_32F)) > 0.05
    verdict = checks.check_compressed_noise(clean + np.where(edges, np.float32(0.03), 0)[:, :, None], clean, 0.02)
    assert not verdict.kept
    assert "texture" in verdict.reason
    faint = noisy(clean, 0.005)  # a quarter of what was reckoned with; of a change at a quarter of its strength, all
    assert not checks.check_compressed_noise(faint, clean, 0.02).kept
    assert checks.check_compressed_noise(faint, clean, 0.02, strength=0.25).kept


def test_ripples_that_the_blur_wipes_out_are_dropped() -> None:
    """Blurred again they vanish, and they stay within the range; but in that window there was no such contrast."""
    sharp = (0.4 + 0.2 / 255 * skimage.data.camera()[100:356, 100:356, None]).astype(np.float32)
    sharp[:8, :8], sharp[:8, 8:16] = 0, 1
    psf = np.full((1, 9), 1 / 9, np.float32)
    blurred = cv2.blur(sharp, (9, 1), borderType=cv2.BORDER_REFLECT)[:, :, None]
    ripples = np.cos(2 * np.pi * np.arange(256, dtype=np.float32) / 9)[:, None]
    assert checks.check_deblurred(blurred, sharp, 0.0, psf).kept
    verdict = checks.check_deblurred(blurred, sharp + np.float32(0.15) * ripples, 0.0, psf)
    assert not verdict.kept
    assert "levelled" in verdict.reason


def test_edges_made_of_what_noise_hides_are_dropped() -> None:
    """Above an eighth of a cycle per pixel a soft micrograph holds nothing but the noise of its rounding."""
    from anew.degradations.blur import gaussian_psf
    from anew.restoration.deblurring.tv import deblur_tv

    soft, psf = skimage.data.cell()[:, :, None] / np.float32(255), gaussian_psf(4.1)
    verdict = checks.check_deblurred(soft, deblur_tv(soft, psf, 1 / 255), 1 / 255, psf)
    assert not verdict.kept
    assert "nowhere to be seen" in verdict.reason


def test_clipping_and_flattening_are_dropped(grey_photo: np.ndarray) -> None:
    image = grey_photo[:, :, None]
    assert checks.check_relit(image, image * np.float32(0.9) + np.float32(0.05)).kept
    assert not checks.check_relit(image, (image * 4 - 1).clip(0, 1)).kept
    assert not checks.check_relit(image, image * np.float32(0.1) + np.float32(0.4)).kept


def test_tiles_with_enough_halo_equal_the_whole() -> None:
    image = np.random.default_rng(0).random((150, 170, 2), np.float32)

    def blur(x: np.ndarray) -> np.ndarray:
        return cv2.blur(x, (9, 9), borderType=cv2.BORDER_REFLECT)

    tiled = apply_in_tiles(blur, image, halo=8, tile=64, whole=0)
    np.testing.assert_allclose(tiled, blur(image), atol=1e-6)


def test_holes_filled_in_tiles_equal_the_whole(colour_photo: np.ndarray) -> None:
    from anew.restoration.inpainting.diffusion import inpaint_diffusion

    image = np.tile(colour_photo, (2, 2, 1))
    mask = np.zeros(image.shape[:2], bool)
    mask[60:160, 100:190] = True  # deep, over several tiles
    mask[::17, 5:240:3] = True
    whole = inpaint_diffusion(image, mask)
    tiled = fill_in_tiles(inpaint_diffusion, image, mask, tile=64, whole=0)
    np.testing.assert_array_equal(tiled[~mask], image[~mask])
    np.testing.assert_allclose(tiled, whole, atol=0.02)


def test_the_risk_estimate_is_not_fooled_by_noise_of_a_common_seed(colour_photo: np.ndarray) -> None:
    noisy = colour_photo + 0.1 * np.random.default_rng(0).standard_normal(colour_photo.shape, np.float32)

    def smooth(x: np.ndarray) -> np.ndarray:
        return anew.denoise(x, 0.1, method="gaussian")

    true_error = float(np.mean((smooth(noisy) - colour_photo) ** 2))
    assert checks.monte_carlo_sure(noisy, smooth, 0.1) == pytest.approx(true_error, rel=0.15)
