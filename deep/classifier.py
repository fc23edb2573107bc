"""`CNNClassifier`: a network that names images, as a scikit-learn classifier."""

import json
import sys

import keras
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import NotFittedError

from deep.augmentation import Fused
from deep.building import build, check_takes_pixels
from deep.checkpoint_key import training_key
from deep.classifier_parameters import check_classifier
from deep.feeding import AT_ONCE, Feed, fitting, passing, shape_of, stacked, way_out
from deep.history import History
from deep.inference import compile_for_inference
from deep.network_training import NetworkTraining
from deep.own_model import check_names, check_network, check_outputs, copied
from deep.saving import load_network, network_bytes
from deep.training_set import (
    check_callbacks,
    class_weights,
    examples,
    held_out_places,
    one_hot,
    validation_examples,
)
from vision.checks import refuse
from vision.classification import Classification
from vision.errors import ImageError, LoadError, ParameterError
from vision.kinds import Kind
from vision.step import ImageEstimator


class CNNClassifier(ClassifierMixin, ImageEstimator):
    """Images named by a convolutional network.

    Parameters
    ----------
    architecture : str or keras.Model, default="resnet20"
        One of ``deep.list_architectures()``; or a model of your own, of which each `fit` trains a
        copy: it takes RGB of 0-255 and ends in one neuron a class, softmax (or in one, sigmoid,
        for two). `weights`, `dropout`, `options` and `mixed_precision` are refused with it.
    epochs : int, default=10
        How often all images are seen; with `transfer`, by the new head.
    batch_size : int or "all", default=32
        Images between two changes of the weights: 1 is stochastic gradient descent, "all" batch
        gradient descent, anything between mini-batches.
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}, default="adam"
    learning_rate : float or None, default=None
        The highest; None: 0.01 for "sgd", else 0.001.
    schedule : {"constant", "cosine", "exponential", "steps", "warmup_cosine"}, default="constant"
        The learning rate over time, see `deep.optimization.make_schedule`.
    momentum : float, default=0.9
        Of "sgd" and "rmsprop", 0 to below 1.
    l1, l2 : float, default=0.0
        Penalties on the weights of kernels; both together are the elastic net.
    dropout : float or None, default=None
        In the head, 0 to below 1; None: what the architecture has.
    label_smoothing : float, default=0.0
        What is taken from the true class and shared among all, 0 to below 1.
    weights : str or None, default=None
        ``"imagenet"`` or a file to begin with, see `deep.build`; None begins at random.
    freeze : float, str or None, default=None
        What stays as it is: a share of the body's layers, from the input on, 0 to 1, or the name
        of the last layer; None: nothing but what a model of your own has frozen by
        ``trainable = False``. Not together with `transfer`.
    transfer : str or None, default=None
        How `weights` are used: "small_similar", "large_similar", "small_different" or
        "large_different", by the size of the training set and how near its images are to those
        that the network knows; "similar" or "different" alone count the images themselves.
        ``transfer_`` says what was chosen and why.
    fine_tune_epochs : int or None, default=None
        Epochs of the second phase of `transfer`, with a tenth of the learning rate; None: as
        `epochs`.
    augmentation : augmentation step or None, default=None
        Changes at random on each image whenever it is seen in training, see `deep.augmentation`.
    class_weight : dict, "balanced" or None, default=None
        What an image of each class counts in the loss.
    validation : float, default=0.0
        The share of the images, of each class, that is measured after each epoch instead of being
        learned from, 0 to below 1.
    early_stopping : int or None, default=None
        Epochs without a better loss after which training stops and the best weights are put back.
    mixed_precision : bool, default=False
        Whether to compute in bfloat16, keeping weights in float32: faster where the hardware has
        it.
    checkpoint : str or None, default=None
        A folder for the state of training, written after each epoch and removed at the end. A
        training that was killed goes on from there; one of other parameters, images or labels is
        refused. Looking at the pixels of an array takes about two seconds a gigabyte; of files
        the sizes and times are looked at, and 32 pictures.
    options : dict or None, default=None
        The architecture's own settings, see `deep.build`.
    engine : {"keras", "openvino"}, default="keras"
        What predicts; the second is an extra, in float32 too.
    random_state : int, default=0
        Seed of weights, order, dropout, augmentation and the split, 0 to 2**32 - 1.
    verbose : bool, default=True
        Whether training shows a bar with loss, accuracy and time left.

    Takes rgb images, ``(H, W, 3)``, or gray ones, ``(H, W)``, uint8, all of one size: put
    ``Resize(width=32, height=32)`` in front. Gives a class.

    Attributes
    ----------
    model_ : keras.Model
        Takes RGB of 0-255, float32; not compiled, unless `from_model` got it so.
    classes_ : ndarray
        Sorted, in the order of the columns of `predict_proba`.
    output_classes_ : ndarray
        The same in the order of the network's outputs, which `from_model` may get in any; of two
        classes with one output, that is the probability of the second.
    history_ : History
        Measures by epoch; ``history_.plot()`` draws them. After early stopping its `best_epoch`
        is the one whose weights were kept.
    transfer_ : Policy or None
        What `transfer` chose.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or the labels do not fit the images.
    ImageError
        If images differ in size.
    KindError
        If an image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If it was not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> images, labels = load_digits().images.astype(np.uint8) * 15, load_digits().target
    >>> network = CNNClassifier("logistic_regression", learning_rate=0.01, verbose=False)
    >>> network.fit(images[:1500], labels[:1500]).score(images[1500:], labels[1500:]) > 0.85
    True
    """

    gives = Kind.CLASS
    libraries = ("keras", "tensorflow")
    example = {"architecture": "lenet5", "epochs": 1, "verbose": False}

    def __init__(
        self,
        architecture="resnet20",
        *,
        epochs=10,
        batch_size=32,
        optimizer="adam",
        learning_rate=None,
        schedule="constant",
        momentum=0.9,
        l1=0.0,
        l2=0.0,
        dropout=None,
        label_smoothing=0.0,
        weights=None,
        freeze=None,
        transfer=None,
        fine_tune_epochs=None,
        augmentation=None,
        class_weight=None,
        validation=0.0,
        early_stopping=None,
        mixed_precision=False,
        checkpoint=None,
        options=None,
        engine="keras",
        random_state=0,
        verbose=True,
    ):
        self.architecture = architecture
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.l1 = l1
        self.l2 = l2
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.weights = weights
        self.freeze = freeze
        self.transfer = transfer
        self.fine_tune_epochs = fine_tune_epochs
        self.augmentation = augmentation
        self.class_weight = class_weight
        self.validation = validation
        self.early_stopping = early_stopping
        self.mixed_precision = mixed_precision
        self.checkpoint = checkpoint
        self.options = options
        self.engine = engine
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_model(cls, model, classes, **parameters):
        """A classifier around a network that is trained already.

        Parameters
        ----------
        model : keras.Model
            Takes RGB (or gray, one channel) of 0-255; gives probabilities, one output a class, or
            one in all for two classes. ``deep.build(..., pixels=True)`` makes such a model.
        classes : sequence of str or int
            The class of each output, in any order, each another one.
        **parameters
            Of the constructor; `architecture` is None unless it is given, so that `fit` is
            refused.

        Returns
        -------
        CNNClassifier

        Raises
        ------
        ParameterError
            If there are more or fewer classes than outputs, two have one name, the outputs are no
            probabilities, or the network is one of `deep.build` without ``pixels=True``.

        Examples
        --------
        >>> import deep
        >>> model = deep.build("lenet5", (32, 32, 1), 3, pixels=True, random_state=0)
        >>> network = CNNClassifier.from_model(model, ["circle", "square", "star"])
        >>> network.predict([np.zeros((32, 32), np.uint8)]).shape
        (1,)
        """
        made = cls(**{"architecture": None, **parameters})
        classes = check_names(classes)
        check_network(model, len(classes))
        check_takes_pixels(model)
        made._hold(model, classes)
        return made

    def __sklearn_is_fitted__(self):
        return "model_" in self.__dict__

    @property
    def takes(self):
        """Color and gray images; once fitted, those that it was trained on."""
        both = Kind.RGB, Kind.GRAY
        if not self.__sklearn_is_fitted__():
            return both
        return {1: both[1:], 3: both[:1]}[self.model_.inputs[0].shape[-1]]

    def check_params(self):
        """See `Step.check_params`."""
        check_classifier(self)

    def prepare(self):
        """The network, compiled on first use."""
        if not self.__sklearn_is_fitted__():
            return None
        return compile_for_inference(self.model_, engine=self.engine)

    def fit(self, images, labels=None, *, validation_data=None, callbacks=()):
        """Train the network.

        Parameters
        ----------
        images : list, Images, (n, H, W, 3) or (n, H, W) ndarray; or path
            The images, of one size. `Images` are read while training, in threads, so that all of
            them need not fit into memory. A folder with one sub-folder a class needs no labels.
        labels : sequence of str or int
            One an image, of any number of classes from two on.
        validation_data : (images, labels), optional
            Measured after each epoch, in place of the share `validation`. In the form in which
            this step gets images: what stands in front of it in a pipeline is not applied to them.
        callbacks : sequence of keras.callbacks.Callback, default=()
            Called as Keras calls them, in each phase of `transfer` anew. Behind a frozen body that
            need not run every epoch, their model is the part that learns.

        Returns
        -------
        CNNClassifier
            Itself.
        """
        self.make_ready()
        if self.architecture is None:
            refuse("architecture", None, "a name or a keras.Model to be trained", self)
        images, labels = examples(images, labels, "CNNClassifier")
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ParameterError(
                f"CNNClassifier needs at least two classes. Got only {classes.tolist()[0]!r}."
            )
        check_callbacks(callbacks)
        training = self._training(images, codes, classes, validation_data, callbacks)
        history = training.run()
        self.transfer_ = training.policy
        self._hold(training.trained(), classes, history)
        return self

    def _training(self, images, codes, classes, validation_data, callbacks):
        held_out = None
        if validation_data is not None:
            shape = shape_of(images, "CNNClassifier")
            held_out = validation_examples(validation_data, shape, classes, "CNNClassifier")
        elif self.validation:
            held = held_out_places(codes, self.validation, self.random_state)
            held_out = images[held], codes[held]
            images, codes = images[~held], codes[~held]
        outputs = 1 if len(classes) == 2 else len(classes)
        if isinstance(self.architecture, keras.Model):
            check_network(self.architecture, len(classes))
            self._fitting(images[0], tuple(self.architecture.inputs[0].shape[1:]))
            outputs = self.architecture.outputs[0].shape[-1]
        size = len(images) if self.batch_size == "all" else self.batch_size
        augment = None if self.augmentation is None else Fused(self.augmentation).batch
        feed = Feed(
            images,
            one_hot(codes, outputs),
            batch_size=size,
            owner="CNNClassifier",
            seed=self.random_state,
            augment=augment,
        )
        validation = None
        if held_out is not None:
            validation = Feed(
                held_out[0],
                one_hot(held_out[1], outputs),
                batch_size=AT_ONCE,
                owner="CNNClassifier",
            )
        model = self._network(feed.shape, outputs)
        stream = sys.stderr if self.verbose else None
        weights = class_weights(self.class_weight, codes, classes, self)
        key = None
        if self.checkpoint is not None:
            key = training_key(self, feed, validation, classes)
        return NetworkTraining(
            self, model, feed, validation, weights, len(classes), key, stream, callbacks
        )

    def _network(self, shape, outputs):
        from deep.precision import policy

        if isinstance(self.architecture, keras.Model):
            return copied(self.architecture)
        options = dict(self.options or {})
        if self.dropout is not None:
            options["dropout"] = self.dropout
        with policy("mixed_bfloat16" if self.mixed_precision else "float32"):
            return build(
                self.architecture,
                shape,
                outputs,
                weights=self.weights,
                pixels=True,
                options=options,
                random_state=self.random_state,
            )

    def _hold(self, model, classes, history=None):
        self.model_ = model
        self.output_classes_, self.classes_ = classes, np.sort(classes)
        self.history_ = History() if history is None else history

    def predict_proba(self, images):
        """The probability of each class.

        Parameters
        ----------
        images : list, Images, or ndarray
            The batch.

        Returns
        -------
        (n, classes) ndarray of float32
            In the order of ``classes_``.
        """
        self._check_fitted()
        images = stacked(images, "CNNClassifier")
        return np.concatenate([self._probabilities(chunk) for chunk in passing(images)])

    def predict(self, images):
        """The class of each image.

        Parameters
        ----------
        images : list, Images, or ndarray
            The batch.

        Returns
        -------
        (n,) ndarray
            Of ``classes_``.
        """
        shares = self.predict_proba(images)
        return self.classes_[shares.argmax(axis=1)]

    def apply(self, image):
        """What the network says of one image: a `Classification`."""
        return self.apply_many([image])[0]

    def apply_many(self, images):
        """The same for a bounded list of images, which pass the network together."""
        self._check_fitted()
        labels = self.classes_.tolist()
        found = []
        for row, image in zip(self._probabilities(images), images):
            scores = dict(zip(labels, row.clip(0, 1).tolist(), strict=True))
            label = labels[int(row.argmax())]
            found.append(Classification(label, scores, "probability", image.shape[:2]))
        return found

    def _check_fitted(self):
        self.make_ready()
        if not self.__sklearn_is_fitted__():
            raise NotFittedError("CNNClassifier is not fitted yet: call fit(images, labels) first.")

    def _probabilities(self, images):
        shape = tuple(self.model_.inputs[0].shape[1:])
        batch = [self._fitting(image, shape) for image in images]
        outputs = self._tables(np.stack(batch))
        outputs = outputs[0] if isinstance(outputs, list) else outputs
        outputs = outputs.astype(np.float32, copy=False)
        if outputs.shape[1] == 1:
            outputs = np.hstack([1 - outputs, outputs])
        return outputs[:, np.argsort(self.output_classes_)]

    def _fitting(self, image, shape):
        image = image[..., None] if getattr(image, "ndim", 0) == 2 else image
        given = getattr(image, "shape", ())
        if len(given) == 3 and any(w not in (None, g) for w, g in zip(shape, given)):
            height, width, channels = shape
            raise ImageError(
                f"This network takes images of {width}x{height} pixels and {channels} "
                f"channel{'s' * (channels != 1)}. Got {given[1]}x{given[0]} and {given[2]}. "
                f"Put {way_out(given, shape)} in front."
            )
        return fitting(image, given, "CNNClassifier", 0)

    def text_params(self):
        """The parameters that a text of this classifier holds.

        Once fitted, a model of one's own is left out: what became of it is among `archive_files`,
        and a loaded classifier is as one of `from_model`.

        Raises
        ------
        ParameterError
            If a model of one's own was not trained yet: no text holds it.
        """
        given = self.get_params(deep=False)
        if isinstance(self.architecture, keras.Model):
            if not self.__sklearn_is_fitted__():
                raise ParameterError(
                    "A keras.Model as the 'architecture' of CNNClassifier is not written before it "
                    "is fitted. Save it once it is, or the model itself: model.save('own.keras')."
                )
            given["architecture"] = None
        return given

    def archive_files(self):
        """What was learned, by file name: the network, its classes and its history."""
        from vision.array_files import encode_npy

        if not self.__sklearn_is_fitted__():
            return {}
        best = self.history_.best_epoch
        history = self.history_ | ({} if best is None else {"best_epoch": best})
        return {
            "network.keras": network_bytes(self.model_),
            "classes.npy": encode_npy(self.output_classes_),
            "history.json": json.dumps(history).encode(),
        }

    def restore_files(self, files):
        """Take over what `archive_files` gave."""
        from vision.array_files import decode_npy

        missing = {"network.keras", "classes.npy", "history.json"} - set(files)
        if missing:
            raise LoadError(f"The archive lacks {sorted(missing)[0]!r} of CNNClassifier.")
        model = load_network(files["network.keras"])
        classes = decode_npy(files["classes.npy"], "classes.npy")
        try:
            history = History(json.loads(files["history.json"]))
            history.best_epoch = history.pop("best_epoch", None)
        except (ValueError, TypeError) as error:
            raise LoadError(f"history.json is damaged: {error}.") from None
        try:
            check_outputs(model, len(check_names(classes)))
        except ParameterError as error:
            raise LoadError(f"network.keras is refused: {error}") from None
        self._hold(model, classes, history)
