"""All candidates of a comparison, one after the other: what is kept is not done again."""

from functools import partial

import numpy as np

from vision.comparison_candidates import (
    Outcome,
    fitted_clone,
    noted_warnings,
    run_candidate,
    taken,
)
from vision.comparison_store import (
    Store,
    candidate_key,
    content_key,
    keep_outcome,
    kept_outcome,
    told_key,
)
from vision.errors import VisionError
from vision.progress import progress_of

STOPPED = "stopped before it had finished"


class Run:
    """Candidates through all folds, learning curves, spoiled pictures and explanations.

    Parameters
    ----------
    study : Study
    candidates : dict of str to estimator
    folder : path-like or None
        Where finished ones are kept.
    data_key : str
        Of the pictures.
    progress : bool or None

    Attributes
    ----------
    outcomes : dict of str to Outcome
    curves, robustness, faithfulness : dict of str to result or None
        None of a candidate that failed there.
    notes : list of str
    """

    def __init__(self, study, candidates, *, folder, data_key, progress):
        self.study, self.candidates, self.shown = study, candidates, progress is not False
        self.store = None if folder is None else Store(folder)
        self.outcomes, self.notes = {}, []
        self.curves, self.robustness, self.faithfulness = {}, {}, {}
        self._told = {} if folder is None else _told(study, data_key)
        self._keys = {}

    def __call__(self, sizes, places, explained):
        """Do all of it; Ctrl-C ends it, with what has finished.

        Parameters
        ----------
        sizes : list of int or None
            Of learning curves.
        places : ndarray of int or None
            Of the pictures to be spoiled.
        explained : Explained or None
            The pictures whose explanations are judged.
        """
        try:
            with progress_of(
                self._count(sizes, places, explained), self.shown, noun="parts"
            ) as bar:
                self._every_candidate(bar)
                if sizes is not None:
                    self._every_curve(sizes, bar)
                if places is not None:
                    self._every_robustness(places, bar)
                if explained is not None:
                    self._every_faithfulness(explained, bar)
        except KeyboardInterrupt:
            if all(outcome.error is not None for outcome in self.outcomes.values()):
                raise
            self.notes.append("It was stopped by hand: what had not finished is not in it.")
            for name in self.candidates:
                self.outcomes.setdefault(name, Outcome(error=STOPPED))

    def _count(self, sizes, places, explained):
        from vision.learning_curves import curve_repeats

        each = len(self.study.folds.splits)
        each += 0 if sizes is None else len(sizes) * curve_repeats(self.study)
        each += (places is not None) + (explained is not None)
        return each * len(self.candidates)

    def _every_candidate(self, bar):
        folds = len(self.study.folds.splits)
        for name, estimator in self.candidates.items():
            key = self._key(name)
            outcome = None if key is None else kept_outcome(self.store, name, key)
            if outcome is not None:
                bar.skip(folds)
                self.notes.append(f"{name} was kept from an earlier comparison in this folder.")
            else:
                kept = key is not None
                outcome = run_candidate(self.study, estimator, bar.advance, archived=kept)
                if kept and outcome.error is None:
                    self._keep(name, keep_outcome, self.store, name, key, outcome)
            self.outcomes[name] = outcome

    def _keep(self, name, write, *arguments):
        """A folder that cannot be written to is known by now: the work is not lost for it."""
        try:
            write(*arguments)
        except (VisionError, TypeError) as error:  # JSON takes no label of any type
            self.notes.append(f"{name} could not be kept: {error}")

    def _key(self, name, **more):
        if self.store is None:
            return None
        if name not in self._keys:
            self._keys[name] = candidate_key(self.candidates[name])
        if self._keys[name] is None:
            return None
        return told_key({**self._told, **more, "candidate": self._keys[name]})[:16]

    def _every_curve(self, sizes, bar):
        from vision.learning_curves import curve_repeats, measure_curve

        repeats = curve_repeats(self.study)

        def measure(name, estimator):
            rate = partial(rated, self.study)
            scores, tables = measure_curve(self.study, estimator, sizes, rate, bar.advance)
            return {"scores": scores, **{f"images{k}": table for k, table in enumerate(tables)}}

        told = {"curve": sizes}
        for name, found in self._every("learning curve", measure, told, bar, len(sizes) * repeats):
            tables = found and [found[f"images{k}"] for k in range(repeats)]
            self.curves[name] = found and (found["scores"], tables)

    def _every_robustness(self, places, bar):
        from vision.robustness import corruptions, measure_robustness

        def measure(name, estimator):
            scores = measure_robustness(self.study, self._fitted(name, estimator), places)
            bar.advance(False)
            return {"scores": scores}

        told = {"spoiled": places.tolist(), "levels": repr(corruptions(100))}
        for name, found in self._every("robustness", measure, told, bar):
            self.robustness[name] = found and found["scores"]

    def _every_faithfulness(self, explained, bar):
        from vision.comparison_faithfulness import measure_faithfulness

        def measure(name, estimator):
            fitted = self._fitted(name, estimator)
            rows = measure_faithfulness(self.study, estimator, fitted, explained)
            bar.advance(False)
            return {"rows": rows}

        told = {"explained": explained.key}
        for name, found in self._every("faithfulness", measure, told, bar):
            self.faithfulness[name] = found and found["rows"]

    def _every(self, what, measure, told, bar, parts=1):
        """Every finished candidate and what is measured of it; None, with a note, if it fails."""
        for name, estimator in self._finished():
            key = self._key(name, **told)
            place = f"{key}-{what.replace(' ', '-')}"
            found = None if key is None else self.store.get(name, place)
            if found is not None:
                bar.skip(parts)
                yield name, found
                continue
            try:
                with noted_warnings():  # such as of every fit of a curve: those of folds are told
                    found = measure(name, estimator)
            except (Exception, SystemExit) as error:
                bar.advance(True)
                self.notes.append(f"{name} has no {what}: {type(error).__name__}: {error}")
            else:
                if key is not None:
                    self._keep(name, self.store.put, name, place, found)
            yield name, found

    def _fitted(self, name, estimator):
        """The models of a candidate, one a fold; what no archive takes is fitted again."""
        return self.outcomes[name].fitted or [
            fitted_clone(self.study, estimator, train)[0] for train, _ in self.study.folds.splits
        ]

    def _finished(self):
        done = self.outcomes.items()
        return [(name, self.candidates[name]) for name, one in done if one.error is None]


def rated(study, predictions, probabilities, places):
    """The `Ratings` of what was said of some images."""
    return study.task.rate(
        [predictions[place] for place in places.tolist()],
        None if probabilities is None else probabilities[places],
        taken(study.truth, places),
        study.classes,
    )


def _told(study, data_key):
    """What a finished candidate depends on besides itself."""
    return {
        "data": data_key,
        "truth": content_key(study.truth),
        "groups": None if study.groups is None else content_key(study.groups),
        "folds": content_key([np.asarray(part) for split in study.folds.splits for part in split]),
        "task": study.task.name,
        "seed": study.seed,
    }
