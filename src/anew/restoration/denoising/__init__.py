"""Methods that remove noise: ``denoise_NAME(image, sigma, *, ...)``."""
