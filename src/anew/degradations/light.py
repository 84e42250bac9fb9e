"""Light: fading, colour casts, wrong exposure, uneven light, vignetting, too little light.

Nothing is clipped, except by ``exposure``, whose point it is.
"""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image, luminance
from anew.degradations.degraded import Degraded, check_between, check_level, check_whole, planes_of
from anew.degradations.painting import colour_of
from anew.randomness import Rng, seed_of

FADED_WHITE = (0.94, 0.88, 0.74)  # yellowed paper
FADED_BLACK = (0.36, 0.27, 0.23)  # dyes that let light through; cyan goes first, which leaves red


def fade(image: Image, *, amount: float = 0.5) -> Degraded:
    """Age the dyes and the paper:  y = b + (w - b) ((1 - a/2) x + a/2 luma(x))  per channel.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    amount : float in [0, 1]
        a; the black b goes from 0 to FADED_BLACK, the white w from 1 to FADED_WHITE with it. The truth holds both.
    """
    check_between("amount", amount, 0, 1)
    white = 1 - np.float32(amount) * (1 - colour_of(image, FADED_WHITE))
    black = np.float32(amount) * colour_of(image, FADED_BLACK)
    grey = planes_of(luminance(image))
    pale = planes_of(image) + np.float32(amount / 2) * (grey - planes_of(image))
    result = (black + (white - black) * pale).reshape(image.shape)
    return Degraded(result, parameters={"amount": amount, "black": black.tolist(), "white": white.tolist()})


def cast(image: Image, *, red: float = 1.15, green: float = 1.0, blue: float = 0.75) -> Degraded:
    """Tint it:  each channel times its gain (>= 0); (H, W, 3) only."""
    gains = _gains(image.shape, red, green, blue)
    return Degraded(image * gains, parameters={"red": red, "green": green, "blue": blue})


def cast_adjoint(
    y: Image, shape: tuple[int, ...], *, red: float = 1.15, green: float = 1.0, blue: float = 0.75
) -> Image:
    """Apply the adjoint of ``cast``, which is itself."""
    return y * _gains(shape, red, green, blue)


def _gains(shape: tuple[int, ...], red: float, green: float, blue: float) -> Image:
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError(f"a colour cast needs an image with 3 channels, got shape {tuple(shape)}")
    for name, gain in (("red", red), ("green", green), ("blue", blue)):
        check_level(name, gain, 0)
    return np.array([red, green, blue], np.float32)


def exposure(image: Image, *, stops: float = -1.5, gamma: float = 1.0) -> Degraded:
    """Expose wrongly: linear light (sRGB) times 2^stops, encoded again, to the power ``gamma``, clipped to [0, 1].

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    stops : float
        Below 0 too dark, above 0 too bright.
    gamma : float > 0
        Above 1 darkens the middle, below 1 brightens it.

    Returns
    -------
    Degraded
        Its mask tells where a channel was clipped at white.
    """
    check_between("stops", stops, -20, 20)
    check_between("gamma", gamma, 1e-3, 1e3)
    y = encode_srgb(decode_srgb(image) * np.float32(2.0**stops))
    clipped = planes_of(y).max(axis=2) > 1
    return Degraded(np.clip(y, 0, 1) ** np.float32(gamma), clipped, {"stops": stops, "gamma": gamma})


def low_light(
    image: Image, *, stops: float = -4.0, gain: float = 0.002, sigma: float = 0.002, rng: Rng = None
) -> Degraded:
    """Photograph in the dark: linear light (sRGB) times 2^stops, Poisson-Gaussian noise in linear light, encoded.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    stops : float <= 0
    gain, sigma : as in ``noise.poisson``, in linear light
    rng : int or Generator, optional
    """
    from anew.degradations.noise import poisson

    check_between("stops", stops, -20, 0)
    noisy = poisson(decode_srgb(image) * np.float32(2.0**stops), gain=gain, sigma=sigma, rng=rng)
    return Degraded(encode_srgb(noisy.image), parameters={**noisy.parameters, "stops": stops})


def uneven(image: Image, *, amount: float = 0.5, waves: int = 2, rng: Rng = None) -> Degraded:
    """Light it unevenly: multiply by a smooth field that lies between 1 - amount and 1.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    amount : float in [0, 1]
    waves : int >= 1
        Half-waves across the image: the field is a random mixture of cosines up to that order.
    rng : int or Generator, optional
    """
    seed = seed_of(rng)
    field = uneven_field(image.shape, amount=amount, waves=waves, seed=seed)
    return Degraded(_times(image, field), parameters={"amount": amount, "waves": waves, "seed": seed})


def uneven_adjoint(y: Image, shape: tuple[int, ...], *, amount: float = 0.5, waves: int = 2, seed: int = 0) -> Image:
    """Apply the adjoint of ``uneven``, which is itself."""
    return _times(y, uneven_field(shape, amount=amount, waves=waves, seed=seed))


def uneven_field(shape: tuple[int, ...], *, amount: float, waves: int, seed: int) -> Image:
    """Give the (H, W) float32 field that ``uneven`` multiplies by."""
    check_between("amount", amount, 0, 1)
    check_whole("waves", waves, 1, 100)
    rng = np.random.default_rng(seed)
    order = np.arange(int(waves) + 1)
    weight = np.zeros((len(order), len(order)))
    weight.flat[1:] = rng.normal(size=weight.size - 1)  # the constant has none
    weight.flat[1:] /= np.add.outer(order, order).flat[1:] ** 1.5
    down, across = (np.cos(np.outer((np.arange(n) + 0.5) / n * np.pi, order)) for n in shape[:2])
    field = down @ weight @ across.T
    low, high = field.min(), field.max()
    relative = (field - low) / (high - low) if high > low else np.ones_like(field)
    return (1 - amount * (1 - relative)).astype(np.float32)


def vignette(image: Image, *, amount: float = 0.5) -> Degraded:
    """Darken towards the corners by the cos^4 law of lenses.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    amount : float in [0, 0.999]
        The centres of the corner pixels are multiplied by 1 - amount, the image centre by 1.
    """
    return Degraded(_times(image, vignette_field(image.shape, amount=amount)), parameters={"amount": amount})


def vignette_adjoint(y: Image, shape: tuple[int, ...], *, amount: float = 0.5) -> Image:
    """Apply the adjoint of ``vignette``, which is itself."""
    return _times(y, vignette_field(shape, amount=amount))


def vignette_field(shape: tuple[int, ...], *, amount: float) -> Image:
    """Give the (H, W) float32 field that ``vignette`` multiplies by:  cos^4 t = (1 + tan^2 t)^-2,  tan t ~ r."""
    check_between("amount", amount, 0, 0.999)
    cy, cx = ((n - 1) / 2 for n in shape[:2])
    y, x = np.arange(shape[0])[:, np.newaxis] - cy, np.arange(shape[1])[np.newaxis, :] - cx
    r2 = (x**2 + y**2) / max(cx**2 + cy**2, 1e-12)
    return ((1 + (1 / math.sqrt(1 - amount) - 1) * r2) ** -2).astype(np.float32)


def _times(image: Image, field: Image) -> Image:
    return (planes_of(image) * field[:, :, np.newaxis]).reshape(image.shape)


def decode_srgb(image: Image) -> Image:
    """Give linear light for sRGB values (IEC 61966-2-1); below 0 the straight part goes on."""
    power = ((np.maximum(image, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(image <= 0.04045, image / np.float32(12.92), power)


def encode_srgb(light: Image) -> Image:
    """Give sRGB values for linear light; the inverse of ``decode_srgb``."""
    power = np.float32(1.055) * np.maximum(light, 0) ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(light <= 0.0031308, light * np.float32(12.92), power)
