"""Adversarial losses and penalties, where the best discriminator is known in closed form."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from anew.losses.adversarial import (
    LOSSES,
    class_loss,
    clip_weights,
    gradient_penalty,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    relativistic_average,
    squared_gradient,
    wasserstein,
)

P = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)  # two distributions over three points
Q = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)
COUNT = 10  # P and Q are whole tenths


def draws(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of ten draws of P and of Q, each point as often as its probability says."""
    return tuple(values.repeat_interleave((weights * COUNT).round().long()) for weights in (P, Q))


def best_scores(name: str) -> tuple[torch.Tensor, float]:
    """Minimise the discriminator's loss over one free score per point; all pairs count for a paired loss."""
    score = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([score], lr=0.5, max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss() -> torch.Tensor:
        real, fake = draws(score)
        if name == "relativistic":
            real, fake = real.repeat_interleave(COUNT), fake.repeat(COUNT)
        return LOSSES[name]().discriminator(real, fake)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(5):
        optimiser.step(closure)
    return score.detach(), float(loss().detach())


def jensen_shannon() -> float:
    middle = (P + Q) / 2
    return float(((P * (P / middle).log()).sum() + (Q * (Q / middle).log()).sum()) / 2)


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_the_best_discriminator_is_the_ratio_of_densities(name: str) -> None:
    score, value = best_scores(name)
    torch.testing.assert_close(score.sigmoid(), P / (P + Q), atol=1e-6, rtol=0)
    assert value == pytest.approx(math.log(4) - 2 * jensen_shannon(), abs=1e-9)  # Goodfellow et al., theorem 1


def test_against_it_the_minimax_generator_has_the_divergence_of_jensen_and_shannon() -> None:
    real, fake = draws((P / Q).log())
    of_real = torch.nn.functional.logsigmoid(real).mean()
    assert float(of_real + minimax().generator(real, fake)) == pytest.approx(-math.log(4) + 2 * jensen_shannon())


def test_least_squares_has_the_same_ratio_as_its_score() -> None:
    score, value = best_scores("least-squares")
    torch.testing.assert_close(score, P / (P + Q), atol=1e-6, rtol=0)
    assert value == pytest.approx(float((P * Q / (P + Q)).sum()) / 2)  # half the harmonic overlap
    same = torch.full((4,), 0.5)
    assert float(least_squares().discriminator(same, same)) == 0.25


def test_the_relativistic_pair_has_the_log_ratio_up_to_a_constant() -> None:
    # its Bayes classifier of ordered pairs: sigmoid(s(x) - s(y)) = p(x) q(y) / (p(x) q(y) + q(x) p(y))
    score, _ = best_scores("relativistic")
    ratio = (P / Q).log()
    torch.testing.assert_close(score - score[1], ratio - ratio[1], atol=1e-6, rtol=0)


def test_equal_scores_leave_a_relativistic_game_at_its_saddle() -> None:
    same = torch.full((4,), 3.0)
    for loss, value in ((relativistic(), math.log(2)), (relativistic_average(), 2 * math.log(2))):
        assert float(loss.discriminator(same, same)) == pytest.approx(value)
        assert float(loss.generator(same, same)) == pytest.approx(value)


def test_relativistic_losses_swap_roles_and_ignore_a_shift() -> None:
    real, fake = torch.randn(2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for loss in (relativistic(), relativistic_average()):
        torch.testing.assert_close(loss.generator(real, fake), loss.discriminator(fake, real))
        torch.testing.assert_close(loss.discriminator(real + 5, fake + 5), loss.discriminator(real, fake))


def test_hinge_is_best_at_plus_and_minus_one_and_gives_the_total_variation() -> None:
    score = torch.where(P > Q, 1.0, -1.0)
    score[P == Q] = 0.0
    value = float(hinge().discriminator(*draws(score)))
    assert value == pytest.approx(2 - float((P - Q).abs().sum()))  # Lim and Ye: 2 - |p - q|
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        other = score + 0.5 * torch.randn(3, generator=generator)
        assert float(hinge().discriminator(*draws(other))) >= value - 1e-9


def test_saturation_is_where_the_theory_says() -> None:
    score = torch.tensor([-12.0], requires_grad=True)  # an image that is surely told to be generated
    (slow,) = torch.autograd.grad(minimax().generator(score, score), score)
    (fast,) = torch.autograd.grad(non_saturating().generator(score, score), score)
    assert abs(float(slow)) < 1e-4
    assert float(fast) == pytest.approx(-1, abs=1e-4)


def test_wasserstein_with_gradient_penalty_finds_the_shift_of_two_points() -> None:
    # real images at 3, generated ones at 0, D(x) = a x: -3 a + lambda (|a| - 1)^2 is least at a = 1 + 3 / (2 lambda)
    strength, shift = 1000.0, 3.0
    real, fake = torch.full((4, 1), shift), torch.zeros(4, 1)
    slope = torch.full((1, 1), 0.5, requires_grad=True)
    optimiser = torch.optim.SGD([slope], lr=4e-4)
    part = torch.linspace(0, 1, 4)

    def critic(x: torch.Tensor) -> torch.Tensor:
        return (x @ slope)[:, 0]

    for _ in range(200):
        loss = wasserstein().discriminator(critic(real), critic(fake))
        loss = loss + strength * gradient_penalty(critic, real, fake, part)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(slope.detach()) == pytest.approx(1 + shift / (2 * strength), abs=1e-4)
    distance = -float(wasserstein().discriminator(critic(real), critic(fake)).detach())
    assert distance == pytest.approx(shift, rel=0.002)  # the Wasserstein distance


def test_penalties_of_linear_critics_are_known() -> None:
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(3, 2, 2, generator=generator)
    real, fake = torch.randn(2, 5, 3, 2, 2, generator=generator)
    part = torch.rand(5, generator=generator)
    unit = weight / weight.norm()
    assert float(gradient_penalty(lambda x: (x * unit).sum((1, 2, 3)), real, fake, part)) == pytest.approx(0, abs=1e-9)
    twice = gradient_penalty(lambda x: (x * 2 * unit).sum((1, 2, 3)), real, fake, part)
    assert float(twice) == pytest.approx(1, rel=1e-5)
    x = real.requires_grad_()
    penalty = squared_gradient((x * weight).sum((1, 2, 3)), x)
    assert float(penalty) == pytest.approx(float(weight.square().sum()), rel=1e-5)  # |w|^2


def test_penalties_can_be_descended() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    x = torch.randn(6, 2, requires_grad=True)
    squared_gradient(x @ weight, x).backward()
    torch.testing.assert_close(weight.grad, 2 * weight.detach())


def test_the_penalty_is_taken_between_real_and_generated_images() -> None:
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.sum(1)

    gradient_penalty(critic, torch.ones(3, 2), torch.zeros(3, 2), torch.tensor([0.0, 0.25, 1.0]))
    torch.testing.assert_close(seen[0], torch.tensor([[0.0], [0.25], [1.0]]).expand(3, 2))


def test_clipped_weights_stay_within_the_limit() -> None:
    network = torch.nn.Linear(4, 3)
    inside = network.bias.detach().clone().clamp(-0.01, 0.01)
    clip_weights(network, 0.01)
    assert float(network.weight.detach().abs().max()) <= 0.01
    torch.testing.assert_close(network.bias.detach(), inside)


def test_a_classifier_that_knows_nothing_pays_the_logarithm_of_the_number_of_classes() -> None:
    assert float(class_loss(torch.zeros(4, 10), torch.arange(4))) == pytest.approx(math.log(10))


def test_scores_that_do_not_pair_are_refused() -> None:
    flat, column = torch.zeros(4), torch.zeros(4, 1)
    for loss in (relativistic().discriminator, relativistic().generator):
        with pytest.raises(ValueError, match="expected two tensors of the same shape"):
            loss(column, flat)
    with pytest.raises(ValueError, match="the same shape"):
        gradient_penalty(lambda x: x.sum(1), torch.ones(3, 2), torch.zeros(1, 2), torch.rand(3))
