"""`CNNFeatures`: what a network sees in an image, as a row of numbers for any classifier."""

import contextlib
import os
import tempfile
import threading
from pathlib import Path

import keras
import numpy as np

from deep.architectures import find
from deep.building import build
from deep.feeding import passing, with_channels
from deep.inference import compile_for_inference
from deep.weight_files import open_weights
from deep.weights import checked_path
from vision.array_files import read_regular
from vision.checks import check_choice, check_random_state, refuse
from vision.errors import LoadError, ParameterError
from vision.kinds import Kind
from vision.nearest import did_you_mean_or_last
from vision.step import FeatureStep, as_batch, stack_rows

WEIGHTS = "weights"  # the file in an archive, whatever its layout
MAX_BYTES = 2_000_000_000
POOLINGS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "none": keras.layers.Flatten,
}


class CNNFeatures(FeatureStep):
    """The feature maps of a network, pooled into a row of numbers.

    Parameters
    ----------
    architecture : str, default="mobilenet"
        One of ``deep.list_architectures()``.
    weights : str or None, default="imagenet"
        ``"imagenet"`` or a file, see `deep.build`; None: random weights, which still make features.
        A file is read once, on first use, and its content is saved with the pipeline: what is
        loaded no longer looks at the path, unless it is fitted anew.
    layer : str or None, default=None
        The layer whose output is taken; None: the last feature map.
    pooling : {"average", "max", "none"}, default="average"
        How each feature map becomes a number; "none" takes all its pixels.
    options : dict or None, default=None
        The architecture's own settings, see `deep.build`.
    random_state : int, default=0
        Seed of random weights, 0 to 2**32 - 1.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8; trained networks know rgb.
    All images of one size with "none". Gives a row of features, float32.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, there is no file of weights, or the network cannot work on
        images so small.
    UnknownNameError
        If there is no such architecture.
    LoadError
        If the file of weights is damaged or not of this architecture.
    KindError
        If an image is of another kind or dtype.
    ImageError
        If rows of one batch differ in length.

    References
    ----------
    A. Sharif Razavian et al., "CNN Features off-the-shelf: an Astounding Baseline for
    Recognition", CVPR Workshops 2014, arXiv:1403.6382.

    Examples
    --------
    >>> step = CNNFeatures("resnet20", weights=None)
    >>> step(np.zeros((32, 48, 3), np.uint8)).shape
    (64,)
    >>> from sklearn.svm import LinearSVC
    >>> step >> LinearSVC()
    Pipeline(steps=[('cnnfeatures', CNNFeatures(architecture='resnet20', weights=None)),
                    ('linearsvc', LinearSVC())])
    """

    takes = (Kind.RGB, Kind.GRAY)
    libraries = ("keras", "tensorflow")
    archives_parameters = True
    example = {"architecture": "resnet20", "weights": None}

    def __init__(
        self,
        architecture="mobilenet",
        weights="imagenet",
        layer=None,
        pooling="average",
        options=None,
        random_state=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.layer = layer
        self.pooling = pooling
        self.options = options
        self.random_state = random_state

    def check_params(self):
        """See `Step.check_params`."""
        if not isinstance(self.architecture, str):
            refuse("architecture", self.architecture, "the name of a network", self)
        find(self.architecture)
        if not (self.weights is None or isinstance(self.weights, str | os.PathLike)):
            refuse("weights", self.weights, "None, 'imagenet' or a path", self)
        if not (self.layer is None or isinstance(self.layer, str)):
            refuse("layer", self.layer, "None or the name of a layer", self)
        if not (self.options is None or isinstance(self.options, dict)):
            refuse("options", self.options, "None or a dictionary of settings", self)
        check_choice("pooling", self.pooling, tuple(POOLINGS), owner=self)
        check_random_state("random_state", self.random_state, owner=self)

    def prepare(self):
        """Networks by the shape of their images, made on first use, and the file of weights."""
        return {}, threading.Lock(), self._file()

    def _file(self):
        """The content of the file of weights: what was saved, or else what lies at the path."""
        if self.weights in (None, "imagenet"):
            return None
        path, saved = self.__dict__.get("_saved", (None, None))
        if path == self.weights:
            return saved
        path = checked_path(self.weights, "CNNFeatures")
        return read_regular(path, path.name, MAX_BYTES)

    def apply(self, image):
        """The features of one image."""
        return self.apply_many([image])[0]

    def apply_many(self, images):
        """The features of a bounded list of images; those of one size pass together."""
        images = [with_channels(image, "CNNFeatures") for image in images]
        rows = [None] * len(images)
        places = {}
        for place, image in enumerate(images):
            places.setdefault(image.shape, []).append(place)
        for shape, group in places.items():
            found = self._network(shape)(np.stack([images[place] for place in group]))
            for place, row in zip(group, found):
                rows[place] = row
        return rows

    def transform(self, images):
        """The features of many images.

        Returns
        -------
        (n, d) ndarray of float32
        """
        self.make_ready()
        rows = []
        for chunk in passing(as_batch(images)):
            for image in chunk:
                self.admit(image)
            rows += self.apply_many(chunk)
        return stack_rows(rows, "CNNFeatures")

    def get_feature_names_out(self, input_features=None):
        """``mobilenet0``, ``mobilenet1`` and so on, in order.

        Returns
        -------
        ndarray of str

        Raises
        ------
        ParameterError
            If their number depends on the size of the images.
        """
        self.make_ready()
        if self.pooling == "none":
            raise ParameterError(
                "The number of features depends on the size of the images with pooling='none'."
            )
        count = self._any_model().output_shape[-1]
        return np.array([f"{self.architecture}{number}" for number in range(count)], object)

    def count_params(self):
        """The number of weights of the network, up to the layer that is taken.

        Returns
        -------
        int

        Examples
        --------
        >>> CNNFeatures("resnet20", weights=None).count_params()
        270448
        """
        self.make_ready()
        return self._any_model().count_params()

    def bytes_elsewhere(self):
        """The bytes of the weights that an archive names instead of holding: ImageNet's.

        Returns
        -------
        int

        Examples
        --------
        >>> CNNFeatures("resnet20", weights=None).bytes_elsewhere()
        0
        """
        return 4 * self.count_params() if self.weights == "imagenet" else 0

    def archive_files(self):
        """The file of weights, so that the pipeline is loaded without it; see `vision.save`."""
        self.make_ready()
        content = self._tables[2]
        return {} if content is None else {WEIGHTS: content}

    def restore_files(self, files):
        """Take over what `archive_files` gave."""
        if set(files) != {WEIGHTS} or self.weights in (None, "imagenet"):
            raise LoadError(f"CNNFeatures(weights={self.weights!r}) does not have {sorted(files)}.")
        with _as_file(files[WEIGHTS]) as path, open_weights(path, MAX_BYTES):
            self.__dict__["_saved"] = self.weights, files[WEIGHTS]

    def _network(self, shape):
        networks, lock, _ = self._tables
        with lock:
            if shape not in networks:
                networks[shape] = compile_for_inference(self._made(shape))
        return networks[shape]

    def _any_model(self):
        networks = self._tables[0]
        if networks:
            return next(iter(networks.values())).model
        return self._made((*find(self.architecture).input_shape[:2], 3))

    def _made(self, shape):
        content = self._tables[2]
        with contextlib.nullcontext(self.weights) if content is None else _as_file(content) as path:
            whole = build(
                self.architecture,
                shape,
                weights=path,
                include_top=False,
                pixels=True,
                options=self.options,
                random_state=self.random_state,
            )
        maps = whole.output if self.layer is None else self._layer(whole).output
        if len(maps.shape) != 4:
            return keras.Model(whole.input, keras.layers.Flatten()(maps))
        return keras.Model(whole.input, POOLINGS[self.pooling]()(maps))

    def _layer(self, model):
        names = [layer.name for layer in model.layers]
        if self.layer not in names:
            hint = did_you_mean_or_last(self.layer, names)
            raise ParameterError(f"{self.architecture} has no layer {self.layer!r}. {hint}")
        return model.get_layer(self.layer)


@contextlib.contextmanager
def _as_file(content):
    """The path of a file with this content, while the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, WEIGHTS)
        path.write_bytes(content)
        yield path
