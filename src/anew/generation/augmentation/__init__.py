"""New images from existing ones: one file per family of operations, listed in ``catalogue.py``."""
