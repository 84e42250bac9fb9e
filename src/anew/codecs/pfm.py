"""PFM, the float map of Debevec: read and written by ``netpbm``; only the choice of samples differs."""

from __future__ import annotations

from anew.codecs.netpbm import decode, encode, with_recipe
from anew.codecs.raster import Kind
from anew.errors import CannotWrite

__all__ = ["decode", "encode", "suit", "with_recipe"]


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of PFM samples: float, grey or RGB."""
    if kind.alpha:
        raise CannotWrite("PFM holds no transparency (remove the alpha channel, or write TIFF)")
    return Kind("grey" if kind.space == "grey" else "rgb", False, 0)
