"""How good an image is, told without a clean one: sharpness, noise, blockiness, naturalness (NIQE)."""
