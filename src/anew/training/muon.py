"""Muon: steps of the same size in every direction of a weight matrix.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. The momentum of a matrix is replaced by
the orthogonal matrix next to it, found by a few Newton-Schulz iterations: directions of which the gradient says little
are learned as fast as those of which it says much. A convolution counts as the matrix of its outputs by all it reads.
Steps are scaled to the root mean square of Adam's (Liu et al., "Muon is Scalable for LLM Training", 2025, equation 4),
so that a learning rate means about the same for both. What is no matrix, biases above all, is learned by Adam.

PyTorch's own takes matrices alone, neither convolutions nor biases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)  # of Jordan et al.: steep at zero; singular values end between 0.7 and 1.2
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Update matrices and convolutions by orthogonalised Nesterov momentum, and all else by Adam.

    Parameters
    ----------
    parameters : iterable of tensor
    lr : float > 0
    momentum : float in [0, 1)
        Of the matrices.
    betas : pair of float in [0, 1)
        Of Adam.
    weight_decay : float >= 0
        Decoupled from the gradient, as in AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    towards = self._of_matrix if parameter.ndim > 1 else self._of_vector
                    parameter.add_(towards(parameter.grad, self.state[parameter], group), alpha=-group["lr"])
        return loss

    @staticmethod
    def _of_matrix(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """Orthogonalise Nesterov's momentum; three axes are a stack of matrices, four a convolution."""
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        towards = gradient.lerp(state["momentum"], group["momentum"])
        matrix = orthogonal(towards if gradient.ndim == 3 else towards.flatten(1))
        return 0.2 * max(matrix.shape[-2:]) ** 0.5 * matrix.reshape(gradient.shape)

    @staticmethod
    def _of_vector(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """Give Adam's step (Kingma and Ba, ICLR 2015, algorithm 1)."""
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        first, second = group["betas"]
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        steps = float(state["step"])
        mean, square = state["mean"] / (1 - first**steps), state["square"] / (1 - second**steps)
        return mean / (square.sqrt() + 1e-8)


def orthogonal(matrix: Tensor, *, iterations: int = ITERATIONS) -> Tensor:
    """Give about the U V' of the singular value decomposition U S V' of every (..., M, N) matrix.

    The smallest singular values stay small: an iteration makes them 3.4445 times as large.
    """
    a, b, c = QUINTIC
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-12)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
