"""Training in torch: data, loop, checkpoints, export; needs the extra ``train``."""
