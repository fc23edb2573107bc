"""Augmentation against NumPy, Pillow, SciPy, TensorFlow, and geometry by hand."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

import vision
from classical import FindContours, Gray, Otsu, RawPixels, Resize
from deep import (
    CNNClassifier,
    CutMix,
    MixUp,
    RandomBlur,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomHue,
    RandomNoise,
    RandomRotation,
    RandomSaturation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
    augment,
    augmentation_sheet,
)
from deep.augmentation import Fused
from tests.deep.augmentation_draws import furthest, highest, one_after_another
from vision import Detections, Keypoints
from vision.errors import ImageError, KindError, ParameterError
from vision.pipeline import Pipeline

CENTRE = 59.5  # of 120 pixels


@pytest.fixture(scope="module")
def photograph():
    """A square of a shipped photograph, 120 pixels a side."""
    return np.ascontiguousarray(data.astronaut()[40:160, 160:280])


@pytest.mark.parametrize(("mode", "axes"), [("horizontal", 1), ("vertical", 0), ("both", (0, 1))])
def test_flips_are_numpys(photograph, mode, axes):
    flip = RandomFlip(mode, probability=1.0)
    for image in (photograph[:77], photograph[:, :31, 0]):
        assert np.array_equal(flip(image), np.flip(image, axes))


def test_both_flips_are_drawn_apart(photograph):
    seen = {augment(RandomFlip("both"), photograph, seed=seed).tobytes() for seed in range(40)}
    assert seen == {np.flip(photograph, axes).tobytes() for axes in ((), (0,), (1,), (0, 1))}


def test_a_crop_is_a_part_of_the_padded_image_and_says_which(photograph):
    image, places = photograph[:40, :30], set()
    padded = np.pad(image, ((5, 5), (5, 5), (0, 0)))
    for seed in range(60):
        step = RandomCrop(width=20, height=32, padding=5, random_state=seed)
        left, top = step.to_input(image)[:2, 2].astype(int).tolist()
        part = padded[top + 5 : top + 37, left + 5 : left + 25]
        assert np.array_equal(step(image), part)
        places.add((left, top))
    lefts, tops = zip(*places)
    assert min(lefts) == -5 and max(lefts) == 15
    assert min(tops) == -5 and max(tops) == 13


def test_a_crop_of_padding_alone_keeps_the_size(photograph):
    assert RandomCrop(padding=4)(photograph).shape == photograph.shape
    assert np.array_equal(highest(RandomCrop(padding=4), photograph)[:-4, :-4], photograph[4:, 4:])


@pytest.mark.parametrize(("degrees", "quarters"), [(90, 1), (180, 2)])
def test_quarter_turns_are_numpys(photograph, degrees, quarters):
    turned = highest(RandomRotation(degrees), photograph)
    assert furthest(turned, np.rot90(photograph, quarters)) <= 1


@pytest.mark.parametrize(
    ("fill", "mode"), [("reflect", "reflect"), ("nearest", "edge"), ("constant", "constant")]
)
def test_what_lies_beyond_is_numpys_padding(photograph, fill, mode):
    image = photograph[:80]
    moved = highest(RandomTranslation(0.25, fill=fill), image)
    padded = np.pad(image, ((0, 20), (0, 30), (0, 0)), mode=mode)
    assert np.array_equal(moved, padded[20:, 30:])


SINE, COSINE, TANGENT = 0.5, np.sqrt(3) / 2, np.tan(np.radians(10))
MOVES = [
    (RandomFlip(probability=1.0), lambda x, y: (-x, y)),
    (RandomRotation(30), lambda x, y: (COSINE * x + SINE * y, -SINE * x + COSINE * y)),
    (RandomTranslation(0.1), lambda x, y: (x - 12, y - 12)),
    (RandomZoom(0.2), lambda x, y: (1.2 * x, 1.2 * y)),
    (RandomShear(10), lambda x, y: (x - TANGENT * y, y)),
    (RandomCrop(padding=4), lambda x, y: (x - 4, y - 4)),
]


@pytest.mark.parametrize(("step", "move"), MOVES, ids=lambda part: type(part).__name__)
def test_points_go_where_geometry_says_and_where_the_picture_shows_them(step, move):
    dots = np.array([[40, 50], [80, 62], [66, 84]])
    for dot in dots:
        image = np.zeros((120, 120), np.uint8)
        image[dot[1], dot[0]] = 255
        image = cv2.GaussianBlur(image, (0, 0), 2) * 8
        shown, points = highest(step, image, Keypoints([dot], shape=image.shape))
        expected = np.add(move(*(dot - CENTRE)), CENTRE)
        assert np.allclose(points.points[0], expected, atol=1e-9)
        assert np.allclose(ndimage.center_of_mass(shown)[::-1], expected, atol=0.15)


def test_width_and_height_may_be_zoomed_apart(photograph):
    matrix = RandomZoom(0.3, keep_aspect=False).to_input(photograph)
    assert matrix[0, 0] != matrix[1, 1]
    assert np.ptp(np.diag(RandomZoom(0.3).to_input(photograph))[:2]) == 0


def test_boxes_move_with_what_they_enclose():
    image = np.zeros((100, 140), np.uint8)
    image[20:50, 10:40] = 255
    boxes = Detections([[10, 20, 40, 50]], labels=["block"], shape=image.shape)
    shown, moved = highest(RandomFlip("both", probability=1.0), image, boxes)
    assert moved.boxes.tolist() == [[100, 50, 130, 80]]
    assert shown[50:80, 100:130].all() and shown.sum() == image.sum()
    shown, moved = highest(RandomCrop(width=120, height=60), image, boxes)
    assert moved.boxes.tolist() == [[0, 0, 20, 10]]  # cut at the border
    assert np.argwhere(shown).max(0).tolist() == [9, 19]
    _, moved = highest(RandomCrop(width=90, height=40), image, boxes)
    assert len(moved) == 0


def test_a_turned_box_encloses_its_corners():
    image = np.zeros((120, 120), np.uint8)
    image[40:60, 50:90] = 255
    boxes = Detections([[50, 40, 90, 60]], shape=image.shape)
    shown, moved = highest(RandomRotation(30), image, boxes)
    corners = np.array([(x, y) for x in (-10, 30) for y in (-20, 0)])  # from the centre, (60, 60)
    turned = corners @ np.array([[COSINE, -SINE], [SINE, COSINE]]) + 60
    expected = [*turned.min(0), *turned.max(0)]
    assert np.allclose(moved.boxes[0], expected)
    rows, columns = np.nonzero(shown > 127)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.allclose(seen, expected, atol=1.0)


STRONG = (
    RandomFlip("both")
    >> RandomRotation(180, fill="constant")
    >> RandomZoom(0.3, keep_aspect=False, fill="constant")
    >> RandomShear(20, fill="constant")
    >> RandomTranslation(0.1, fill="constant")
)


def blob():
    mask = np.zeros((160, 200), np.uint8)
    cv2.ellipse(mask, (90, 70), (45, 20), 25, 0, 360, 255, -1)
    cv2.circle(mask, (150, 120), 18, 255, -1)
    return mask


def overlap(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


@pytest.mark.parametrize("seed", range(6))
def test_masks_labels_and_contours_move_with_the_image_and_stay_whole(seed):
    mask = blob()
    image = np.dstack([mask] * 3)
    names = np.array([0, 2**24 + 1, 2**31 - 1], np.int32)
    labels = names[cv2.connectedComponents(mask)[1]]
    outlines = FindContours()(mask)
    shown, moved, named, lines = augment(STRONG, image, mask, labels, outlines, seed=seed)
    assert set(np.unique(moved)) == {0, 255}
    assert moved.dtype == np.uint8 and named.dtype == np.int32
    assert set(np.unique(named)) <= set(names.tolist())
    assert np.array_equal(named > 0, moved > 0)
    assert overlap(shown[..., 0] > 127, moved > 0) > 0.97
    drawn = np.zeros_like(mask)
    for points in lines.points:
        cv2.fillPoly(drawn, [np.rint(points).astype(np.int32).reshape(-1, 1, 2)], 255)
    assert overlap(drawn > 0, moved > 0) > 0.95


def test_labels_that_are_no_whole_block_of_memory_move_too(photograph):
    labels = np.arange(2 * 120 * 120, dtype=np.int32).reshape(120, 240)[:, ::2]
    for given in (labels, np.asfortranarray(labels)):
        _, moved = augment(RandomFlip(probability=1.0), photograph, given)
        assert np.array_equal(moved, labels[:, ::-1])


def test_flips_and_crops_fuse_exactly(photograph):
    chain = (
        RandomFlip("vertical", probability=1.0)
        >> RandomCrop(padding=6)
        >> RandomFlip(probability=1.0)
    )
    expected = np.pad(photograph[::-1], ((0, 6), (0, 6), (0, 0)))[6:, 6:][:, ::-1]
    assert np.array_equal(highest(chain, photograph), expected)


@pytest.mark.parametrize("seed", range(4))
def test_one_warp_is_the_same_as_several(photograph, seed):
    smooth = cv2.GaussianBlur(photograph, (0, 0), 2)
    steps = RandomFlip("both"), RandomRotation(30), RandomZoom(0.1), RandomTranslation(0.05)
    fused = augment(vision.chain(*steps), smooth, seed=seed)
    apart = one_after_another(steps, smooth, seed)
    inner = slice(30, 90)
    assert furthest(fused[inner, inner], apart[inner, inner]) <= 6
    assert furthest(fused[inner, inner], smooth[inner, inner]) > 40


EVERY = [
    RandomFlip("both"),
    RandomCrop(padding=9),
    RandomRotation(),
    RandomTranslation(),
    RandomZoom(),
    RandomShear(),
    RandomBrightness(),
    RandomContrast(),
    RandomSaturation(),
    RandomHue(),
    RandomNoise(),
    RandomBlur(probability=1.0),
    RandomErasing(probability=1.0),
]


@pytest.mark.parametrize("step", EVERY, ids=lambda step: type(step).__name__)
def test_a_seed_draws_the_same_and_another_one_something_else(step, photograph):
    first = augment(step, photograph, seed=5)
    assert np.array_equal(first, augment(step, photograph, seed=5))
    others = {augment(step, photograph, seed=seed).tobytes() for seed in range(6, 12)}
    assert len(others | {first.tobytes()}) >= 3
    assert np.array_equal(step(photograph), step(photograph))
    assert not np.array_equal(first, photograph) or isinstance(step, RandomFlip)


def test_a_batch_is_decided_by_its_seed_alone(photograph):
    images, targets = np.stack([photograph] * 4), np.eye(4, dtype=np.float32)
    fused = Fused(RandomRotation() >> RandomNoise() >> MixUp() >> CutMix())
    first, again, other = (fused.batch(images, targets, (7, n)) for n in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], other[0])
    plain = Fused(RandomRotation()).batch(images, targets, (7, 1))[0]
    assert len({image.tobytes() for image in plain}) == 4
    assert np.array_equal(images, np.stack([photograph] * 4))


def test_gray_batches_keep_their_channel(photograph):
    images = photograph[None, ..., :1]
    made, _ = Fused(RandomFlip(probability=1.0)).batch(images, np.eye(1, dtype=np.float32), 0)
    assert np.array_equal(made, images[:, :, ::-1])


@pytest.mark.parametrize("step", [MixUp(alpha=1.0), CutMix()], ids=["MixUp", "CutMix"])
def test_targets_are_mixed_as_the_pixels_are(step):
    values = np.array([0, 60, 120, 180, 240])
    images = np.broadcast_to(values[:, None, None, None], (5, 20, 30, 3)).astype(np.uint8)
    changed = 0
    for seed in range(20):
        mixed, targets = Fused(step).batch(images, np.eye(5, dtype=np.float32), (seed,))
        assert np.allclose(targets.sum(1), 1)
        measured = mixed.mean(axis=(1, 2, 3))
        assert np.allclose(measured, targets @ values, atol=0.51)
        changed += not np.array_equal(mixed, images)
    assert changed > 15


def test_mixup_blends_and_cutmix_cuts(photograph):
    images = np.stack([np.zeros_like(photograph), np.full_like(photograph, 200)])
    eye = np.eye(2, dtype=np.float32)
    for seed in range(8):
        blended, _ = Fused(MixUp(1.0)).batch(images, eye, (seed,))
        assert len(np.unique(blended[0])) == 1
        cut, _ = Fused(CutMix()).batch(images, eye, (seed,))
        assert set(np.unique(cut)) <= {0, 200}


def test_mixing_leaves_a_single_image_alone(photograph):
    assert np.array_equal(MixUp()(photograph), photograph)
    assert np.array_equal(augment(CutMix() >> MixUp(), photograph), photograph)


def test_steps_compose_and_have_a_text_form():
    chain = RandomCrop(padding=4) >> RandomFlip() >> RandomHue(5) >> MixUp(0.4)
    assert isinstance(chain, Pipeline)
    text = vision.to_text(chain)
    again = vision.from_text(text)
    assert vision.to_text(again) == text
    assert [type(step).__name__ for _, step in again.steps] == [
        "RandomCrop",
        "RandomFlip",
        "RandomHue",
        "MixUp",
    ]
    assert again.steps[0][1].padding == 4 and again.steps[3][1].alpha == 0.4


def test_a_pipeline_brings_masks_back_to_the_image_that_was_given():
    mask = blob()
    turned = RandomRotation(25, random_state=4) >> RandomZoom(0.2, random_state=2)
    found = (turned >> Otsu())(mask)
    assert overlap(found > 0, mask > 0) > 0.95
    assert overlap(turned(mask) > 127, mask > 0) < 0.8


def test_the_image_and_its_truths_are_never_changed(photograph):
    image, mask = photograph.copy(), (photograph[..., 0] // 128) * 255
    kept = mask.copy()
    for step in EVERY:
        made, moved = augment(step, image, mask)
        assert made is not image
        made[:], moved[:] = 7, 7
        assert np.array_equal(image, photograph) and np.array_equal(mask, kept), step


def test_a_sheet_shows_the_image_first(photograph):
    sheet = augmentation_sheet(RandomHue(180), photograph, count=3, width=600)
    assert sheet.shape[1] == 600
    first = cv2.resize(sheet[:, :200][-190:], (60, 60), interpolation=cv2.INTER_AREA)
    assert first.std() > 10


def test_what_is_wrong_is_refused_by_name(photograph):
    with pytest.raises(ParameterError, match=r"augmentation.*RandomFlip"):
        augment(RandomFlip() >> Gray(), photograph)
    with pytest.raises(ParameterError, match=r"truths.*label maps of .120, 120.*float64"):
        augment(RandomFlip(), photograph, np.zeros((120, 120)))
    with pytest.raises(ParameterError, match=r"truths.*keypoints"):
        augment(RandomFlip(), photograph, [1, 2])
    with pytest.raises(ParameterError, match=r"seed.*augment"):
        augment(RandomFlip(), photograph, seed=-1)
    with pytest.raises(KindError, match=r"RandomFlip takes"):
        augment(RandomFlip(), photograph / 255)
    with pytest.raises(ImageError, match=r"RandomCrop to 200x120.*Got 120x120.*padding"):
        RandomCrop(width=200)(photograph)
    with pytest.raises(ParameterError, match=r"count.*augmentation_sheet"):
        augmentation_sheet(RandomFlip(), photograph, count=0)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (RandomFlip("horizontl"), "mode.*RandomFlip.*Did you mean 'horizontal'"),
        (RandomFlip(probability=1.5), "probability.*RandomFlip"),
        (RandomCrop(width=0), "width.*RandomCrop"),
        (RandomCrop(padding=-1), "padding.*RandomCrop"),
        (RandomRotation(200), "degrees.*RandomRotation"),
        (RandomRotation(fill="mirror"), "fill.*RandomRotation"),
        (RandomTranslation(2), "share.*RandomTranslation"),
        (RandomZoom(1), "share.*RandomZoom"),
        (RandomZoom(keep_aspect=1), "keep_aspect.*RandomZoom"),
        (RandomShear(90), "degrees.*RandomShear"),
        (RandomBrightness(-1), "share.*RandomBrightness"),
        (RandomContrast(2), "share.*RandomContrast"),
        (RandomSaturation(2), "share.*RandomSaturation"),
        (RandomHue(181), "degrees.*RandomHue"),
        (RandomNoise(-1), "sigma.*RandomNoise"),
        (RandomBlur(0), "sigma.*RandomBlur"),
        (RandomErasing(0), "share.*RandomErasing"),
        (MixUp(0), "alpha.*MixUp"),
        (CutMix(-1), "alpha.*CutMix"),
        (RandomFlip(random_state=-1), "random_state.*RandomFlip"),
    ],
)
def test_parameters_are_refused_by_name(step, words, photograph):
    with pytest.raises(ParameterError, match=words):
        step(photograph)


def sided(count=60):
    """Images that are bright on the left or on the right."""
    labels = np.arange(count) % 2
    images = np.random.default_rng(0).integers(0, 40, (count, 8, 8)).astype(np.uint8)
    for image, side in zip(images, labels, strict=True):
        image[:, 4 * side : 4 * side + 4] += 180
    return images, np.array(["left", "right"])[labels]


def trained(augmentation, epochs=6):
    images, labels = sided()
    network = CNNClassifier(
        "logistic_regression",
        epochs=epochs,
        batch_size=10,
        learning_rate=0.05,
        augmentation=augmentation,
        verbose=False,
    )
    return network.fit(images, labels).score(images, labels)


def test_a_network_is_trained_on_augmented_images():
    assert trained(None) == 1.0
    assert trained(RandomFlip(probability=1.0)) == 0.0  # it saw them mirrored, and nothing else
    assert trained(RandomNoise() >> CutMix() >> MixUp()) > 0.9


def test_training_refuses_a_change_of_size():
    with pytest.raises(ParameterError, match=r"keep the size.*8x8 came out as 4x8.*padding"):
        trained(RandomCrop(width=4), epochs=1)
    with pytest.raises(ParameterError, match=r"augmentation.*random steps"):
        trained(Gray(), epochs=1)


def test_augmentation_in_front_of_a_network_is_refused_with_where_it_belongs():
    flip, turn, network = RandomFlip(), RandomRotation(45), CNNClassifier("lenet5", epochs=3)
    with pytest.raises(
        KindError, match=r"CNNClassifier\(augmentation=RandomFlip\(\) >>"
    ) as refused:
        flip >> turn >> Resize(width=32, height=32) >> network
    repaired = refused.value.suggestion
    assert [name for name, _ in repaired.steps] == ["resize", "cnnclassifier"]
    assert list(repaired[-1].augmentation) == [flip, turn]
    assert repaired[-1].epochs == 3 and network.augmentation is None
    with pytest.raises(KindError, match="MixUp in front of") as refused:
        MixUp() >> network
    assert type(refused.value.suggestion[-1].augmentation) is MixUp


def test_augmentation_in_front_of_a_classical_classifier_is_left_out():
    with pytest.raises(KindError, match="Leave it out here") as refused:
        RandomFlip() >> Gray() >> RawPixels(8) >> GaussianNB()
    names = [name for name, _ in refused.value.suggestion.steps]
    assert names == ["gray", "rawpixels", "gaussiannb"]


def test_augmentation_is_shown_by_a_chain_and_asks_what_is_frozen(photograph):
    rows = RandomFlip(probability=1.0) >> Gray() >> RawPixels(8)
    assert rows(photograph).shape == (64,)
    pictures = [photograph, photograph[::-1]]
    frozen = FrozenEstimator((Gray() >> RawPixels(8) >> GaussianNB()).fit(pictures, ["up", "down"]))
    assert (RandomFlip("vertical", probability=1.0) >> frozen).predict(pictures)[0] == "down"
