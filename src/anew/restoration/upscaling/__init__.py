"""Methods that enlarge: ``upscale_NAME(image, scale, *, ...)``."""
