"""`vision.run`: a pipeline over a folder, one bad file never the end of it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from vision.allocator import memory_kept
from vision.checks import check_bool, check_integer, refuse
from vision.composition import chain
from vision.conversions import FROM_RGB
from vision.encoding import format_of
from vision.errors import KindError
from vision.kinds import Kind
from vision.pipeline import Pipeline
from vision.progress import in_words, progress_of
from vision.records import LOSSY, Recorder, check_outputs, parts_of
from vision.run_folder import ERRORS, RESULTS, check_free, collect, describe_run
from vision.run_work import Work, in_order, leaving, one_cv2_thread
from vision.tables import Table

@dataclass(frozen=True)
class RunSummary:
    """How a run ended.

    Parameters
    ----------
    done, failed : int
        Files with a result, and files with a row in `errors_csv`.
    seconds : float
        How long it took.
    out : Path
        The folder of the outputs.
    results_csv, errors_csv : Path
        The two tables.

    Examples
    --------
    >>> RunSummary(40, 2, 6.25, Path("out"), Path("out/results.csv"), Path("out/errors.csv"))
    RunSummary(40 done, 2 failed in 6.2 s: out/results.csv, out/errors.csv)
    """

    done: int
    failed: int
    seconds: float
    out: Path
    results_csv: Path
    errors_csv: Path

    def __repr__(self):
        failed = f", {self.failed} failed" if self.failed else ""
        errors = f", {self.errors_csv}" if self.failed else ""
        took = in_words(self.seconds)
        return f"RunSummary({self.done} done{failed} in {took}: {self.results_csv}{errors})"


def run(
    pipeline,
    source,
    out,
    *,
    overlay=False,
    format=None,
    quality=None,
    overwrite=False,
    threads=None,
    max_pixels=None,
    progress=None,
):
    """Run a pipeline over a folder of pictures and write what it gives.

    Pictures are written to ``out/images/``, each with the sub-folders of the source: masks, edges
    and label maps as lossless PNG (labels in 8 bits up to 255, in 16 up to 65,535), images in
    their source's format. Everything else is in ``out/results.csv``, one row an object:
    ``source``, ``object`` (from 1; 0 where nothing was found), then the columns of the result,
    with the picture's path in ``output``. `Branches` add a column ``branch`` and a folder each.
    Names never collide: ``a.jpg`` as PNG is ``a.jpg.png``, see `vision.output_names`.

    A file that cannot be read or processed is a row of ``out/errors.csv`` (``source``, ``error``,
    ``reason``), and the run goes on. ``out/pipeline.yaml`` says what ran; a fitted pipeline is
    also kept whole, as ``pipeline.vision``. Ctrl-C ends the run after the files in work; both
    tables then hold what was done.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        Fitted, if it learns anything. If it takes RGB, files are read as RGB; if it takes gray
        alone, as they are stored, and colour files are refused.
    source : str, path-like, list, ndarray or Images
        A folder, a pattern, a zip archive, a list of files, or pictures in memory, as `Images`
        takes them. What an earlier run wrote below it is left out.
    out : str or path-like
        The folder of the outputs; made if it is not there.
    overlay : bool, default=False
        Whether results are also drawn on their pictures, in ``out/overlays/``.
    format : str, optional
        The format of images and overlays, such as ``"png"``; that of the source by default.
    quality : int, optional
        From 1 to 100, for JPEG, WebP and AVIF, see `vision.encode`.
    overwrite : bool, default=False
        Whether the outputs of an earlier run in `out` may be replaced. Those that this run does
        not write again stay.
    threads : int, optional
        Threads; by default one for each processor that may be used.
    max_pixels : int, optional
        The largest width times height that is read, see `vision.read`.
    progress : bool, optional
        False shows nothing. Otherwise a bar on a terminal, and plain lines in a log.

    Returns
    -------
    RunSummary

    Raises
    ------
    ParameterError
        If an option makes no sense.
    OutputExistsError
        If `out` holds an earlier run and `overwrite` is False.
    KindError
        If two steps do not fit, or the pipeline gives what cannot be written, such as a map: the
        message names the step to end with.
    sklearn.exceptions.NotFittedError
        If a step must be fitted first.
    ImageNotFoundError
        If there is no picture.
    WriteError
        If `out` cannot be written, or its disk is full: the tables then hold what was done, as
        far as there is room for them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from classical import Otsu
    >>> out = tempfile.mkdtemp()
    >>> summary = run(Otsu(), [np.eye(4, dtype=np.uint8)], out, progress=False)
    >>> summary.done, summary.results_csv.read_text().splitlines()
    (1, ['source,object,output,width,height', '000000,1,images/000000.png,4,4'])
    """
    started = time.monotonic()
    format = _check_options(overlay, format, quality, overwrite, threads, progress)
    pipeline, out = _as_pipeline(pipeline), Path(out)
    plan = pipeline.plan()
    entry, mode = entry_of(plan)
    kind = leaving(plan, (entry,))
    check_outputs(kind, overlay=overlay, format=format)
    earlier = check_free(out, overwrite)
    images = collect(source, mode, max_pixels, out, earlier)
    describe_run(pipeline, out)
    names = _feature_names(pipeline)
    owns = images.root is not None  # pictures in memory are the caller's
    recorder = Recorder(
        out, overlay=overlay, format=format, quality=quality, names=names, owns=owns
    )
    work = Work(plan, images, recorder)
    branch = ["branch"] if any(parts_of(kind)) else []
    with (
        Table(out / RESULTS, ["source", *branch, "object"]) as results,
        Table(out / ERRORS, ["source", "error", "reason"]) as errors,
        progress_of(len(images), progress is not False) as shown,
        one_cv2_thread(),
        memory_kept(),
    ):
        tally = _Tally(results, errors, shown)
        in_order(work, work.jobs(), threads or _processors(), tally.take)
    seconds = time.monotonic() - started
    return RunSummary(tally.done, tally.failed, seconds, out, results.path, errors.path)


def _check_options(overlay, format, quality, overwrite, threads, progress):
    """The format by its one name; everything that makes no sense is refused."""
    check_bool("overlay", overlay, owner="run")
    check_bool("overwrite", overwrite, owner="run")
    if progress is not None:
        check_bool("progress", progress, owner="run")
    if threads is not None:
        check_integer("threads", threads, owner="run", at_least=1)
    format = None if format is None else format_of(format, owner="run")
    if quality is not None:
        check_integer("quality", quality, owner="run", at_least=1, at_most=100)
        if format is not None and format not in LOSSY:
            refuse("quality", quality, f"left out for {format}, which is lossless", "run")
    return format


def _as_pipeline(pipeline):
    if not hasattr(pipeline, "get_params"):
        hint = "A pipeline file is read by vision.load(path)."
        refuse("pipeline", pipeline, "a pipeline or a step", "run", hint)
    return pipeline if isinstance(pipeline, Pipeline) else chain(pipeline)


def entry_of(plan):
    """The kind of picture that enters a plan, and the mode in which files are read for it.

    Raises
    ------
    KindError
        If no picture can enter.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> entry_of((Gray() >> Otsu()).plan()), entry_of(chain(Otsu()).plan())
    ((<Kind.RGB: 'rgb'>, 'rgb'), (<Kind.GRAY: 'gray'>, 'unchanged'))
    """
    if Kind.RGB in plan.kinds or Kind.ANY in plan.kinds:
        return Kind.RGB, "rgb"
    for kind in (Kind.GRAY, Kind.MASK, Kind.EDGES):
        if kind in plan.kinds:
            return kind, "unchanged"
    first = next(iter(plan.kinds))
    ways = {**FROM_RGB, Kind.FLOAT: "ToFloat()"}
    hint = f" Put {ways[first]} in front." if first in ways else ""
    raise KindError(
        f"A run reads rgb and gray pictures, but the pipeline takes {first.described}.{hint}"
    )


def _feature_names(pipeline):
    """The names of the features that the last step gives, where it knows them."""
    last = pipeline.steps[-1][1]
    try:
        return [str(name) for name in last.get_feature_names_out()]
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return []


class _Tally:
    """Takes the outcomes in order: into the tables, the progress and the counts."""

    def __init__(self, results, errors, shown):
        self.results, self.errors, self.shown = results, errors, shown
        self.done = self.failed = 0

    def take(self, outcomes):
        """Note what became of some files."""
        for outcome in outcomes:
            if outcome.error is None:
                self.results.add(outcome.rows)
                self.done += 1
            else:
                self.errors.add([outcome.error])
                self.failed += 1
            self.shown.advance(outcome.error is not None)


def _processors():
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
