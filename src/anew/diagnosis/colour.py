"""Whether a picture has a colour cast or its dyes have faded.

Most scenes have a colour of their own, so a tinted picture alone is no evidence: every third photograph is. Reported is
what a scene cannot do: a channel whose clipped highlights pile up below white (something multiplied it afterwards), and
shadows that are light and reddish under yellowed lights (a print; no lens gives that).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anew.diagnosis.finding import Finding
from anew.diagnosis.light import (
    find_ceiling,
    is_grey,
    is_photographic,
    luminance_of,
    may_be_a_scene,
    range_of_texture,
)
from anew.diagnosis.print_range import estimate_range
from anew.small_copy import pick_pixels
from anew.structure.toning import colour_scatter

if TYPE_CHECKING:
    from anew.images import Picture

LEAST_GAIN = 0.94  # a channel's ceiling, relative to the highest one
# Colours that stray no further from one curve were toned on purpose: 66 duotones by 0.2 of 255, and photographs with a
# cast that is found by 2.7 to 24. A cast as strong as those that duotones seem to have needs more, as JPEG scatters
# them too.
LEAST_SCATTER = 1.5 / 255
STRONG_GAIN, LEAST_SCATTER_IF_STRONG = 1.6, 3 / 255
# Of what stands at the ceiling of a lowered channel, white stands at those of the others too. Of 350 photographs 134
# are told to have one of two casts: all but one have 0.0003 of such white; palettes, flow lines and patterns have none.
LEAST_WHITE, TOP = 0.0002, 1.5 / 255

FADED_BLACK = 0.112  # the darkest value of the darkest channel; 1 in 200 good photographs has that and the tints below
FADED_TINT = 0.05  # red minus blue of the darkest places
FADED_STRENGTH = 0.55  # of the repair: all of it costs up to 9 dB where a scene has no black, half of it 1 to 2 dB
FADED_PAPER = 0.02  # red minus blue of the lightest places
# Relative to the range. Of 132 photographs faded by two amounts none has less than 0.35; of 60 smooth gradients 11 were
# called faded, with at most 0.2.
LEAST_TEXTURE = 0.27


def find_cast(picture: Picture) -> Finding | None:
    """Report a colour cast that was put over the picture after it was taken, or None."""
    pixels = pick_pixels(picture.pixels)
    if pixels.shape[1] != 3 or is_grey(pixels) or not is_photographic(pixels):
        return None
    ceilings = [find_ceiling(np.ascontiguousarray(pixels[:, c])) for c in range(3)]
    values = np.array([c.value for c in ceilings])
    lowered = values < LEAST_GAIN * values.max()
    if not lowered.any() or not all(c.piled_up for c, low in zip(ceilings, lowered, strict=True) if low):
        return None
    at_ceiling = pixels >= values - TOP
    if at_ceiling.all(axis=1).sum() < LEAST_WHITE * at_ceiling[:, lowered].any(axis=1).sum():
        return None
    gains = values.max() / values
    gains = np.where(lowered, gains, 1.0)
    strongest = float(gains.max())
    if colour_scatter(pixels) < (LEAST_SCATTER_IF_STRONG if strongest > STRONG_GAIN else LEAST_SCATTER):
        return None
    names = ("cyan", "magenta", "yellow")  # what a lowered red, green, blue looks like
    tint = names[int(gains.argmax())]
    return Finding(
        kind="cast",
        value=100 * (1 - 1 / strongest),
        unit="% of the weakest channel",
        confidence=0.85,
        message=f"The picture has a {tint} cast: whites have lost {1 - 1 / strongest:.0%} of one colour.",
        details={"gains": gains.tolist()},
    )


def find_fading(picture: Picture) -> Finding | None:
    """Report a faded, yellowed colour print, or None."""
    pixels = pick_pixels(picture.pixels)
    if pixels.shape[1] != 3 or not may_be_a_scene(picture.pixels) or not is_photographic(pixels):
        return None
    floor = float(np.percentile(pixels.min(axis=1), 0.1))
    grey = luminance_of(pixels)
    dark = np.median(pixels[grey <= np.percentile(grey, 0.5)], axis=0)
    light = np.median(pixels[grey >= np.percentile(grey, 99.5)], axis=0)
    if floor < FADED_BLACK or dark[0] - dark[2] < FADED_TINT or light[0] - light[2] < FADED_PAPER:
        return None
    span = float(np.percentile(grey, 99.9) - np.percentile(grey, 0.1))
    if range_of_texture(picture.pixels) < LEAST_TEXTURE * span:
        return None
    left = estimate_range(picture.pixels)
    lost = float(1 - np.mean(left.white - left.black))
    return Finding(
        kind="fading",
        value=100 * lost,
        unit="% of the range lost",
        confidence=0.8,
        message=f"The colours have faded: {lost:.0%} of the range is gone, and the paper has yellowed.",
        details={
            "black": left.black.tolist(),
            "white": left.white.tolist(),
            "gamma": left.gamma.tolist(),
            "strength": FADED_STRENGTH,
        },
    )
