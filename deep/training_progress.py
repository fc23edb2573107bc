"""A bar while a network trains: epoch, loss, measures, time left."""

import sys
import time

import keras

from vision.progress import in_words

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")  # in this order
EVERY = 5.0  # seconds between lines where there is no terminal


class TrainingProgress(keras.callbacks.Callback):
    """Shows how far a training is, with its loss, measures and the time left.

    A bar on a terminal; elsewhere a line every five seconds and one at the end of each epoch.

    Parameters
    ----------
    epochs, steps : int
        Epochs in all, and batches in each.
    title : str, default=""
        What is trained, where there are several phases.
    stream : text file, optional
        Where; standard error by default.
    """

    def __init__(self, epochs, steps, title="", stream=None):
        super().__init__()
        self.epochs, self.steps, self.title = epochs, steps, title
        self.stream = sys.stderr if stream is None else stream
        self.epoch, self.batch, self.done, self.logs = 0, 0, 0, {}
        self._bar = self._task = None

    def on_train_begin(self, logs=None):
        """See `keras.callbacks.Callback`."""
        self.started = self.said = time.monotonic()
        if self.stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            words = TextColumn("{task.description}", markup=False)
            self._bar = Progress(BarColumn(bar_width=12), words, console=Console(file=self.stream))
            self._task = self._bar.add_task("", total=self.epochs * self.steps)
            self._bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        """See `keras.callbacks.Callback`."""
        self.epoch, self.batch = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        """See `keras.callbacks.Callback`."""
        self.batch, self.logs = batch + 1, logs or {}
        self.done += 1
        if time.monotonic() - self.said >= (0.2 if self._bar else EVERY):
            self._say()

    def on_epoch_end(self, epoch, logs=None):
        """See `keras.callbacks.Callback`."""
        self.logs = logs or {}
        self._say()

    def on_train_end(self, logs=None):
        """See `keras.callbacks.Callback`."""
        self.close()

    def close(self):
        """Leave the terminal in order, also where training was broken off."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _say(self):
        self.said = time.monotonic()
        if self._bar is None:
            print(self.words(), file=self.stream, flush=True)
            return
        done = self.epoch * self.steps + self.batch
        self._bar.update(self._task, completed=done, description=self.words())

    def words(self):
        """Epoch, measures, time left."""
        parts = [f"{self.title}epoch {self.epoch + 1} of {self.epochs}"]
        if self.batch < self.steps:
            parts[0] += f", batch {self.batch} of {self.steps}"
        names = [name for name in MEASURES if name in self.logs]
        names += [name for name in self.logs if name not in (*MEASURES, "learning_rate")]
        parts += [f"{name.replace('_', ' ')} {float(self.logs[name]):.3g}" for name in names]
        left = self.epochs * self.steps - self.epoch * self.steps - self.batch
        if self.done and left:
            rate = self.done / max(time.monotonic() - self.started, 1e-9)
            parts.append(f"{in_words(left / rate)} left")
        return ", ".join(parts)
