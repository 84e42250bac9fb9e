"""Convolutions that round as a processor does in 8 bits, and learn with the rounding.

What enters a convolution, its weights and, where nothing else rounds it, its result lie on grids; the step of each
grid of activations is learned along with the weights, and the rounding is passed over by the gradient (Esser et al.,
"Learned Step Size Quantization", ICLR 2020). Exported (``training/quantisation.py``), the same grids are computed in
integers, two to three times as fast on a CPU.

Weights have 129 levels, not 255: on processors without VNNI two products with activations of 8 bits must fit into 16.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

WEIGHT_LEVELS = 64  # on either side of zero
SIGNED, UNSIGNED = (-128, 127), (0, 255)  # levels of activations; unsigned after a rectifier
START = 4 / 127  # step before it is known how large the activations are
SAMPLED = 8192  # values of a tensor that a step is chosen by
SEARCHED = 33  # steps, down to a sixteenth of the widest


class QuantisedConv2d(nn.Conv2d):
    """A convolution on 8-bit grids.

    Parameters
    ----------
    inputs, outputs, kernel_size
        As of ``torch.nn.Conv2d``, with the keywords ``stride`` and ``padding``.
    rectified : bool
        The input has no negative values.
    rounds : bool
        Whether the result is rounded too; not if a rectifier and another such convolution follow, which rounds it.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        rectified: bool = False,
        rounds: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel_size, stride=stride, padding=padding)
        self.rectified = rectified
        self.input_log_step = nn.Parameter(torch.tensor(math.log(START)))
        self.output_log_step = nn.Parameter(torch.tensor(math.log(START))) if rounds else None
        self.observed: dict[str, list[Tensor]] | None = None

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N, D, H', W').

        Without a bias, all steps of activations can be multiplied by a ``scale`` of each image, (N, 1, 1, 1).
        """
        if scale is not None:
            assert self.bias is None  # w * x = s (w * (x / s))
            scaled: Tensor = self(x / scale) * scale
            return scaled
        if torch.onnx.is_in_onnx_export():
            return super().forward(x)  # the grids are put into the graph afterwards
        if self.observed is not None:
            y = super().forward(x)
            self.observed["input"].append(_sample(x))
            self.observed["output"].append(_sample(y))
            return y
        x = _round_to_grid(x, self.input_log_step, self.input_levels)
        steps = weight_step(self.weight)
        weight = _rounded(self.weight, steps)
        bias = None if self.bias is None else _rounded(self.bias, steps.flatten() * self.input_log_step.detach().exp())
        y = self._conv_forward(x, weight, bias)
        return y if self.output_log_step is None else _round_to_grid(y, self.output_log_step, SIGNED)

    @property
    def input_levels(self) -> tuple[int, int]:
        """The least and the highest level of the input."""
        return UNSIGNED if self.rectified else SIGNED


@torch.no_grad()
def calibrate(network: nn.Module, run: Callable[[], Any], times: int = 8) -> None:
    """Choose the step of each grid of activations that costs the least squared error, while ``run`` uses the network.

    Does nothing to a network without such grids.
    """
    convolutions = [module for module in network.modules() if isinstance(module, QuantisedConv2d)]
    if not convolutions:
        return
    with _observing(convolutions):
        for _ in range(times):
            run()
        for convolution in convolutions:
            assert convolution.observed is not None
            seen = {name: torch.cat(samples) for name, samples in convolution.observed.items()}
            convolution.input_log_step.copy_(best_step(seen["input"], convolution.input_levels).log())
            if convolution.output_log_step is not None:
                convolution.output_log_step.copy_(best_step(seen["output"], SIGNED).log())


@contextmanager
def _observing(convolutions: list[QuantisedConv2d]) -> Iterator[None]:
    """Let convolutions note some of what runs through them, unrounded."""
    for convolution in convolutions:
        convolution.observed = {"input": [], "output": []}
    try:
        yield
    finally:
        for convolution in convolutions:
            convolution.observed = None


def _sample(x: Tensor) -> Tensor:
    values = x.detach().flatten().float()
    return values[:: max(1, len(values) // SAMPLED)]


def best_step(values: Tensor, levels: tuple[int, int]) -> Tensor:
    """Search the step of a grid for the least mean squared error, from where nothing is clipped downwards."""
    low, high = levels
    widest = max(float(values.max()) / high, -float(values.min()) / -low if low else 0.0) or START
    steps = widest * 2 ** (-torch.arange(SEARCHED) / 8)
    errors = [((values / step).round().clamp(low, high) * step - values).square().mean() for step in steps]
    return steps[int(torch.stack(errors).argmin())]


def weight_step(weight: Tensor) -> Tensor:
    """Give the step of the grid of each output channel's weights: (D, C, h, w) -> (D, 1, 1, 1)."""
    largest = weight.detach().abs().amax(dim=(1, 2, 3), keepdim=True)
    return torch.where(largest > 0, largest, torch.ones_like(largest)) / WEIGHT_LEVELS


def _rounded(values: Tensor, step: Tensor) -> Tensor:
    """Round weights to their grid; the gradient passes as if they had not been."""
    return values + (torch.round(values.detach() / step) * step - values.detach())


def _round_to_grid(x: Tensor, log_step: Tensor, levels: tuple[int, int]) -> Tensor:
    rounded: Tensor = _Grid.apply(x, log_step, *levels)
    return rounded


class _Grid(torch.autograd.Function):
    """Clip to the ends of a grid and round to its levels, with the gradients of Esser et al. (2020)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, log_step: Tensor, low: int, high: int) -> Tensor:
        step = log_step.exp()
        scaled = x / step
        ctx.save_for_backward(scaled, step)
        ctx.ends = low, high
        return scaled.round().clamp_(low, high).mul_(step)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        scaled, step = ctx.saved_tensors
        low, high = ctx.ends
        inside = scaled.clamp(low, high).eq_(scaled)  # 1 or 0: arithmetic is faster than choosing
        by_step = scaled.round().clamp_(low, high).addcmul_(scaled, inside, value=-1)  # d (levels step) / d step
        weight = 1 / math.sqrt(scaled.numel() * high)  # keeps the many terms of one step from drowning the weights
        by_log_step = by_step.mul_(gradient).sum(dtype=torch.float32) * step * weight
        return gradient * inside, by_log_step, None, None
