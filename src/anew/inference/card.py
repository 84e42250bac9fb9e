"""A model's card: what it is, what it was trained on, what it costs, how good it is, what it cannot do."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from anew.errors import AnewError


class BadModel(AnewError):
    """A model file cannot be read, or its card is missing or does not validate."""


class ModelCard(BaseModel):
    """Everything a user of a weight file should know; it travels inside the ONNX file.

    Attributes
    ----------
    name, task, summary : str
    network : str
        The file in ``anew/networks`` and ``network_args`` to build it, so that training can start from these weights.
    channels, size_multiple : int
        Of the input; sides are padded to the multiple by reflection.
    halo : int
        Pixels of surroundings that a tile needs.
    parameters, multiply_adds_per_pixel : int
    recipe : dict
        The resolved training configuration.
    budget : str
        What the training took.
    data, terms : str
        What it was trained on, and the terms of that data as its authors state them.
    scores : dict of str to dict of str to float
        Test set -> condition -> PSNR in dB.
    protocol : str
        How the scores were measured.
    cost : str
        Seconds per megapixel, and on what.
    failures : str
        What it is known to do badly.
    date : str
        ISO date of the training.
    facts : dict
        What running it takes beyond this: size of the latent vector, names of labels, parametrisation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task: str
    summary: str
    network: str
    network_args: dict[str, Any]
    channels: int
    size_multiple: int
    halo: int
    parameters: int
    multiply_adds_per_pixel: int
    recipe: dict[str, Any]
    budget: str
    data: str
    terms: str
    scores: dict[str, dict[str, float]] = {}
    protocol: str = ""
    cost: str = ""
    failures: str = ""
    date: str
    facts: dict[str, Any] = {}

    @classmethod
    def from_json(cls, text: str, source: str) -> ModelCard:
        """Read a card; ``source`` names the file in the error."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise BadModel(f"{source}: its card is not valid at {place or 'its root'}: {first['msg']}") from None
