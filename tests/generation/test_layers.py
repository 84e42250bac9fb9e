"""Rule files: blend modes at values that are known, masks, seeds, and what is wrong in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from anew.errors import AnewError
from anew.generation.layers import BadRules, Blend, blend, draw_layers, parse_rules, read_rules

KNOWN = {  # of below 0.25 and top 0.75, and of 0.64 and 0.25, by the formulas of the W3C
    "normal": (0.75, 0.25),
    "multiply": (0.1875, 0.16),
    "screen": (0.8125, 0.73),
    "overlay": (0.375, 0.46),
    "darken": (0.25, 0.25),
    "lighten": (0.75, 0.64),
    "hard-light": (0.625, 0.32),
    "soft-light": (0.375, 0.5248),
    "difference": (0.5, 0.39),
    "exclusion": (0.625, 0.57),
    "add": (1.0, 0.89),
}


def rules_of(*layers: dict[str, object], **more: object) -> bytes:
    return json.dumps({"layers": layers, **more}).encode()


def grey(level: float) -> dict[str, object]:
    return {"what": "salt-and-pepper", "options": {"density": 0, "level": level}}


def drawn(*layers: dict[str, object], seed: int = 0, shape: tuple[int, int] = (12, 16)) -> np.ndarray:
    return draw_layers(parse_rules(rules_of(*layers), "test"), shape, np.random.default_rng(seed))


@pytest.mark.parametrize("mode", get_args(Blend))
def test_blend_modes_give_the_values_of_their_formulas(mode: Blend) -> None:
    below, top = np.full((1, 1, 1), 0.25, np.float32), np.full((1, 1, 1), 0.75, np.float32)
    assert blend(below, top, mode).item() == pytest.approx(KNOWN[mode][0], abs=1e-6)
    image = drawn(grey(0.64), {**grey(0.25), "blend": mode})
    np.testing.assert_allclose(image, KNOWN[mode][1], atol=1e-6)


@pytest.mark.parametrize("mode", get_args(Blend))
def test_no_blend_mode_leaves_the_range(mode: Blend) -> None:
    values = np.linspace(0, 1, 41, dtype=np.float32)
    result = blend(values[:, None, None], values[None, :, None], mode)
    assert result.min() >= -1e-6
    assert result.max() <= 1 + 1e-6


def test_opacity_and_mask_say_how_much_shows() -> None:
    half = drawn(grey(0.2), {**grey(0.8), "opacity": 0.5})
    np.testing.assert_allclose(half, 0.5, atol=1e-6)
    mask = {"what": "linear-gradient", "options": {"angle": 0}}
    shown = drawn(grey(0), {**grey(1), "mask": mask})[0, :, 0]
    np.testing.assert_allclose(shown, (np.arange(16) + 0.5) / 16, atol=1e-6)
    hidden = drawn(grey(0), {**grey(1), "mask": {**mask, "invert": True}})[0, :, 0]
    np.testing.assert_allclose(hidden, 1 - shown, atol=1e-6)
    steep = drawn(grey(0), {**grey(1), "mask": {**mask, "low": 0.25, "high": 0.5}})[0, :, 0]
    np.testing.assert_allclose(steep, np.clip((shown - 0.25) * 4, 0, 1), atol=1e-6)
    faint = drawn({**grey(0.8), "opacity": 0.5})
    np.testing.assert_allclose(faint, 0.4, atol=1e-6)  # the ground below the lowest layer is black


def test_grey_layers_make_a_grey_picture_and_one_of_colour_makes_colour() -> None:
    assert drawn(grey(0.3), {"what": "perlin"}).shape == (12, 16, 1)
    assert drawn(grey(0.3), {"what": "marble", "blend": "multiply"}).shape == (12, 16, 3)
    assert drawn({"what": "marble"}, {"what": "perlin", "blend": "multiply"}).shape == (12, 16, 3)


def test_layers_draw_from_streams_of_their_own() -> None:
    both = drawn({"what": "uniform"}, {"what": "gaussian", "opacity": 0.5}, seed=4)
    other = drawn({"what": "uniform"}, {"what": "poisson", "opacity": 0}, seed=4)
    np.testing.assert_array_equal(drawn({"what": "uniform"}, seed=4), other)
    assert not np.array_equal(both, drawn({"what": "uniform"}, {"what": "gaussian", "opacity": 0.5}, seed=5))
    tied = {"what": "uniform", "seed": 7}
    np.testing.assert_array_equal(drawn(tied, seed=1), drawn(tied, seed=2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "^x.json: Invalid JSON"),
        (b"[]", "^x.json: Input should be an object"),
        (b"{}", "^x.json: layers: Field required"),
        (rules_of(), "^x.json: layers: Tuple should have at least 1 item"),
        (b'{"layer": []}', "^x.json: layer: there is no such key; did you mean 'layers'"),
        (
            rules_of({**grey(1), "opactiy": 1}),
            r"^x.json: layers\[0\].opactiy: there is no such key; did you mean 'opacity'",
        ),
        (rules_of({"what": "marbel"}), r"^x.json: layers\[0\]: unknown picture 'marbel'; did you mean 'marble'"),
        (rules_of(grey(1), {**grey(1), "blend": "burn"}), r"^x.json: layers\[1\].blend: Input should be 'normal'"),
        (rules_of({**grey(1), "opacity": 2}), r"^x.json: layers\[0\].opacity: Input should be less than or equal to 1"),
        (rules_of({**grey(1), "colour": 1}), r"^x.json: layers\[0\].colour: there is no such key"),
        (rules_of({"what": "marble", "options": {"vains": 1}}), "marble has no option 'vains'; did you mean 'veins'"),
        (rules_of({**grey(1), "mask": {"what": "perlin", "low": 1}}), r"layers\[0\].mask: low must be below high"),
        (
            rules_of(grey(1), {"what": "wood", "options": {"palette": "mud"}}, size=[4000, 3000]),
            r"^x.json: layers\[1\]: unknown palette 'mud'",
        ),
        (rules_of({"what": "l-system", "options": {"system": "weed"}}), r"^x.json: layers\[0\]: "),
        (rules_of(grey(1), size=[0, 9]), "^x.json: size: sides must be from 1 to 30000"),
        (rules_of(grey(1), size=[9]), "^x.json: size"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(text: bytes, message: str) -> None:
    with pytest.raises(BadRules, match=message) as caught:
        parse_rules(text, "x.json")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, AnewError)


def test_a_mark_of_the_byte_order_is_no_part_of_the_rules() -> None:
    assert parse_rules(b"\xef\xbb\xbf" + rules_of(grey(1)), "x.json") == parse_rules(rules_of(grey(1)), "x.json")


def test_files_that_cannot_be_read_or_are_too_large_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=r"none\.json: cannot be read \(No such file"):
        read_rules(tmp_path / "none.json")
    with pytest.raises(BadRules, match="cannot be read"):
        read_rules(tmp_path)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(BadRules, match="larger than 1 MB"):
        read_rules(large)
