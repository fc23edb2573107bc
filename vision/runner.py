"""`vision.run`: a pipeline over a folder, nothing lost and nothing done twice."""

import secrets
import time
from pathlib import Path

from vision.allocator import memory_kept
from vision.atomic import temporaries_of
from vision.checks import refuse
from vision.composition import chain
from vision.entry import check_first, entry_of
from vision.fingerprints import pipeline_key, versions_of
from vision.images import Images
from vision.ledger import Ledger
from vision.pipeline import Pipeline
from vision.progress import progress_of
from vision.records import check_outputs, parts_of
from vision.resume import names_of
from vision.run_digest import Digest
from vision.run_folder import check_free, collect, describe_run, from_runs, make_folder, reading_of
from vision.run_head import head_of
from vision.run_job import Job
from vision.run_options import Options
from vision.run_tables import write_tables
from vision.run_work import leaving, one_cv2_thread
from vision.shards import ledger_name
from vision.staging import nothing_left, remove_left
from vision.stopping import Stopping

TABLES_WITHIN = 0.5  # seconds, when a signal ends the run


def run(
    pipeline,
    source,
    out,
    *,
    mode=None,
    overlay=False,
    format=None,
    quality=None,
    restart=False,
    retry_failed=False,
    verify=False,
    durable="chunk",
    threads=None,
    workers=None,
    dask=None,
    timeout=None,
    memory_limit=None,
    shard=None,
    pack=None,
    max_pixels=None,
    tables="csv",
    report=True,
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
    ``reason``), and the run goes on. Of several pages or frames the first is read; the notes say
    how many files have more. ``out/pipeline.yaml`` says what ran; a fitted pipeline is also kept
    whole, as ``pipeline.vision``.

    ``out/ledger.jsonl`` keeps what was done, so that another run into the same folder does only
    what is new, changed or failed: a file by its size, time and inode, else by its content. One
    that was moved or is there twice is not computed again (worker processes may do two that are
    new). Outputs become visible, whole, in chunks of about a second of work: all that a crash
    costs. An edited pipeline or altered output is done again; what vanished is in ``vanished.csv``.

    ``out/index.html`` shows the run: pictures before and after, failures, the time of each step,
    the command, versions and options. `vision.replay` does the same again.

    Ctrl-C, SIGTERM and SIGHUP give files in work a second and end the run in order; a second
    signal ends the process at once.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        Fitted, if it learns anything.
    source : str, path-like, list, ndarray or Images
        A folder, a pattern, a zip or tar archive, a manifest, a URL, a list of files, or pictures
        in memory, as `Images` takes them. What an earlier run wrote to `out` is left out; what
        others wrote in a folder beside other pictures is not, and is said in the notes.
    out : str or path-like
        The folder of the outputs; made if it is not there.
    mode : {"rgb", "gray", "unchanged"}, optional
        How files are read, see `vision.read`. By default ``"rgb"``; for a pipeline that takes
        gray pictures alone as they are stored, and the run is refused if the first is in colour:
        ``"gray"`` makes them gray, and with ``"unchanged"`` each is an error of its own. An
        `Images` reads in its own mode.
    overlay : bool, default=False
        Whether results are also drawn on their pictures, in ``out/overlays/``.
    format : str, optional
        The format of images and overlays, such as ``"png"``; that of the source by default.
    quality : int, optional
        From 1 to 100, for JPEG, WebP and AVIF, see `vision.encode`.
    restart : bool, default=False
        Whether everything is done again, whatever the ledger says.
    retry_failed : bool, default=False
        Whether only files that failed are tried.
    verify : bool, default=False
        Whether files and outputs are read to see if they changed, not only their size and time.
    durable : {"chunk", "file", "none"}, default="chunk"
        When outputs are on the disk for certain, a power cut included: before their chunk counts
        as done, each before the next file, or whenever the system writes them.
    threads : int, optional
        Threads; by default one for each processor that may be used.
    workers : int, optional
        Instead of threads so many processes, where a step may crash, never end, or keep Python's
        lock. One that dies is replaced, and its files are tried again: one at which workers die
        three times is an error.
    dask : str, optional
        Instead of these the address of a Dask scheduler, whose workers (of one thread each) have
        the same packages, and the source and `out` under the same names.
    timeout : float, optional
        Seconds that a file may take; with `workers` or `dask` alone.
    memory_limit : int or str, optional
        Bytes a worker may have, a number or such as ``"2GB"``; with `workers` or `dask` alone.
    shard : str, optional
        ``"3/100"`` does the third of a hundred parts of the files, told by their names. All parts
        may be done at once, anywhere, into the same `out`; `vision.merge` writes their tables.
    pack : {"tar"}, optional
        ``"tar"`` packs pictures into archives of about a gigabyte, ``out/images-00001.tar`` and so
        on, where a million small files would hurt; the column `output` names archive and member.
    max_pixels : int, optional
        The largest width times height that is read, see `vision.read`.
    tables : str or list of str, default="csv"
        ``"csv,parquet"`` writes ``results.parquet`` beside ``results.csv``, with typed columns.
    report : bool, default=True
        Whether ``index.html`` is written: for 2% of the time at most, or a second.
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
        If `out` holds pictures that no run of this toolkit made, or a run in other shards, or its
        disk would take two names for one (``a.png``, ``A.png``).
    LedgerInUseError
        If another run is writing to `out`.
    KindError
        If two steps do not fit, no picture that is read in `mode` can enter, or the pipeline
        gives what cannot be written, such as a map: the message names the mode, or the step to
        put in front or at the end. No file has been read then.
    sklearn.exceptions.NotFittedError
        If a step must be fitted first.
    ImageNotFoundError
        If there is no picture.
    MissingDependencyError
        If `tables` asks for Parquet, and pyarrow is not installed; for `workers` and `dask`
        without Dask.
    WriteError
        If `out` cannot be written, or its disk is full: what was done before is kept.
    KeyboardInterrupt, SystemExit
        After a signal, with the `summary` of what was done.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from classical import Otsu
    >>> out = tempfile.mkdtemp()
    >>> summary = run(Otsu(), [np.eye(4, dtype=np.uint8)], out, progress=False)
    >>> summary.done, summary.results_csv.read_text().splitlines()
    (1, ['source,object,output,width,height', '000000,1,images/000000.png,4,4'])
    >>> run(Otsu(), [np.eye(4, dtype=np.uint8)], out, progress=False).unchanged
    1
    """
    started = time.monotonic()
    options = Options(
        overlay,
        format,
        quality,
        restart,
        retry_failed,
        verify,
        durable,
        threads,
        workers,
        dask,
        timeout,
        memory_limit,
        tables,
        report,
        shard,
        pack,
    )
    options.check(progress)
    pipeline, out = _as_pipeline(pipeline), Path(out)
    plan = pipeline.plan()
    guessed = mode is None and not isinstance(source, Images)
    source, mode = reading_of(source, mode, plan.kinds)
    entry = entry_of(plan.kinds, mode, source if isinstance(source, Images) else None)
    kind = leaving(plan, (entry,))
    check_outputs(kind, overlay=overlay, format=options.format)
    images = collect(source, mode, max_pixels, out, check_free(out, options.part))
    if guessed and mode == "unchanged":
        check_first(plan.kinds, images)
    names = names_of(images)
    if options.part is not None:
        images, names = options.part.part(images, names)
    key = pipeline_key(pipeline, options.of_outputs | {"mode": mode})
    head = head_of(pipeline, source, {**vars(options), "mode": mode, "max_pixels": max_pixels})
    head |= {"branches": any(parts_of(kind)), "kinds": parts_of(kind)}
    digest, identity = Digest(parts_of(kind)), secrets.token_hex(6)
    make_folder(out, names if options.pack is None else ())
    with (
        temporaries_of(identity),
        Ledger(out / ledger_name(options.part), write=True) as ledger,
        nothing_left(out, identity),
        progress_of(len(images), progress is not False) as shown,
        one_cv2_thread(),
        memory_kept(),
        Stopping() as stopping,
    ):
        remove_left([out], ledger.runs)
        job = Job(identity, pipeline, images, names, out, key, options, ledger, shown)
        job.begin(versions_of(pipeline), head)
        describe_run(pipeline, out)
        job.drive(plan, stopping)
        written = options.part is not None or write_tables(
            out,
            [ledger],
            key,
            branches=head["branches"],
            within=TABLES_WITHIN if stopping.signal else None,
            parquet="parquet" in options.tables,
            seen=digest.note if report else None,
        )
        notes = from_runs(source, images)
        summary = job.summary(time.monotonic() - started, written, notes)
        if report and written and options.part is None:
            summary = job.reported(summary, digest, stopping)
    if stopping.signal:
        raise stopping.error(summary)
    return summary


def _as_pipeline(pipeline):
    if not hasattr(pipeline, "get_params"):
        hint = "A pipeline file is read by vision.load(path)."
        refuse("pipeline", pipeline, "a pipeline or a step", "run", hint)
    return pipeline if isinstance(pipeline, Pipeline) else chain(pipeline)
