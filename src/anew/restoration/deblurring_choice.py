"""Choose a deblurring method by whether the point-spread function is known."""

from __future__ import annotations

from anew.registry import METHODS, Method


def choose_deblurring(name: str, *, knows_psf: bool) -> Method:
    """Give the method of a name; ``"auto"`` is the first that takes a psf, or without one the first that takes none.

    Raises
    ------
    ValueError
        If the method needs a psf and there is none.
    """
    if name == "auto":
        return next(m for m in METHODS if m.task == "deblur" and ("psf" in m.takes) == knows_psf)
    method = METHODS.get("deblur", name)
    if "psf" in method.takes and not knows_psf:
        raise ValueError(f"deblur method {name!r} needs a psf: an (h, w) array of weights")
    return method
