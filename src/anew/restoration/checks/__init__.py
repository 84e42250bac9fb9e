"""Did a repair help? Checks that need no clean image; each gives a verdict with its figures.

- denoise: Stein's unbiased estimate of the error, its divergence by Monte Carlo (Ramani, Blu and Unser, IEEE TIP 17,
  2008), and whether what was taken away is there in the smooth parts too, where noise cannot hide;
- inpaint: known pixels beside the hole are held out and filled; the best method is chosen by them, and the damaged
  pixels must differ from the fill by more than ordinary pixels do;
- deblock: the blocks must fade, and the change must fit into the quantiser's rounding;
- deblur: edges must gain more than noise does, from what the picture shows and without swinging beyond it, and blurring
  the result again must give the picture back;
- relight: nothing may be clipped that was not;
- unwarp: more of the edges must stand straight or lie level, or a surround, text or mirrored corners must prove the
  turn.

One file per task, named as the folder of its methods.
"""

from anew.restoration.checks.deblocking import blockiness, check_deblocked
from anew.restoration.checks.deblurring import check_deblurred
from anew.restoration.checks.denoising import check_compressed_noise, check_denoised, residual_correlation
from anew.restoration.checks.inpainting import check_filled
from anew.restoration.checks.relighting import check_relit
from anew.restoration.checks.risk import MeasuredNoise, coloured, monte_carlo_sure
from anew.restoration.checks.unwarping import check_unwarped, straightness
from anew.restoration.checks.verdict import Verdict

__all__ = [
    "MeasuredNoise",
    "Verdict",
    "blockiness",
    "check_compressed_noise",
    "check_deblocked",
    "check_deblurred",
    "check_denoised",
    "check_filled",
    "check_relit",
    "check_unwarped",
    "coloured",
    "monte_carlo_sure",
    "residual_correlation",
    "straightness",
]
