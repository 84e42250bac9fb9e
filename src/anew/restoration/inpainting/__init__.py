"""Methods that fill missing pixels: ``inpaint_NAME(image, mask, *, ...)``."""
