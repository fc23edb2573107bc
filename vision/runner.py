"""`vision.run`: a pipeline over a folder, nothing lost and nothing done twice."""

import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

from vision.allocator import memory_kept
from vision.atomic import temporaries_of
from vision.checks import refuse
from vision.cluster import Cluster
from vision.composition import chain
from vision.entry import check_first, entry_of
from vision.errors import WriteError
from vision.executors import Threads, drive
from vision.fingerprints import pipeline_key, versions_of
from vision.images import Images
from vision.ledger import Ledger
from vision.packing import Packs, is_packed, remove_dead, trim
from vision.pipeline import Pipeline
from vision.progress import progress_of
from vision.records import Recorder, check_outputs, parts_of
from vision.resume import LARGEST, Pace, Resume, names_of
from vision.run_digest import Digest
from vision.run_folder import check_free, collect, describe_run, from_runs, make_folder, reading_of
from vision.run_head import head_of
from vision.run_options import Options
from vision.run_report import write_report
from vision.run_summary import RunSummary
from vision.run_tables import ERRORS, RESULTS, write_tables
from vision.run_work import BATCH, Work, leaving, one_cv2_thread
from vision.shards import ledger_name
from vision.staging import nothing_left, remove_left, remove_replaced
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
    ``reason``), and the run goes on. ``out/pipeline.yaml`` says what ran; a fitted pipeline is
    also kept whole, as ``pipeline.vision``.

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
        job = _Job(identity, pipeline, images, names, out, key, options, ledger, shown)
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


class _Job:
    """One run: what is to do, the entries as they come, and what is to be told at the end."""

    def __init__(self, identity, pipeline, images, names, out, key, options, ledger, shown):
        self.identity = identity
        self.images, self.out, self.key, self.options = images, out, key, options
        self.ledger, self.shown, self.pipeline = ledger, shown, pipeline
        self.resume = Resume(
            images,
            ledger,
            key,
            os.fspath(out),
            restart=options.restart,
            verify=options.verify,
            only_failed=options.retry_failed,
            names=names,
        )
        self.names = _feature_names(pipeline)
        self.label = options.part.label if options.part else ""
        self.replaced = False  # whether packed outputs were
        self.done = self.failed = self.kept = self.copied = self.vanished = 0

    def begin(self, versions, head):
        """The first line of the run."""
        self.head = head | {
            "run": self.identity,
            "key": self.key,
            "started": time.time(),
            "files": len(self.images),
            "root": self.images.root,
            "versions": versions,
            "options": self.options.of_outputs,
        }
        self.versions = versions
        for older, entry in self.ledger.replaced_last():  # a crash may have come before this
            self._replace(older["outputs"], entry)
        heads = [*self.ledger.runs.values(), self.head]
        self.replaced |= len({head["key"] for head in heads}) > 1
        self.ledger.append([self.head], durable=self.options.durable != "none")

    def drive(self, plan, stopping):
        """Do everything."""
        durable = self.options.durable
        recorder = Recorder(
            self.out,
            overlay=self.options.overlay,
            format=self.options.format,
            quality=self.options.quality,
            names=self.names,
            owns=self.images.root is not None,  # pictures in memory are the caller's
        )
        work = Work(
            plan,
            recorder,
            self.identity,
            self.key,
            durable=durable != "none",
            ledger=self.ledger,
            packs=self._packs(),
            fresh=self.options.restart,
        )
        pace = Pace(
            self.images,
            self.resume.names,
            self._noted(self.resume.tasks()),
            largest=1 if durable == "file" else LARGEST,
            unit=BATCH if plan.batched else 1,
        )
        with self._executor(work) as executor:
            drive(executor, pace, self.take, stopping)
        if not stopping.signal and not self.options.retry_failed:
            gone = list(self.resume.vanished())
            self.vanished = len(gone)
            self.ledger.append(gone, durable=durable != "none")
        if self.replaced and not stopping.signal:
            remove_dead(self.out, self.label, self.ledger)
        if self.ledger.packed:
            trim(self.out, self.label, self.ledger)

    def _packs(self):
        """The archives that outputs go to; None if they are files."""
        if self.options.pack is None:
            return None
        unfilled = trim(self.out, self.label, self.ledger)
        before = [head["key"] for head in self.ledger.runs.values()][:-1]
        same = before[-1:] == [self.key] and not self.options.restart
        return Packs(
            self.identity,
            durable=self.options.durable != "none",
            overlay=self.options.overlay,
            label=self.label,
            unfilled=unfilled if same else {},
        )

    def _executor(self, work):
        options = self.options
        if options.workers is None and options.dask is None:
            return Threads(work, options.threads or _processors())
        return Cluster(
            work,
            self.pipeline,
            workers=options.workers,
            address=options.dask,
            timeout=options.timeout,
            memory_limit=options.memory_limit,
            earlier=not options.restart,
        )

    def _noted(self, tasks):
        """The tasks; files in between that are done already count as progress."""
        told = 0
        for task in tasks:
            unchanged = 0 if self.options.verify else self.resume.counts["unchanged"]
            self.shown.skip(unchanged - told)
            told = unchanged
            yield task
        self.shown.skip(self.resume.counts["unchanged"] * (not self.options.verify) - told)

    def take(self, entries):
        """Keep the entries of a chunk, then remove outputs that they replace."""
        older = [self._outputs(entry["name"]) for entry in entries]
        kept = [entry.pop("kept", False) for entry in entries]
        made = [entry.pop("made", ()) for entry in entries]
        for entry, outputs in zip(entries, older):
            if "error" in entry and entry["error"]["error"] == WriteError.__name__:
                entry["outputs"] = outputs  # they are as good as they were
        self.ledger.append(entries, durable=self.options.durable != "none")
        for entry, outputs, same, new in zip(entries, older, kept, made):
            failed = "error" in entry
            self.kept += same
            self.copied += "copied" in entry and not same
            self.failed += failed
            self.done += not (same or failed)
            self._replace(outputs, entry)
            for path in set(new).difference(path for path, *_ in entry["outputs"]) if new else ():
                Path(self.out, path).unlink(missing_ok=True)
            self.shown.advance(failed)

    def _replace(self, older, entry):
        """Remove outputs that an entry replaces."""
        now = {path for path, *_ in entry["outputs"]} if older else ()
        for output in older:
            if is_packed(output[0]):
                self.replaced |= output[0] not in now
            elif output[0] not in now:
                remove_replaced(self.out, output)

    def _outputs(self, name):
        entry = self.ledger.get(name)
        return entry["outputs"] if entry else []

    def summary(self, seconds, written, notes):
        """How it ended."""
        skipped = 0 if self.options.verify else self.resume.counts["unchanged"]
        tables = [None if self.options.part else self.out / name for name in (RESULTS, ERRORS)]
        return RunSummary(
            self.done,
            self.failed,
            skipped + self.kept,
            seconds,
            self.out,
            *tables,
            (*notes, *self._notes(written)),
        )

    def reported(self, summary, digest, stopping):
        """The summary with the page of the run, or with the reason why there is none."""
        counts = {
            "done": self.done,
            "of these taken over": self.copied,
            "failed": self.failed,
            "unchanged": summary.unchanged,
            "gone from the source": self.vanished,
        }
        try:
            page = write_report(
                self.out,
                self.head,
                digest,
                counts,
                images=self.images,
                names=self.resume.names,
                seconds=summary.seconds,
                notes=summary.notes,
                stopping=stopping,
            )
        except Exception as error:  # what was done is done, with or without a page that shows it
            return replace(summary, notes=(*summary.notes, f"there is no report: {error}"))
        return replace(summary, report=page)

    def _notes(self, written):
        counts = self.resume.counts
        before = next(iter([*self.ledger.runs.values()][-2:-1]), self.head)["root"]
        changed = counts["changed"] - self.kept * (not self.options.verify)
        if before != self.images.root and changed > 0:
            yield f"{_files(changed)} of another content than those of that name in {before!r}"
        if counts["edited"]:
            yield f"{_files(counts['edited'])} done again: the pipeline or an option was edited"
        if counts["altered"]:
            yield f"{_files(counts['altered'])} done again: an output was altered or removed"
        if self.copied:
            yield f"{_files(self.copied)} taken over: the content was done under another name"
        if self.vanished:
            yield f"{_files(self.vanished)} gone from the source: outputs stay, see vanished.csv"
        if self.ledger.damaged:
            yield f"{self.ledger.damaged} damaged lines of the ledger were ignored"
        for run, count in self.resume.runs.items():
            differ = _differing(self.ledger.runs.get(run, {}).get("versions", {}), self.versions)
            if differ:
                yield f"{_files(count)} unchanged, but done by {differ}: restart does them again"
        if self.options.part:
            yield f"the tables of all shards are written by: vision merge {self.out}"
        if not written:
            yield "the tables were not written anew: the next run does so"


def _files(count):
    return f"{count} file{'' if count == 1 else 's'}"


def _differing(before, now):
    """The versions of another run where they are not those that run now."""
    return ", ".join(f"{name} {was}" for name, was in before.items() if now.get(name, was) != was)


def _as_pipeline(pipeline):
    if not hasattr(pipeline, "get_params"):
        hint = "A pipeline file is read by vision.load(path)."
        refuse("pipeline", pipeline, "a pipeline or a step", "run", hint)
    return pipeline if isinstance(pipeline, Pipeline) else chain(pipeline)


def _feature_names(pipeline):
    """The names of the features that the last step gives, where it knows them."""
    last = pipeline.steps[-1][1]
    try:
        return [str(name) for name in last.get_feature_names_out()]
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return []


def _processors():
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
