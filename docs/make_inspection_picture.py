"""Make the picture of the page "What a network looks at": ``python docs/make_inspection_picture.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from anew.contact_sheet import Tile, draw_contact_sheet
from anew.degradations.catalogue import degrade
from anew.inference.inspection.drawing import receptive_field_tiles
from anew.inference.inspection.features import feature_map_tiles, feature_maps
from anew.inference.inspection.receptive_field import measure_receptive_field
from anew.inference.inspection.report import region_saliency, score_saliency
from anew.inference.inspection.subject import open_subject

TARGET = Path(__file__).parent / "pictures" / "inspection.jpg"
LAYERS = ["head", "down.0.2"]


def denoiser_tiles() -> list[Tile]:
    """Receptive field, saliency and feature maps of the default denoiser."""
    denoiser = open_subject("denoise-unet")
    noisy = degrade(skimage.data.astronaut()[:256, 96:352] / np.float32(255), "noise", rng=0, sigma=25 / 255)
    middle = denoiser.as_batch(noisy[32:224, 32:224])
    field = receptive_field_tiles(measure_receptive_field(denoiser, middle[0]))
    face = denoiser.as_batch(noisy[52:148, 59:155])
    _, saliency = region_saliency(denoiser, face[0], denoiser(face)[0])
    maps = feature_map_tiles(feature_maps(denoiser, denoiser.as_batch(noisy[:192, 32:224]), LAYERS, most=1))
    return [*field, saliency[0], saliency[2], *maps]


def digit_tiles() -> list[Tile]:
    """What makes a classifier call a seven a seven."""
    seven = Image.new("L", (28, 28))
    ImageDraw.Draw(seven).text((8, 0), "7", 255, ImageFont.load_default(24))
    classifier = open_subject("features-digits")
    batch = classifier.as_batch(np.asarray(seven, np.float32) / 255)
    _, tiles = score_saliency(classifier, batch[0], classifier(batch)[0])
    return tiles


if __name__ == "__main__":
    sheet = draw_contact_sheet([*denoiser_tiles(), *digit_tiles()], tile_width=330, columns=4)
    Image.fromarray(sheet).save(TARGET, quality=82)
