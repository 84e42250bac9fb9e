"""How images get damaged: each degradation returns the damaged image and the truth about the damage."""
