"""Networks in torch, one file per architecture; needs the extra ``train``."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import torch
from torch import nn

from anew.errors import InvalidSetting

NETWORKS = {  # name -> (file, class)
    "attention_cnn": ("attention_cnn", "AttentionCNN"),
    "autoencoder": ("autoencoder", "Autoencoder"),
    "classifier": ("classifier", "Classifier"),
    "conv_lstm": ("conv_lstm", "ConvLSTM"),
    "dcgan": ("dcgan", "DCGANGenerator"),
    "dcgan_discriminator": ("dcgan", "DCGANDiscriminator"),
    "dense_gan": ("dense_gan", "DenseGenerator"),
    "dense_gan_discriminator": ("dense_gan", "DenseDiscriminator"),
    "dncnn": ("dncnn", "DnCNN"),
    "edge-oriented": ("edge_oriented", "EdgeOrientedUpscaler"),
    "espcn": ("espcn", "ESPCN"),
    "flow_unet": ("flow_unet", "FlowUNet"),
    "hourglass": ("hourglass", "Hourglass"),
    "mask_unet": ("mask_unet", "MaskUNet"),
    "recurrent_cnn": ("recurrent_cnn", "RecurrentCNN"),
    "renet": ("renet", "ReNet"),
    "residual_gan": ("residual_gan", "ResidualGenerator"),
    "residual_gan_discriminator": ("residual_gan", "ResidualDiscriminator"),
    "srcnn": ("srcnn", "SRCNN"),
    "style_gan": ("style_gan", "StyleGenerator"),
    "style_gan_discriminator": ("style_gan", "StyleDiscriminator"),
    "unet": ("unet", "UNet"),
    "vae": ("vae", "VAE"),
}


def build_network(name: str, *, seed: int = 0, **arguments: Any) -> nn.Module:
    """Build a network by its name, with weights that follow from the seed.

    Raises
    ------
    InvalidSetting
        If there is no network of this name, or it cannot be built with these arguments.
    """
    known = arguments_of(name)
    for argument in arguments.keys() - known:
        raise InvalidSetting(f"the network {name} takes no {argument!r} (it takes {', '.join(sorted(known))})")
    torch.manual_seed(seed)
    try:
        network: nn.Module = _class_of(name)(**arguments)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        told = ", ".join(f"{key} = {value}" for key, value in arguments.items())
        raise InvalidSetting(f"the network {name} cannot be built with {told}: {error}") from error
    return network


def arguments_of(name: str) -> frozenset[str]:
    """Name the keywords that a network is built with.

    Raises
    ------
    InvalidSetting
        If there is no network of this name.
    """
    return frozenset(inspect.signature(_class_of(name)).parameters)


def _class_of(name: str) -> type[nn.Module]:
    if name not in NETWORKS:
        raise InvalidSetting(f"no network {name!r}; there are {', '.join(NETWORKS)}")
    file, class_name = NETWORKS[name]
    network: type[nn.Module] = getattr(import_module(f"anew.networks.{file}"), class_name)
    return network
