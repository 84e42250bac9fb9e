"""How good an image is: full-reference and no-reference measures."""
