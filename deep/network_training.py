"""A whole training: its phases, what each freezes, and going on where one was broken off."""

import keras
import numpy as np

from deep.feeding import Feed, passing
from deep.history import History
from deep.inference import compile_for_inference
from deep.optimization import OPTIMIZERS, make_optimizer, penalize
from deep.own_model import copied
from deep.training import Checkpoint, Keeper, train
from deep.training_progress import TrainingProgress
from deep.transfer import choose_policy, freeze_body, split_frozen
from vision.errors import ParameterError

AUXILIARY = 0.3  # what the loss of an auxiliary output counts, as in GoogLeNet's paper


class NetworkTraining:
    """The training of a network as its estimator's parameters say.

    Parameters
    ----------
    estimator : CNNClassifier
        Its parameters are read.
    model : keras.Model
        Trained in place.
    feed, validation : Feed
        The second may be None.
    class_weights : dict of int to float, or None
    classes : int
    key : str or None
        Of the checkpoint.
    stream : text file or None
        Where progress is shown.
    callbacks : sequence of keras.callbacks.Callback, default=()
        Further ones, called in every phase.
    """

    def __init__(
        self, estimator, model, feed, validation, class_weights, classes, key, stream, callbacks=()
    ):
        self.estimator, self.model = estimator, model
        self.feed, self.validation = feed, validation
        self.class_weights, self.stream, self.callbacks = class_weights, stream, callbacks
        self.policy = None
        if estimator.transfer is not None:
            self.policy = choose_policy(estimator.transfer, len(feed.images), classes)
        folder = estimator.checkpoint
        self.checkpoint = None if folder is None else Checkpoint(folder, key)

    def phases(self):
        """For each: what is frozen, the number of epochs, the learning rate."""
        estimator = self.estimator
        rate = estimator.learning_rate or OPTIMIZERS[estimator.optimizer]
        if self.policy is None:
            return [(estimator.freeze, estimator.epochs, rate)]
        phases = [(1.0, estimator.epochs, rate)]
        if self.policy.frozen < 1:
            epochs = estimator.fine_tune_epochs or estimator.epochs
            phases.append((self.policy.frozen, epochs, rate / 10))
        return phases

    def run(self):
        """Train; the history of all phases."""
        saved = None if self.checkpoint is None else self.checkpoint.load()
        history = History(saved[0]["history"]) if saved else History()
        begin = saved[0]["phase"] if saved else 0
        if self.policy is not None and self.stream is not None:
            print(self.policy, file=self.stream)
        phases = self.phases()
        for number, phase in enumerate(phases):
            if number >= begin:
                resumed = saved if number == begin else None
                title = f"phase {number + 1} of {len(phases)}, " if len(phases) > 1 else ""
                self._phase(number, *phase, history, resumed, title)
        if self.checkpoint is not None:
            self.checkpoint.remove()
        return history

    def _phase(self, number, freeze, epochs, rate, history, resumed, title):
        if freeze is not None:
            freeze_body(self.model, freeze, normalisation=self.policy is None)
        if not self.model.trainable_weights:
            raise ParameterError(
                "The network has nothing to learn: all of its layers have trainable=False. Leave "
                "its head trainable."
            )
        model, feed, validation = self._without_frozen()
        estimator = self.estimator
        penalize(model, estimator.l1, estimator.l2)
        steps = epochs * len(feed)
        optimizer = make_optimizer(
            estimator.optimizer,
            rate,
            estimator.schedule,
            momentum=estimator.momentum,
            steps=max(1, steps),
        )
        self._compile(model, optimizer)
        patience = estimator.early_stopping
        keeper = Keeper(history, patience=patience, checkpoint=self.checkpoint, phase=number)
        progress = None
        if self.stream is not None:
            progress = TrainingProgress(epochs, len(feed), title, self.stream)
        train(
            model,
            feed,
            keeper,
            epochs=epochs,
            validation=validation,
            resumed=resumed,
            progress=progress,
            callbacks=self.callbacks,
            class_weight=self.class_weights,
        )

    def _compile(self, model, optimizer):
        smoothing = self.estimator.label_smoothing
        single = model.outputs[0].shape[-1] == 1
        losses = keras.losses
        loss = losses.BinaryCrossentropy if single else losses.CategoricalCrossentropy
        outputs = len(model.outputs)
        settings = {"loss": loss(label_smoothing=smoothing), "metrics": ["accuracy"]}
        if outputs > 1:
            settings = {
                "loss": [loss(label_smoothing=smoothing) for _ in range(outputs)],
                "loss_weights": [1.0, *[AUXILIARY] * (outputs - 1)],
                "metrics": [["accuracy"], *[[] for _ in range(outputs - 1)]],
            }
        # XLA on a processor trains convolutions at half the speed.
        model.compile(optimizer, jit_compile=False, **settings)

    def _without_frozen(self):
        """The part that learns, with what reaches it: the frozen part need not run every epoch."""
        if self.feed.augment is not None:
            return self.model, self.feed, self.validation
        parts = split_frozen(self.model)
        if parts is None:
            return self.model, self.feed, self.validation
        before, after = parts
        network = compile_for_inference(before)
        feeds = [_passed(network, feed) for feed in (self.feed, self.validation)]
        return after, *feeds

    def trained(self):
        """The network, fresh of everything that belonged to its training."""
        if any(freeze is not None for freeze, _, _ in self.phases()):
            freeze_body(self.model, None)
        return copied(self.model)


def _passed(network, feed):
    """The same feed, of what the network makes of its images."""
    if feed is None:
        return None
    rows = [network(feed.pixels(chosen)) for chosen in passing(np.arange(len(feed.images)))]
    return Feed(
        np.concatenate(rows),
        feed.targets,
        batch_size=feed.batch_size,
        owner=feed.owner,
        seed=feed.seed,
    )
