"""The training of one phase: epochs, early stopping, and a state on the disk to go on from."""

import io
import json
from pathlib import Path

import keras
import numpy as np

from vision.errors import LoadError, ParameterError

STATE = "training.npz"
_FORMAT = 2


class Checkpoint:
    """Where a training stands, in one file that is replaced after every epoch.

    Parameters
    ----------
    folder : str or path-like
        Made if it is not there.
    key : str
        What is trained on what: a file of another training is refused.
    """

    def __init__(self, folder, key):
        self.path, self.key = Path(folder, STATE), key

    def load(self):
        """The state that was saved and its arrays, or None.

        Raises
        ------
        LoadError
            If the file is damaged.
        ParameterError
            If it belongs to another training.
        """
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                state = json.loads(arrays["state"].tobytes())
                values = {name: arrays[name] for name in arrays.files if name != "state"}
        except FileNotFoundError:
            return None
        except Exception as error:  # of many kinds, by what is wrong in it
            raise LoadError(
                f"{str(self.path)!r} is no state of a training: {error}. Remove it to begin again."
            ) from error
        if state.get("format") != _FORMAT or state.get("key") != self.key:
            raise ParameterError(
                f"{str(self.path)!r} is the state of another training: other parameters, images or "
                "labels. Remove it, or name another folder as 'checkpoint'."
            )
        return state, values

    def save(self, state, arrays):
        """Replace the file."""
        from vision.io import write_bytes

        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"format": _FORMAT, "key": self.key, **state}).encode()
        stream = io.BytesIO()
        np.savez(stream, state=np.frombuffer(text, np.uint8), **arrays)
        write_bytes(self.path, stream.getvalue())

    def remove(self):
        """The training is complete."""
        self.path.unlink(missing_ok=True)


class Keeper(keras.callbacks.Callback):
    """Keeps the history, the best weights and the checkpoint, and stops in time.

    Parameters
    ----------
    history : History
        Gets a value an epoch, and with a patience the number of the best.
    patience : int or None
        Epochs without a better loss after which training stops; the best weights are put back.
        The loss is that of the validation images where there are some. None never stops.
    checkpoint : Checkpoint or None
    phase : int, default=0
        Which part of the training this is.
    """

    def __init__(self, history, *, patience=None, checkpoint=None, phase=0):
        super().__init__()
        self.history, self.patience = history, patience
        self.checkpoint, self.phase = checkpoint, phase
        self.best, self.best_weights = np.inf, None
        self.stopped = False

    def on_epoch_end(self, epoch, logs=None):
        """See `keras.callbacks.Callback`."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.history.add({**(logs or {}), "learning_rate": rate})
        loss = (logs or {}).get("val_loss", (logs or {}).get("loss", np.nan))
        if not np.isfinite(loss):
            raise ParameterError(
                f"Training has failed: the loss is {loss} after epoch {epoch + 1}. A smaller "
                "learning_rate helps most often."
            )
        if self.patience is not None:
            self._watch(loss)
        if self.checkpoint is not None:
            self._save(epoch)

    def _watch(self, loss):
        if loss < self.best:
            self.best, self.best_weights = float(loss), self.model.get_weights()
            self.history.best_epoch = self.history.epochs
        elif self.history.epochs - self.history.best_epoch >= self.patience:
            self.stopped = self.model.stop_training = True

    def on_train_end(self, logs=None):
        """See `keras.callbacks.Callback`."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    def _save(self, epoch):
        state = {
            "phase": self.phase,
            "epoch": epoch + 1,
            "history": self.history,
            "best": self.best if np.isfinite(self.best) else None,
            "best_epoch": self.history.best_epoch,
            "stopped": self.stopped,
        }
        arrays = _numbered("model", [_value(v) for v in self.model.variables])
        arrays |= _numbered("optimizer", [_value(v) for v in self.model.optimizer.variables])
        arrays |= _numbered("best", self.best_weights or [])
        self.checkpoint.save(state, arrays)

    def resume(self, state, arrays):
        """Put back what `_save` had written; the epoch to go on with."""
        for name, variables in (
            ("model", self.model.variables),
            ("optimizer", self.model.optimizer.variables),
        ):
            for variable, value in zip(variables, _listed(name, arrays), strict=True):
                variable.assign(value)
        self.best_weights = _listed("best", arrays) or None
        self.best = np.inf if state["best"] is None else state["best"]
        self.history.best_epoch, self.stopped = state["best_epoch"], state["stopped"]
        return state["epoch"]


def _value(variable):
    return keras.ops.convert_to_numpy(variable.value)


def _numbered(name, values):
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def _listed(name, arrays):
    count = sum(key.startswith(f"{name}_") for key in arrays)
    return [arrays[f"{name}_{number}"] for number in range(count)]


def train(
    model,
    feed,
    keeper,
    *,
    epochs,
    validation=None,
    resumed=None,
    progress=None,
    callbacks=(),
    **options,
):
    """Train a compiled model.

    Parameters
    ----------
    model : keras.Model
        Compiled; changed in place.
    feed : Feed
        The training images.
    keeper : Keeper
        Gets the history, and decides when to stop.
    epochs : int
        At most.
    validation : Feed, optional
        Images that are measured after each epoch, and not learned from.
    resumed : tuple, optional
        What `Checkpoint.load` gave for this phase.
    progress : TrainingProgress, optional
    callbacks : sequence of keras.callbacks.Callback, default=()
        Further ones, called after those of the training itself.
    **options
        Of `keras.Model.fit`.

    Returns
    -------
    History
    """
    model.optimizer.build(model.trainable_variables)
    keeper.set_model(model)
    first = keeper.resume(*resumed) if resumed else 0
    if first >= epochs or keeper.stopped:
        keeper.on_train_end()
        return keeper.history
    data = None if validation is None else _for_outputs(model, validation.dataset(0, 1))
    own = [keeper] if progress is None else [keeper, progress]
    try:
        model.fit(
            _for_outputs(model, feed.dataset(first, epochs)),
            epochs=epochs,
            initial_epoch=first,
            steps_per_epoch=len(feed),
            validation_data=data,
            callbacks=[*own, *callbacks],
            shuffle=False,
            verbose=0,
            **options,
        )
    except Exception:
        feed.raise_own()
        if validation is not None:
            validation.raise_own()
        raise
    finally:
        if progress is not None:
            progress.close()
    return keeper.history


def _for_outputs(model, dataset):
    """The targets once for each output of the model."""
    count = len(model.outputs)
    if count == 1:
        return dataset
    return dataset.map(lambda images, targets: (images, (targets,) * count))
