"""Learn from the one image that is to be restored: what the methods without clean photographs have in common.

These methods train a small network on the given image alone and therefore take minutes where a shipped network takes
a second. They need torch (the extra ``train``), which is imported only when one runs. The same image, options and
number of threads give the same result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.errors import TRAIN_EXTRA, Unavailable
from anew.tiles import Progress

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

WARMUP = 50  # steps
CLIP = 1.0  # largest norm of the gradient


def require_torch(method: str) -> None:
    """Say what to install if torch is not here.

    Raises
    ------
    Unavailable
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise Unavailable(f"method {method!r} needs torch: {TRAIN_EXTRA}") from None


def to_tensor(image: Image) -> Tensor:
    """(H, W) or (H, W, C) array -> (1, C, H, W) float32 tensor, its channels last in memory."""
    import torch

    channels = np.ascontiguousarray(np.atleast_3d(image).transpose(2, 0, 1))
    return torch.from_numpy(channels)[None].contiguous(memory_format=torch.channels_last)


def to_image(tensor: Tensor, like: Image) -> Image:
    """(1, C, H, W) tensor -> float32 array of the shape of ``like``."""
    pixels: NDArray[np.float32] = tensor[0].permute(1, 2, 0).float().contiguous().numpy()
    return pixels.reshape(like.shape)


@contextmanager
def private_randomness(seed: int = 0) -> Iterator[torch.Generator]:
    """Give a seeded generator, and leave the caller's random state as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)


def fit(
    network: nn.Module,
    loss: Callable[[], Tensor],
    *,
    steps: int,
    learning_rate: float,
    constant: bool = False,
    ended: Callable[[int], bool | None] = lambda step: False,
    progress: Progress | None = None,
) -> None:
    """Minimise a loss with Adam, in bfloat16 where the processor computes it.

    Parameters
    ----------
    network : torch module
        Whose weights are learnt.
    loss : callable
        Draws a batch and gives a scalar.
    steps : int
    learning_rate : float
        At the peak, after a linear warm-up.
    constant : bool
        Keep the learning rate; without, it falls to zero along half a cosine.
    ended : callable
        Told the number of each finished step; whether to make no more.
    progress : callable, optional
        Told the fraction that is done.
    """
    import torch

    from anew.training.devices import computes_bfloat16

    optimiser = torch.optim.Adam(network.parameters(), learning_rate, betas=(0.9, 0.99))
    network.train()
    fast = computes_bfloat16(torch.device("cpu"))
    for step in range(steps):
        fallen = 1.0 if constant else 0.5 * (1 + math.cos(math.pi * step / steps))
        rate = learning_rate * min(1.0, (step + 1) / WARMUP) * fallen
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            value = loss()
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        last = bool(ended(step))
        if progress is not None:
            progress(1.0 if last else (step + 1) / steps)
        if last:
            break
    network.eval()


class MeanWeights:
    """An exponential average of a network's weights, young at first: the decay grows to ``decay``."""

    def __init__(self, network: nn.Module, decay: float = 0.99) -> None:
        self._network, self._decay = network, decay
        self._mean = {name: value.clone() for name, value in network.state_dict().items()}

    def __call__(self, step: int) -> None:
        """Take the weights of a finished step in."""
        import torch

        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in self._network.state_dict().items():
                self._mean[name].lerp_(value, weight)

    def install(self) -> None:
        """Put the average in place of the weights."""
        self._network.load_state_dict(self._mean)
