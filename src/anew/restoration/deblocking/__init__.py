"""Methods that remove JPEG artefacts: ``deblock_NAME(image, quality, *, ...)``."""
