"""The contract, over every step of the catalogue, present and future."""

import ast
import doctest
import importlib
import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone

import vision
from vision import catalogue
from vision.errors import ImageError, KindError, ParameterError, VisionError
from vision.flow import chain_kinds, gives_of, is_stateless, takes_of
from vision.kinds import ARRAYS, Branched, Kind

NAMES = catalogue.names()
# What stands for each kind: built from one colour photograph by steps that tests hold elsewhere.
RECIPES = {
    Kind.GRAY: ["Gray"],
    Kind.HSV: ["ToHSV"],
    Kind.HLS: ["ToHLS"],
    Kind.LAB: ["ToLab"],
    Kind.YCRCB: ["ToYCrCb"],
    Kind.CMYK: ["ToCMYK"],
    Kind.FLOAT: ["ToFloat"],
    Kind.MAP: ["Gray", "LoG"],
    Kind.MASK: ["Gray", "Otsu"],
    Kind.EDGES: ["Gray", "Canny"],
    Kind.LABELS: ["KMeansSegmenter"],
    Kind.CONTOURS: ["Gray", "Otsu", "FindContours"],
    Kind.LINES: ["Gray", "Canny", "HoughLines"],
    Kind.FEATURES: ["Gray", "RawPixels"],
}


def photograph(height=48, width=64):
    from skimage import data

    coffee = data.coffee()
    return coffee[100 : 100 + height, 200 : 200 + width].copy()


def other_photograph(step, height, width):
    """Another one, of another size too, unless the step takes one size alone."""
    if step.gives is Kind.CLASS:
        return photograph()[:, ::-1].copy() + np.uint8(height)
    return photograph(height, width)


def stand_in(kind, image):
    """An example of a kind, made from a colour image."""
    if isinstance(kind, Branched) or kind in (Kind.RGB, Kind.ANY):
        return image
    if kind not in RECIPES:
        pytest.skip(f"no step of the catalogue makes {kind} yet")
    for name in RECIPES[kind]:
        image = catalogue.make(name)(image)
    return image


def needs_fit(step):
    return not is_stateless(step)


def ready(name):
    """A working instance, fitted where it learns, with the kind of image that it usually takes."""
    step = catalogue.make(name)
    kind = takes_of(step)[0]
    if name == "Pick":
        return catalogue.make("Branches") >> step, Kind.GRAY
    if needs_fit(step):
        photographs = [photograph(), other_photograph(step, 60, 50)]
        images = [stand_in(kind, photograph) for photograph in photographs]
        step.fit(images, truth_of(step, photographs, images))
    return step, kind


def truth_of(step, photographs, images):
    """What a step that learns is taught: boxes, named ones, masks, or nothing."""
    if hasattr(step, "find"):
        found = [step.find(image) for image in images]
        return [vision.Detections(f.boxes, labels=np.arange(len(f)) % 2) for f in found]
    if step.gives is Kind.FEATURES:
        return None
    if step.gives in (Kind.CLASS, Kind.HEATMAP):
        return ["cup", "saucer"]
    if step.gives is Kind.DETECTIONS:
        return [vision.Detections([[8, 8, 40, 40]]) for _ in images]
    return [stand_in(Kind.MASK, photograph) for photograph in photographs]


def many(step, images):
    """What a step makes of a batch; a classifier, which does not transform, names it."""
    return step.transform(images) if hasattr(step, "transform") else step.apply_many(list(images))


def same(one, other):
    """Whether two results of steps are equal, bit for bit; of networks, to five digits."""
    if isinstance(one, vision.Classification):
        return one.label == other.label and one.scores == pytest.approx(other.scores, abs=1e-5)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("name", NAMES)
def test_clone_and_pickle_keep_the_parameters_and_the_result(name, tmp_path):
    step, kind = ready(name)
    image = stand_in(kind, photograph())
    expected = step(image)
    copied = clone(catalogue.make(name))
    original = catalogue.make(name)
    assert vision.to_text(copied, tmp_path) == vision.to_text(original, tmp_path)
    assert same(pickle.loads(pickle.dumps(step))(image), expected)
    if not needs_fit(step):
        assert same(clone(step)(image), expected)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_built_from_parameters_is_left_out_of_the_pickle(name):
    step, kind = ready(name)
    before = pickle.dumps(clone(step))
    other = clone(step)
    if not needs_fit(step):
        other(stand_in(kind, photograph()))
        assert pickle.dumps(other) == before


@pytest.mark.parametrize("name", NAMES)
def test_input_is_not_modified_nor_shared_with_the_result(name):
    step, kind = ready(name)
    image = stand_in(kind, photograph())
    if not isinstance(image, np.ndarray):
        pytest.skip(f"takes {kind}, which is frozen")
    kept = image.copy()
    image.flags.writeable = False
    result = step(image)
    assert np.array_equal(image, kept)
    parts = result.values() if isinstance(result, dict) else [result]
    assert not any(isinstance(part, np.ndarray) and np.shares_memory(part, image) for part in parts)


LAYOUTS = {
    "columns first": np.asfortranarray,
    "mirrored": lambda image: image[::-1, ::-1].copy()[::-1, ::-1],
    "every second column": lambda image: np.repeat(image, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("name", NAMES)
def test_how_an_image_lies_in_memory_changes_nothing(name):
    step, kind = ready(name)
    image = stand_in(kind, photograph())
    if not isinstance(image, np.ndarray):
        pytest.skip(f"takes {kind}, which is no array")
    expected = step(image)
    for layout, lying in LAYOUTS.items():
        assert same(step(lying(image)), expected), layout


@pytest.mark.parametrize("name", NAMES)
def test_one_image_equals_the_same_within_a_batch_whatever_the_batch_is(name):
    step, kind = ready(name)
    images = [stand_in(kind, photograph()), stand_in(kind, photograph(48, 64)[::-1].copy())]
    single = [step(image) for image in images]
    listed = many(step, images)
    if getattr(step, "gives", None) is Kind.FEATURES:
        exact = catalogue.STEPS[name].startswith("classical")
        assert np.allclose(listed, np.stack(single), rtol=0 if exact else 1e-4, atol=0)
    else:
        assert all(same(one, other) for one, other in zip(single, listed, strict=True))
    if isinstance(images[0], np.ndarray) and images[0].ndim > 1:
        stacked = many(step, np.stack(images))
        assert all(same(one, other) for one, other in zip(listed, stacked, strict=True))
        lazy = many(step, vision.Images(images))
        assert all(same(one, other) for one, other in zip(listed, lazy, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_results_do_not_depend_on_order_or_earlier_calls(name):
    step, kind = ready(name)
    images = [stand_in(kind, other_photograph(step, 40 + i, 50)) for i in range(3)]
    forward = [step(image) for image in images]
    backward = [step(image) for image in reversed(images)]
    assert all(same(a, b) for a, b in zip(forward, reversed(backward), strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (3, 3), (33, 17)])
def test_odd_and_tiny_images_work_or_are_refused_by_name(name, size):
    step, kind = ready(name)
    if kind not in ARRAYS or kind is Kind.MAP:
        pytest.skip(f"takes {kind}")
    image = stand_in(kind, photograph(*size))
    try:
        step(image)
    except VisionError as error:
        assert len(str(error)) > 20


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_image_is_refused(name):
    step, kind = ready(name)
    if kind not in ARRAYS:
        pytest.skip(f"takes {kind}")
    whole = stand_in(kind, photograph())
    with pytest.raises(ImageError, match="pixel"):
        step(whole[:0])


@pytest.mark.parametrize("name", NAMES)
def test_one_image_and_many_are_not_confused(name):
    step, kind = ready(name)
    image = stand_in(kind, photograph())
    if takes_of(step) == (Kind.ANY,):
        pytest.skip("takes anything")
    with pytest.raises(KindError, match=r"transform\(images\)|takes one image"):
        step([image, image])
    if isinstance(image, np.ndarray) and image.ndim > 1:
        with pytest.raises(
            KindError, match=r"list of images.* Got one, .* step or pipeline itself"
        ):
            getattr(step, "transform", getattr(step, "predict", None))(image)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [bool, np.float64, np.int64])
def test_foreign_dtypes_are_refused_with_the_conversion_named(name, dtype):
    step, kind = ready(name)
    if kind not in ARRAYS:
        pytest.skip(f"takes {kind}")
    with pytest.raises(KindError, match="astype"):
        step(stand_in(kind, photograph()).astype(dtype))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_checked_by_name(name):
    step, kind = ready(name)
    if name == "Pick":
        step = step[-1]
    image = stand_in(kind, photograph())
    for parameter in step.get_params(deep=False):
        broken = pickle.loads(pickle.dumps(step))
        setattr(broken, parameter, object())
        with pytest.raises(ParameterError, match=f"'{parameter}'"):
            broken(image)


@pytest.mark.parametrize("name", NAMES)
def test_init_only_stores(name):
    step = catalogue.make(name)
    marker = {key: object() for key in step.get_params(deep=False)}
    stored = type(step)(**marker)
    assert all(getattr(stored, key) is value for key, value in marker.items())


@pytest.mark.parametrize("name", NAMES)
def test_the_text_form_is_a_round_trip(name, tmp_path):
    step = catalogue.make(name)
    text = vision.to_text(step, folder=tmp_path)
    again = vision.from_text(text, folder=tmp_path)
    assert type(again) is type(step)
    assert vision.to_text(again, folder=tmp_path) == text


@pytest.mark.parametrize("name", NAMES)
def test_the_given_kind_is_the_declared_one(name):
    step, _ = ready(name)
    for entry in chain_kinds([step]):
        if entry not in RECIPES and entry is not Kind.RGB:
            continue
        given = gives_of(step, entry)
        result = step(stand_in(entry, photograph()))
        expected = list(given.values()) if isinstance(given, Branched) else [given]
        results = list(result.values()) if isinstance(result, dict) else [result]
        for one, declared in zip(results, expected, strict=True):
            vision.kinds.check_input(one, (declared,), ("uint8", "uint16"), name)


SECTIONS = ("Parameters", "Raises", "Examples")


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_is_complete_and_its_example_runs(name):
    cls = catalogue.resolve(name)
    text = inspect.getdoc(cls)
    assert cls.__doc__ and len(text.splitlines()[0]) <= 100
    wanted = [s for s in SECTIONS if s != "Parameters" or inspect.signature(cls).parameters]
    for section in wanted:
        assert f"{section}\n{'-' * len(section)}" in text, f"{name} has no section {section}"
    for parameter in inspect.signature(cls).parameters:
        assert parameter in text
    assert "Takes " in text
    assert "Gives " in text or "gives " in text
    assert doctest.DocTestFinder(recurse=False).find(cls, name)[0].examples


def test_every_step_of_the_packages_is_in_the_catalogue():
    for module_name in {m for m in catalogue.STEPS.values() if m.startswith("classical")}:
        tree = ast.parse(inspect.getsource(importlib.import_module(module_name)))
        public = {n.name for n in tree.body if isinstance(n, ast.ClassDef)}
        module = importlib.import_module(module_name)
        steps = {
            n
            for n in public
            if not n.startswith("_")
            and issubclass(getattr(module, n), vision.Step)
            and not inspect.isabstract(getattr(module, n))
        }
        missing = {n for n in steps if n not in catalogue.STEPS and not _is_base(module, n)}
        assert not missing, f"{module_name}: {missing} are not in vision.catalogue.STEPS"


def _is_base(module, name):
    return any(
        other is not getattr(module, name) and issubclass(other, getattr(module, name))
        for other in vars(module).values()
        if inspect.isclass(other)
    )
