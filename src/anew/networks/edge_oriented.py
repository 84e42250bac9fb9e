"""A compact upscaler of plain 3x3 convolutions that learn as if they were several branches.

Zhang, Zeng and Zhang, "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile Devices", ACM MM 2021
(ECBSR). During training each convolution is the sum of a 3x3 convolution, a 1x1 expansion followed by a 3x3 one, three
1x1 convolutions followed by a Sobel or Laplace operator, and the identity. All of them are linear, so their sum is one
3x3 convolution.

Our deviations: the branches are summed in the space of kernels at every step (Hu et al., "Online Convolutional
Re-parameterization", CVPR 2022), so training costs hardly more than that of the plain network and both are the same
function, borders included; what is added to is not the repeated pixels but a 5x5 interpolation, which starts as cubic
convolution and learns with the rest; and one body serves several factors, told which by an extra input channel, with a
convolution of its own for each factor at the end (as in MDSR, Lim et al., CVPRW 2017). Rectifiers without slope: they
cost nothing at inference and a quarter less in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from anew.networks.quantised import QuantisedConv2d
from anew.networks.upscaler import Upscaler

EDGES = torch.tensor([
    [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]],  # Sobel, horizontal and vertical
    [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]],
    [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]],  # Laplace
])  # fmt: skip


class EdgeOrientedConv(nn.Module):
    """One 3x3 convolution, written as a sum of branches while it learns.

    Parameters
    ----------
    inputs, outputs : int
        Channels. Where they are equal, the identity is one of the branches.
    gain : float > 0
        Size of the first weights, as a share of He's.
    expansion : int
        Channels of the expanding branch, as a multiple of ``outputs``.
    """

    def __init__(self, inputs: int, outputs: int, *, gain: float = 0.3, expansion: int = 2) -> None:
        super().__init__()
        self.plain = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.expand = nn.Parameter(torch.empty(expansion * outputs, inputs))
        self.squeeze = nn.Parameter(torch.empty(outputs, expansion * outputs, 3, 3))
        self.mix = nn.Parameter(torch.empty(len(EDGES), outputs, inputs))  # the 1x1 convolutions before the operators
        self.strength = nn.Parameter(torch.empty(len(EDGES), outputs))  # of the operators
        self.identity = inputs == outputs
        for weight in (self.plain.weight, self.squeeze):
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
            with torch.no_grad():
                weight.mul_(gain)  # the branches add up
        nn.init.zeros_(self.plain.bias)
        nn.init.normal_(self.expand, std=inputs**-0.5)
        nn.init.normal_(self.mix, std=inputs**-0.5)
        nn.init.normal_(self.strength, std=0.06 * gain)

    def kernel(self) -> Tensor:
        """Sum the branches: the (outputs, inputs, 3, 3) kernel that does what they do together."""
        device = self.expand.device
        edges = EDGES.to(device)
        total = self.plain.weight + torch.einsum("omyx,mi->oiyx", self.squeeze, self.expand)
        total = total + torch.einsum("ko,koi,kyx->oiyx", self.strength, self.mix, edges)
        if self.identity:
            identity = torch.eye(len(total), device=device)[:, :, None, None]
            total = total + nn.functional.pad(identity, (1, 1, 1, 1))
        return total

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W), zeros beyond the border."""
        with torch.autocast(x.device.type, enabled=False):
            kernel = self.kernel()
        return nn.functional.conv2d(x, kernel, self.plain.bias, padding=1)


class EdgeOrientedUpscaler(Upscaler):
    """Enlarge by one of several factors.

    Parameters
    ----------
    channels : int
        Of the image; 1 is luma alone.
    scales : sequence of int
    width, depth : int
        Feature channels, and 3x3 convolutions before the last one.
    branches : bool
        Learn with branches; the exported network has none.
    quantised : bool
        Compute all but the first convolution in 8 bits; without branches.
    """

    exported_arguments = MappingProxyType({"branches": False})

    def __init__(
        self,
        *,
        channels: int = 1,
        scales: Sequence[int] = (2, 3, 4),
        width: int = 64,
        depth: int = 14,
        branches: bool = True,
        quantised: bool = False,
    ) -> None:
        super().__init__(channels, scales)
        self.arguments = {"channels": channels, "scales": list(scales), "width": width, "depth": depth}
        self.arguments |= {"quantised": quantised}
        self.halo = depth + 1  # the pixels of surroundings that a result depends on

        def conv(inputs: int, outputs: int, gain: float = 0.3, *, first: bool = False, last: bool = False) -> nn.Module:
            if quantised and not first:
                return QuantisedConv2d(inputs, outputs, 3, padding=1, rectified=True, rounds=last)
            if branches and not quantised:
                return EdgeOrientedConv(inputs, outputs, gain=gain)
            return nn.Conv2d(inputs, outputs, 3, padding=1)

        self.body = nn.ModuleList(conv(width if i else channels + 1, width, first=i == 0) for i in range(depth))
        self.tails = nn.ModuleDict({str(s): conv(width, channels * s * s, 0.02, last=True) for s in scales})

    def features(self, image: Tensor, scale: Tensor) -> Tensor:
        """(N, C, H, W) and (N or 1, 1, 1, 1) -> (N, width, H, W)."""
        told = (scale / 4).expand(image.shape[0], 1, image.shape[2], image.shape[3])
        x = torch.cat([image, told.to(image.dtype)], dim=1)
        for convolution in self.body:
            x = torch.relu(convolution(x))
        return x

    def enlarge(self, image: Tensor, features: Tensor, scale: int) -> Tensor:
        """Interpolate and add what the features say."""
        return nn.functional.pixel_shuffle(self.interpolated(image, scale) + self.tails[str(scale)](features), scale)

    def collapsed(self) -> EdgeOrientedUpscaler:
        """Give the plain network that does the same, with the results of all factors as outputs."""
        plain = EdgeOrientedUpscaler(**self.arguments, branches=False)  # type: ignore[arg-type]
        plain.all_scales = True
        plain.load_state_dict({name: self._plain(name).detach() for name in plain.state_dict()})
        return plain

    def _plain(self, name: str) -> Tensor:
        """Give a parameter of the plain network by its name."""
        place, kind = name.rsplit(".", 1)
        module = self.get_submodule(place)
        if not isinstance(module, EdgeOrientedConv):
            value: Tensor = getattr(module, kind)
            return value
        return module.kernel() if kind == "weight" else module.plain.bias
