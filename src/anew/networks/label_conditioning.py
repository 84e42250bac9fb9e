"""How adversarial networks are told a label: beside the latent vector, and where a discriminator gives its score."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Conditioning = Literal["projection", "concatenation", "auxiliary"]
SLOPE = 0.2  # of leaky rectifiers in adversarial networks


class LabelledLatent(nn.Module):
    """The latent vector with an embedding of the label behind it (Mirza and Osindero, "Conditional GANs", 2014).

    Parameters
    ----------
    latent : int
        Length of the latent vector.
    labels : int
        Number of labels; with 0 the latent vector is left as it is.
    embedding : int
        Length of the embedding.
    """

    def __init__(self, latent: int, labels: int, embedding: int = 16) -> None:
        super().__init__()
        self.embed = nn.Embedding(labels, embedding) if labels else None
        self.width = latent + (embedding if labels else 0)

    def forward(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """(N, Z), (N,) int64 -> (N, width)."""
        if self.embed is None:
            return latent
        return torch.cat([latent, self.embed(label)], dim=1)


class Verdict(nn.Module):
    """The last layer of a discriminator: features in, a score and logits of the labels out.

    Parameters
    ----------
    features, labels : int
        Length of the features, and number of labels.
    conditioning : {"projection", "concatenation", "auxiliary"}
        ``"projection"`` adds the inner product of features and an embedding of the label (Miyato and Koyama, "cGANs
        with Projection Discriminator", ICLR 2018, equation 3). ``"concatenation"`` judges features and embedding
        together by a hidden layer (Reed et al., "Generative Adversarial Text to Image Synthesis", ICML 2016).
        ``"auxiliary"`` judges without the label, and names it (Odena et al., ICML 2017).
    """

    def __init__(self, features: int, labels: int, conditioning: Conditioning = "projection") -> None:
        super().__init__()
        self.conditioning = conditioning if labels else None
        joined = self.conditioning == "concatenation"
        if labels and conditioning != "auxiliary":
            self.embed = nn.Embedding(labels, features)
            nn.init.normal_(self.embed.weight, std=features**-0.5)
        self.hidden = nn.Linear(2 * features, features) if joined else None
        self.score = nn.Linear(features, 1)
        self.classes = nn.Linear(features, labels) if labels and conditioning == "auxiliary" else None

    def forward(self, features: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, F), (N,) int64 -> scores (N,), and logits (N, labels), or (N, 0) if labels are not named."""
        if self.hidden is not None:
            together = torch.cat([features, self.embed(label)], dim=1)
            score = self.score(nn.functional.leaky_relu(self.hidden(together), SLOPE))[:, 0]
        else:
            score = self.score(features)[:, 0]
        if self.conditioning == "projection":
            score = score + (self.embed(label) * features).sum(dim=1)
        logits = features[:, :0] if self.classes is None else self.classes(features)
        return score.float(), logits.float()
