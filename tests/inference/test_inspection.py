"""What a network looks at, on hand-made models where the answer is known without the code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from anew.errors import Unavailable
from anew.inference.card import BadModel
from anew.inference.inspection.cost import measure_cost
from anew.inference.inspection.features import draw_feature_maps, feature_maps
from anew.inference.inspection.graph import at_tensor, last_map, layers_of, with_positive_weights
from anew.inference.inspection.occlusion import measure_saliency
from anew.inference.inspection.receptive_field import ReceptiveField, measure_receptive_field, measure_support
from anew.inference.inspection.subject import Subject, open_subject
from anew.inference.models import RunFailed, model_names
from hand_made_models import conv, make_card, node, onnx, save_model


def field_of(subject: Subject, *, side: int = 40, channels: int = 1, phases: int = 4) -> ReceptiveField:
    """Measure on noise, and find the same support from the wiring alone."""
    image = np.random.default_rng(1).random((channels, side, side), np.float32)
    found = measure_receptive_field(subject, image, phases=phases)
    wired = measure_support(with_positive_weights(subject), np.zeros_like(image), phases=phases)
    assert wired.support == found.support
    return found


@pytest.mark.parametrize("k", [1, 3, 5])
def test_one_convolution_sees_its_kernel(tmp_path: Path, k: int) -> None:
    model = save_model(
        tmp_path / "m.onnx", [conv("image", "w", "result", pads=[k // 2] * 4)], w=np.full((1, 1, k, k), 0.3)
    )
    found = field_of(model)
    assert found.support == (k, k)
    assert not found.cut
    np.testing.assert_allclose(found.influence[found.influence > 0], 0.3, rtol=1e-4)


@pytest.mark.parametrize("k", [3, 5])
def test_two_convolutions_see_twice_the_kernel_less_one(tmp_path: Path, k: int) -> None:
    weight, pads = np.full((1, 1, k, k), 0.1), [k // 2] * 4
    nodes = [conv("image", "w", "a", pads=pads), node("Relu", "a", "b"), conv("b", "w", "result", pads=pads)]
    assert field_of(save_model(tmp_path / "m.onnx", nodes, w=weight)).support == (2 * k - 1, 2 * k - 1)


def test_a_convolution_without_padding_is_centred(tmp_path: Path) -> None:
    model = save_model(tmp_path / "m.onnx", [node("Conv", "image", "w", "result")], w=np.ones((1, 1, 3, 3)))
    found = field_of(model)
    middle = found.influence.shape[0] // 2
    assert found.support == (3, 3)
    assert (found.influence[middle - 1 : middle + 2, middle - 1 : middle + 2] > 0).all()


def test_a_strided_convolution(tmp_path: Path) -> None:
    """Its cell is two pixels wide; of the nine taps only four lie on it, so half of them need the wider square."""
    model = save_model(tmp_path / "m.onnx", [conv("image", "w", "result", strides=[2, 2])], w=np.ones((1, 1, 3, 3)))
    found = field_of(model)
    assert found.cell == 2
    assert found.support == (3, 3)
    assert found.radius == {0.5: 1.5, 0.9: 1.5, 0.99: 1.5}
    np.testing.assert_allclose(found.influence[found.influence > 0], 1, rtol=1e-4)


def test_a_pixel_unshuffle_sees_whole_cells(tmp_path: Path) -> None:
    """3 x 3 cells of 2 x 2 pixels are 6 pixels; seen from both pixels of a cell, offsets go from -3 to 3."""
    weight = np.ones((4, 4, 3, 3))
    fold, unfold = node("SpaceToDepth", "image", "a", blocksize=2), node("DepthToSpace", "b", "result", blocksize=2)
    folded = save_model(tmp_path / "folded.onnx", [fold, conv("a", "w", "result")], w=weight)
    assert field_of(folded).support == (6, 6)
    assert field_of(folded).cell == 2
    unfolded = save_model(tmp_path / "unfolded.onnx", [fold, conv("a", "w", "b"), unfold], w=weight)
    assert field_of(unfolded).support == (7, 7)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_identity_has_influence_one_at_its_place(tmp_path: Path, channels: int) -> None:
    model = save_model(tmp_path / "m.onnx", [node("Identity", "image", "result")], channels=channels)
    found = field_of(model, channels=channels, side=17)
    middle = found.influence.shape[0] // 2
    assert found.influence[middle, middle] == pytest.approx(1, rel=1e-4)
    assert np.count_nonzero(found.influence) == 1
    assert found.radius == {0.5: 0, 0.9: 0, 0.99: 0}


def test_nearest_enlargement_is_an_identity_too(tmp_path: Path) -> None:
    nodes = [node("ConvTranspose", "image", "w", "result", strides=[3, 3])]
    found = field_of(save_model(tmp_path / "m.onnx", nodes, w=np.ones((1, 1, 3, 3))))
    assert found.support == (1, 1)
    assert found.influence.max() == pytest.approx(1, rel=1e-4)


def test_offsets_point_from_the_output_to_the_input(tmp_path: Path) -> None:
    weight = np.zeros((1, 1, 3, 3))
    weight[0, 0, 0, 2] = -2  # the pixel above on the right
    model = save_model(tmp_path / "m.onnx", [conv("image", "w", "result")], w=weight)
    found = measure_receptive_field(model, np.full((1, 9, 9), 0.5, np.float32), phases=2)
    assert found.support == (1, 1)
    middle = found.influence.shape[0] // 2
    assert found.influence[middle - 1, middle + 1] == pytest.approx(2, rel=1e-4)


@pytest.fixture
def blur(tmp_path: Path) -> Subject:
    return save_model(tmp_path / "blur.onnx", [conv("image", "w", "result")], w=np.full((1, 1, 3, 3), 1 / 9))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 5)])
def test_tiny_images(blur: Subject, shape: tuple[int, int]) -> None:
    found = measure_receptive_field(blur, np.full((1, *shape), 0.5, np.float32))
    assert found.support == tuple(min(3, side) for side in shape)
    saliency = measure_saliency(blur, np.random.default_rng(0).random((1, *shape), np.float32), block=2)
    assert saliency.shape == shape
    assert np.isfinite(saliency).all()


def test_what_is_wider_than_the_image_is_said_to_be_cut(blur: Subject) -> None:
    assert measure_receptive_field(blur, np.full((1, 4, 4), 0.5, np.float32), phases=2).cut
    for shape in ((1, 1), (1, 9)):
        assert measure_receptive_field(blur, np.full((1, *shape), 0.5, np.float32)).cut


def test_occlusion_of_a_linear_read_out_finds_its_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    weight = np.where(rng.random((6, 5)) < 0.4, rng.normal(size=(6, 5)), 0).astype(np.float32)
    nodes = [node("Flatten", "image", "a"), node("MatMul", "a", "w", "logits")]
    model = save_model(tmp_path / "m.onnx", nodes, size=(6, 5), output="logits", rank=2, w=weight.reshape(30, 1))
    x = rng.random((1, 6, 5), np.float32)
    saliency = measure_saliency(model, x, block=1, fill=2.0)
    np.testing.assert_array_equal(saliency > 0, weight != 0)
    np.testing.assert_allclose(saliency, np.abs(weight * (x[0] - 2)), atol=1e-5)


def test_a_region_depends_on_itself_and_its_kernel(blur: Subject) -> None:
    x = np.random.default_rng(0).random((1, 12, 12), np.float32)
    saliency = measure_saliency(lambda batch: blur(batch)[:, :, 4:6, 4:6], x, block=1)
    rows, columns = np.nonzero(saliency)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 6, 3, 6)


def test_feature_maps_come_most_energetic_first(tmp_path: Path) -> None:
    weight = np.array([1.0, -3.0, 0.5]).reshape(3, 1, 1, 1)
    nodes = [node("Conv", "image", "body.first.weight", "a"), node("Identity", "a", "result")]
    model = save_model(tmp_path / "m.onnx", nodes, **{"body.first.weight": weight})
    x = np.random.default_rng(0).random((1, 1, 7, 5), np.float32)
    maps = feature_maps(model, x, ["body.first"], most=2)
    assert [found.channel for found in maps] == [1, 0]
    np.testing.assert_allclose(maps[0].map, -3 * x[0, 0], rtol=1e-6)
    assert [found.energy for found in maps] == pytest.approx([9 / 10.25, 1 / 10.25])
    assert [found.layer for found in feature_maps(model, x)] == ["body.first"] * 3
    sheet = draw_feature_maps(maps, title="maps")
    assert sheet.dtype == np.uint8
    with pytest.raises(ValueError, match=r"no layer or tensor 'tail'; its layers are body.first"):
        feature_maps(model, x, ["tail"])


def test_cost_is_counted_layer_by_layer(tmp_path: Path) -> None:
    nodes = [
        conv("image", "one.weight", "a", strides=[2, 2]),
        node("ConvTranspose", "a", "two.weight", "b", strides=[2, 2]),
        node("Conv", "b", "three.weight", "bias", "result"),
    ]
    weights = {
        "one.weight": np.ones((4, 1, 3, 3)),
        "two.weight": np.ones((4, 2, 2, 2)),
        "three.weight": np.ones((5, 2, 1, 1)),
        "bias": np.ones(5),
    }
    model = save_model(tmp_path / "m.onnx", nodes, **weights)
    cost = measure_cost(model, np.zeros((1, 1, 8, 8), np.float32))
    assert [layer.name for layer, _ in cost.layers] == ["one", "two", "three"]
    assert [each for _, each in cost.layers] == [9, 8, 10]  # 4 x 9 / 4; 4 x 2 x 4 / 4; 2 x 5
    assert cost.parameters == 36 + 32 + 10 + 5
    assert cost.multiply_adds_per_pixel == 27


def test_weights_that_are_shared_count_once_and_their_work_each_time(tmp_path: Path) -> None:
    nodes = [conv("image", "w", "a"), conv("a", "w", "b"), conv("b", "w", "result")]
    model = save_model(tmp_path / "m.onnx", nodes, w=np.ones((1, 1, 3, 3)))
    cost = measure_cost(model, np.zeros((1, 1, 8, 8), np.float32))
    assert cost.parameters == 9
    assert cost.multiply_adds_per_pixel == 27


def test_products_with_matrices_are_counted_on_either_side(tmp_path: Path) -> None:
    """Of 8 x 6 pixels: 8 x 6 by 6 x 4, then 5 x 8 by 8 x 4, then 4 numbers by 4 x 3, stored transposed."""
    nodes = [
        node("MatMul", "image", "right", "a"), node("MatMul", "left", "a", "b"), node("GlobalAveragePool", "b", "c"),
        node("Expand", "c", "wide", "d"), node("Reshape", "d", "row", "e"),
        node("Gemm", "e", "turned", "bias", "result", transB=1),
    ]  # fmt: skip
    weights = {"right": np.ones((6, 4)), "left": np.ones((5, 8)), "turned": np.ones((3, 4)), "bias": np.ones(3)}
    shapes = [node("Constant", name, value=onnx.numpy_helper.from_array(np.array(value)))
              for name, value in (("wide", [1, 1, 1, 4]), ("row", [1, 4]))]  # fmt: skip
    model = save_model(tmp_path / "m.onnx", [*shapes, *nodes], size=(8, 6), rank=2, **weights)
    cost = measure_cost(model, np.zeros((1, 1, 8, 6), np.float32))
    assert [48 * each for _, each in cost.layers] == pytest.approx([8 * 6 * 4, 5 * 8 * 4, 4 * 3])
    assert cost.parameters == 24 + 40 + 12 + 3
    with pytest.raises(ValueError, match="no convolution, so it makes no map"):
        feature_maps(model, np.zeros((1, 1, 8, 6), np.float32))


@pytest.mark.parametrize("name", model_names())
def test_cards_state_what_stands_in_the_graph(name: str) -> None:
    subject = open_subject(name)
    if subject.card is None or subject.entry is None or not subject.card.multiply_adds_per_pixel:
        pytest.skip("its card states no multiply-adds per pixel")
    size = subject.size or (8 * subject.multiple, 8 * subject.multiple)
    cost = measure_cost(subject, np.zeros((1, subject.channels, *size), np.float32))
    assert sum(each for _, each in cost.layers) == pytest.approx(subject.card.multiply_adds_per_pixel, rel=0.02)
    assert sum(layer.parameters for layer, _ in cost.layers) == pytest.approx(subject.card.parameters, rel=0.02)


def test_a_classifier_is_watched_at_its_last_map(tmp_path: Path) -> None:
    nodes = [
        conv("image", "w", "a", strides=[2, 2]), conv("a", "v", "b"), node("GlobalAveragePool", "b", "c"),
        node("Flatten", "c", "logits"),
    ]  # fmt: skip
    weights = {"w": np.ones((2, 1, 3, 3)), "v": np.ones((2, 2, 3, 3))}
    card = make_card("classify", channels=1, labels=["no", "yes"])
    model = save_model(tmp_path / "m.onnx", nodes, size=(32, 32), output="logits", rank=2, card=card, **weights)
    assert last_map(model.path) == "b"
    assert model.labels == ["no", "yes"]
    found = field_of(at_tensor(model, "b"), side=32)
    assert found.support == (7, 7)  # 3 cells of 2, and the kernel's one more
    assert found.cell == 2


def test_any_picture_is_made_to_fit(tmp_path: Path) -> None:
    fixed = save_model(tmp_path / "m.onnx", [node("Identity", "image", "result")], size=(6, 8))
    assert fixed.as_batch(np.ones((13, 7, 3), np.float32)).shape == (1, 1, 6, 8)
    colour = save_model(tmp_path / "c.onnx", [node("Identity", "image", "result")], channels=3)
    assert colour.as_batch(np.ones((1, 1), np.float32)).shape == (1, 3, 1, 1)


def test_what_cannot_be_is_said_in_a_line(blur: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadModel, match=r"no model 'nothing'; there are .*denoise-unet"):
        open_subject("nothing")
    with pytest.raises(RunFailed, match="blur failed on 4 x 4 pixels in 2 channels: ") as caught:
        blur(np.zeros((1, 2, 4, 4), np.float32))
    assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(Unavailable, match=r"extra `train`: pip install '\.\[train\]' in its folder"):
        layers_of(blur.path)
    cost = measure_cost(blur, np.zeros((1, 1, 4, 4), np.float32))
    assert cost.layers == []
    assert "onnx" in cost.note
