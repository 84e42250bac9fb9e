"""Find out what is wrong with a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from anew.arrays import as_image
from anew.diagnosis.finding import Diagnosis, Finding
from anew.diagnosis.jpeg import find_jpeg
from anew.diagnosis.noise import estimate_noise_sigma, find_noise

if TYPE_CHECKING:
    from anew.images import Picture

Finder = Callable[["Picture"], Finding | None]

# Each looks at the whole picture for one damage and is silent when unsure. The order is that of the report.
FINDERS: tuple[Finder, ...] = (
    find_noise,
    find_jpeg,
)


def diagnose(picture: Picture | ArrayLike) -> Diagnosis:
    """Look for every damage that anew knows.

    Parameters
    ----------
    picture : Picture, or (H, W) or (H, W, C) array of uint8, uint16, bool or float
        Values that are not finite count as holes.

    Returns
    -------
    Diagnosis
        ``str()`` of it says in words what was found.

    Examples
    --------
    >>> import anew, skimage.data
    >>> print(anew.diagnose(skimage.data.astronaut()))
    Nothing wrong was found.
    """
    import anew.images

    if not isinstance(picture, anew.images.Picture):
        pixels = as_image(picture, allow_nonfinite=True)
        picture = anew.images.Picture(pixels if pixels.ndim == 3 else pixels[:, :, None])
    findings = tuple(finding for find in FINDERS if (finding := find(picture)) is not None)
    by_kind = {finding.kind: finding for finding in findings}
    noise, jpeg, holes = by_kind.get("noise"), by_kind.get("jpeg"), by_kind.get("holes")
    return Diagnosis(
        findings=findings,
        noise_sigma=noise.value / 255 if noise else estimate_noise_sigma(picture.pixels),
        jpeg_quality=int(jpeg.value) if jpeg else None,
        hole_mask=holes.map if holes else None,
    )
