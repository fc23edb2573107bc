"""Template matching: pieces of photographs put back, and scores against scikit-image's."""

import numpy as np
import pytest
from PIL import Image
from skimage import data, feature
from sklearn.datasets import load_sample_image

from classical.template_matching import MatchTemplate
from vision.detection_metrics import box_iou
from vision.errors import KindError, ParameterError


def placed(piece, shape, left, top, background=None):
    """A photograph of grass with a piece of another in it."""
    image = data.grass()[: shape[0], : shape[1]].copy() if background is None else background
    image[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return image


@pytest.mark.parametrize("method", ["ccoeff_normed", "ccorr_normed", "sqdiff_normed"])
def test_a_piece_of_a_photograph_is_found_where_it_was_cut_out(method):
    image = load_sample_image("china.jpg")
    piece = image[150:200, 300:380].copy()
    found = MatchTemplate(piece, 0.999, method=method)(image)
    assert found.boxes.tolist() == [[300, 150, 380, 200]]
    assert np.isclose(found.scores[0], 1, atol=1e-4)
    assert found.shape == image.shape[:2]


def test_scores_are_scikit_images_correlation():
    image, piece = data.coins()[:120, :160], data.coins()[25:55, 60:110]
    expected = feature.match_template(image, piece)
    found = MatchTemplate(piece, 0.3, max_overlap=1)(image)
    x, y = found.boxes[:, :2].astype(int).T
    assert len(found) > 3
    assert np.allclose(found.scores, expected[y, x], atol=1e-4)
    peaks = feature.peak_local_max(expected, 1, 0.3, exclude_border=False)
    assert sorted(zip(y, x)) == sorted(map(tuple, peaks.tolist()))


def test_brightness_and_contrast_do_not_count():
    piece = data.coins()[25:65, 60:110]
    image = placed(piece // 2 + 20, (200, 240), 70, 90)
    found = MatchTemplate(piece)(image)
    assert found.boxes.tolist() == [[70, 90, 120, 130]]
    assert len(MatchTemplate(piece, 0.95, method="sqdiff_normed")(image)) == 0


def test_colours_count_in_their_order():
    image = data.coffee()
    piece = image[100:140, 200:260]
    assert len(MatchTemplate(piece.copy(), 0.95)(image)) == 1
    swapped = np.ascontiguousarray(piece[..., ::-1])
    assert len(MatchTemplate(swapped, 0.95)(image)) == 0


def test_of_places_that_overlap_the_best_stays():
    piece = data.coins()[25:65, 60:110]
    image = placed(piece, (200, 240), 20, 30)
    image = placed(piece, None, 150, 120, image)
    assert sorted(MatchTemplate(piece, 0.5)(image).boxes[:, 0].tolist()) == [20, 150]
    many = MatchTemplate(data.coins()[30:60, 65:100], 0.2, max_overlap=0.2)(data.coins())
    overlaps = box_iou(many.boxes, many.boxes) - np.eye(len(many))
    assert len(many) > 5
    assert overlaps.max() <= 0.2
    assert (np.diff(many.scores) <= 0).all()


@pytest.mark.parametrize("scale", [0.6, 1.5])
def test_a_larger_and_a_smaller_copy_are_found(scale):
    piece = data.camera()[80:160, 200:280]
    size = round(80 * scale)
    resized = np.asarray(Image.fromarray(piece).resize((size, size), Image.Resampling.BICUBIC))
    image = placed(resized, (220, 250), 90, 60)
    assert len(MatchTemplate(piece, 0.9)(image)) == 0
    found = MatchTemplate(piece, 0.9, scales=(0.6, 1, 1.5))(image)
    assert found.boxes.tolist() == [[90, 60, 90 + size, 60 + size]]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_quarter_turns_are_clockwise_and_exact(angle):
    piece = data.camera()[80:130, 200:280]
    turned = np.rot90(piece, -angle // 90)
    image = placed(turned, (200, 220), 60, 50)
    found = MatchTemplate(piece, 0.9, angles=(angle,))(image)
    height, width = turned.shape
    assert found.boxes.tolist() == [[60, 50, 60 + width, 50 + height]]
    assert found.scores[0] > 0.9999
    assert len(MatchTemplate(piece, 0.9, angles=(0,))(image)) == 0


@pytest.mark.parametrize("angle", [20, 135])
@pytest.mark.parametrize("colour", [False, True])
def test_any_turn_is_found_at_its_centre(angle, colour):
    photograph = data.astronaut() if colour else data.camera()
    piece = photograph[80:140, 200:280].copy()
    # Pillow turns anticlockwise about the centre.
    whole = Image.fromarray(photograph).rotate(-angle, Image.Resampling.BICUBIC, center=(240, 110))
    image = np.asarray(whole)[20:200, 150:330]
    found = MatchTemplate(piece, 0.9, angles=(0, angle))(np.ascontiguousarray(image))
    assert len(found) == 1
    left, top, right, bottom = found.boxes[0]
    assert abs((left + right) / 2 - 90) <= 1
    assert abs((top + bottom) / 2 - 90) <= 1
    turn = np.deg2rad(angle)
    assert abs(right - left - abs(80 * np.cos(turn)) - abs(60 * np.sin(turn))) <= 1


def test_flat_surroundings_are_no_match_of_a_turned_template():
    piece = data.camera()[80:140, 200:280]
    image = np.full((150, 150), 90, np.uint8)
    assert len(MatchTemplate(piece, 0.3, angles=(30,))(image)) == 0
    assert len(MatchTemplate(piece, 0.3)(image)) == 0


def test_in_a_smaller_image_there_is_nothing():
    piece = data.coins()[:40, :50]
    assert len(MatchTemplate(piece)(data.coins()[:39])) == 0


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (MatchTemplate(None), "'template' of MatchTemplate must be an rgb or gray image"),
        (MatchTemplate(np.full((4, 4), 7, np.uint8)), "'template'.*different levels"),
        (MatchTemplate(data.coins()[:9, :9], 1.1), "'threshold'"),
        (MatchTemplate(data.coins()[:9, :9], scales=(0,)), "'scales'"),
        (MatchTemplate(data.coins()[:9, :9], scales=1), "'scales'"),
        (MatchTemplate(data.coins()[:9, :9], angles=()), "'angles'"),
        (MatchTemplate(data.coins()[:9, :9], method="ccoeff"), "'method'"),
        (MatchTemplate(data.coins()[:9, :9], max_overlap=-1), "'max_overlap'"),
    ],
    ids=str,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coffee() if step.template is None else data.coins())


def test_the_image_must_be_of_the_templates_kind():
    with pytest.raises(KindError, match="MatchTemplate takes a gray image"):
        MatchTemplate(data.coins()[:9, :9])(data.coffee())
    with pytest.raises(KindError, match="MatchTemplate takes an rgb image"):
        MatchTemplate(data.coffee()[:9, :9])(data.coins())
