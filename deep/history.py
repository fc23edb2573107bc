"""What happened in training, epoch by epoch."""

import numpy as np

from vision.errors import ParameterError


class History(dict):
    """Measures by name, a list with one value an epoch: ``loss``, ``accuracy``, ``val_loss``, ...

    Attributes
    ----------
    best_epoch : int or None
        With early stopping, the epoch whose weights were put back, from 1 on; None: the weights
        are those of the last.

    Examples
    --------
    >>> history = History(loss=[0.9, 0.4], val_loss=[1.0, 0.7], learning_rate=[0.1, 0.1])
    >>> history
    History(2 epochs: loss 0.4, val_loss 0.7, learning_rate 0.1)
    >>> history.to_records()[1]
    {'epoch': 2, 'loss': 0.4, 'val_loss': 0.7, 'learning_rate': 0.1}
    """

    best_epoch = None

    @property
    def epochs(self):
        """The number of epochs."""
        return max(map(len, self.values()), default=0)

    def add(self, measures):
        """Note the measures of one more epoch."""
        for name, value in measures.items():
            self.setdefault(name, []).append(float(value))

    def to_records(self):
        """One row an epoch, from 1 on, for a table.

        Returns
        -------
        list of dict
        """
        return [
            {"epoch": epoch + 1, **{name: values[epoch] for name, values in self.items()}}
            for epoch in range(self.epochs)
        ]

    def __repr__(self):
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        best = "" if self.best_epoch is None else f"; weights of epoch {self.best_epoch}"
        return f"History({self.epochs} epoch{'s' * (self.epochs != 1)}: {last}{best})"

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self)}

    def plot(self, axes=None):
        """Loss and accuracy by epoch, training and validation in one picture each.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes, optional
            One for each measure; made if not given.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ParameterError
            If there is no epoch, or another number of axes than measures.
        """
        import matplotlib.pyplot as plt

        names = [name for name in self if not name.startswith("val_") and name != "learning_rate"]
        if not self.epochs:
            raise ParameterError("There is nothing to plot: the network was not trained.")
        if axes is None:
            width = 5.0 * len(names)
            _, axes = plt.subplots(1, len(names), figsize=(width, 3.6), layout="constrained")
        axes = np.atleast_1d(axes)
        if len(axes) != len(names):
            raise ParameterError(f"plot needs {len(names)} axes, for {names}. Got {len(axes)}.")
        for name, one in zip(names, axes):
            self._plot_measure(name, one)
        return axes[0].figure

    def _plot_measure(self, name, axes):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in self:
                axes.plot(range(1, len(self[key]) + 1), self[key], marker=".", label=label)
        axes.set(xlabel="epoch", ylabel=name.replace("_", " "))
        axes.grid(alpha=0.3)
        axes.locator_params(axis="x", integer=True)
        axes.legend(frameon=False)
