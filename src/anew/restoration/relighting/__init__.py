"""Methods that mend light and colour: ``relight_NAME(image, *, ...)``."""
