"""Batch normalisations that were folded away, made anew: from then on they learn as if they had always been there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle(network: nn.Module, run: Callable[[], Any], times: int = 8) -> None:
    """Give each normalisation the statistics of what it sees, and the gain and shift that undo them.

    Until then it must be that of a folded network: y = x + b. It becomes y = s (x - m) / s + (b + m), which is the same
    by its running statistics m and s^2, and nearly the same by those of a batch (Ioffe and Szegedy, "Batch
    normalization", ICML 2015, algorithm 2). Does nothing to a network without such layers.

    Parameters
    ----------
    network : Module
    run : callable
        Uses the network once.
    times : int
        Uses whose statistics are averaged.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not layers:
        return
    seen: dict[nn.BatchNorm2d, list[Tensor]] = {layer: [] for layer in layers}

    def observe(layer: nn.BatchNorm2d, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        (x,) = inputs
        values = x.detach().float()
        seen[layer].append(torch.stack([values.mean(dim=(0, 2, 3)), values.square().mean(dim=(0, 2, 3))]))
        return x + layer.bias[:, None, None].to(x.dtype)

    hooks = [layer.register_forward_hook(observe) for layer in layers]
    try:
        for _ in range(times):
            run()
    finally:
        for hook in hooks:
            hook.remove()
    for layer in layers:
        mean, square = torch.stack(seen[layer]).mean(dim=0)
        variance = (square - mean.square()).clamp_min(0)
        assert layer.running_mean is not None
        assert layer.running_var is not None
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.add_(mean)
