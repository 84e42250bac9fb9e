"""Methods that undo blur: ``deblur_NAME(image, psf, sigma, *, ...)``."""
