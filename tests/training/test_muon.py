"""Muon: what its steps must be, and PyTorch's own on the matrices that it takes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from anew.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 90), (90, 16), (3, 8, 40), (1, 30)])
def test_singular_values_become_about_one_and_directions_stay(shape: tuple[int, ...]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    turned = orthogonal(matrix)
    values = torch.linalg.svdvals(turned)
    assert float(values.min()) > 0.65
    assert float(values.max()) < 1.25
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    inner = u.mT @ turned @ v.mT
    off = inner - torch.diag_embed(torch.diagonal(inner, dim1=-2, dim2=-1))
    assert float(off.abs().max()) < 1e-4


def test_nothing_to_orthogonalise_gives_no_step() -> None:
    assert not orthogonal(torch.zeros(4, 6)).any()


def test_matrices_move_as_with_pytorchs_own() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(20, 30, generator=generator))
    theirs = torch.nn.Parameter(ours.detach().clone())
    start = ours.detach().clone()
    optimisers = (
        Muon([ours], 0.02, momentum=0.9, weight_decay=0.1),
        torch.optim.Muon([theirs], 0.02, momentum=0.9, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(5):
        gradient = torch.randn(20, 30, generator=generator)
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = gradient.clone()
            optimiser.step()
    moved, expected = ours.detach() - start, theirs.detach() - start
    assert float((moved - expected).norm() / expected.norm()) < 0.02  # theirs iterates in bfloat16


def test_a_convolution_moves_as_the_matrix_of_its_outputs_by_all_it_reads() -> None:
    generator = torch.Generator().manual_seed(0)
    gradient = torch.randn(6, 4, 3, 3, generator=generator)
    kernel = torch.nn.Parameter(torch.zeros(6, 4, 3, 3).contiguous(memory_format=torch.channels_last))
    matrix = torch.nn.Parameter(torch.zeros(6, 36))
    kernel.grad, matrix.grad = gradient.contiguous(memory_format=torch.channels_last), gradient.reshape(6, 36)
    Muon([kernel, matrix], 0.1).step()
    torch.testing.assert_close(kernel.detach().reshape(6, 36), matrix.detach())


def test_vectors_move_as_with_adam() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(9, generator=generator))
    theirs = torch.nn.Parameter(ours.detach().clone())
    optimisers = Muon([ours], 0.01, betas=(0.8, 0.95)), torch.optim.Adam([theirs], 0.01, betas=(0.8, 0.95))
    for _ in range(5):
        gradient = torch.randn(9, generator=generator)
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = gradient.clone()
            optimiser.step()
    torch.testing.assert_close(ours.detach(), theirs.detach())


def test_directions_of_small_gradient_are_learned_as_fast() -> None:
    """A quadratic whose curvatures differ ten thousandfold: gradient descent must go at the pace of the steepest."""
    curvature = torch.logspace(-2, 2, 8)

    def left(make: type[torch.optim.Optimizer], **settings: float) -> float:
        weight = torch.nn.Parameter(torch.eye(8))
        optimiser = make([weight], **settings)
        for step in range(200):
            for group in optimiser.param_groups:
                group["lr"] = settings["lr"] * (1 - step / 200)
            optimiser.zero_grad()
            (0.5 * curvature[:, None] * weight.square()).sum().backward()
            optimiser.step()
        return float(weight.detach().abs().max())

    assert left(Muon, lr=0.05) < 0.06
    assert left(torch.optim.SGD, lr=0.01, momentum=0.9) > 0.5
