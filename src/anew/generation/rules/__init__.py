"""Pictures by rules: gradients, shapes, fractals, tilings, noise, materials. Pure functions of a size and a seed."""
