"""What the commands do, and how they say it; each gives its exit status."""

import contextlib
import sys
import warnings
from pathlib import Path

GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
AUTOMATIC = "auto"  # the method of an explanation that fits the classifier
LONGEST = 72  # characters of a step in `vision check`
SHOWN_CLASSES = 10  # there


def run_command(options):
    """`vision run`: 0 all well, 1 some files failed."""
    from vision.runner import run

    if options.explain is not None and options.explain != AUTOMATIC:
        from vision.catalogue import check_method

        check_method(options.explain)
    return ended(lambda: _run(_to_run(options), options, run), options.quiet)


def _to_run(options):
    pipeline = ready(options.pipeline)
    if options.explain is None:
        return pipeline
    from vision.explaining import explained

    options.overlay = True  # the heat maps are to be seen
    return explained(pipeline, None if options.explain == AUTOMATIC else options.explain)


def ended(work, quiet):
    """Do a run, say how it ended, and give the exit status."""
    try:
        summary = work()
    except (KeyboardInterrupt, SystemExit) as end:
        if not hasattr(end, "summary"):
            raise
        if not quiet:
            say(f"Stopped. {_closing(end.summary)}")
        return end.code
    if not quiet:
        say(_closing(summary))
    return FAILED if summary.failed else GOOD


def _run(pipeline, options, run):
    return run(
        pipeline,
        _source(options.source),
        options.out,
        mode=options.mode,
        overlay=options.overlay,
        format=options.format,
        quality=options.quality,
        restart=options.restart,
        retry_failed=options.retry_failed,
        verify=options.verify,
        durable=options.durable,
        threads=options.threads,
        workers=options.workers,
        dask=options.dask,
        timeout=options.timeout,
        memory_limit=options.memory_limit,
        max_pixels=options.max_pixels,
        tables=options.tables,
        shard=options.shard,
        pack=options.pack,
        report=not options.no_report,
        progress=not options.quiet,
    )


def _load(path):
    """The pipeline of a file, what it warns of said in one sentence."""
    from vision.archive import VersionWarning, load
    from vision.composition import chain
    from vision.pipeline import Pipeline

    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", VersionWarning)
        loaded = load(path)
    for one in noted:
        fail(one.message, GOOD)
    return loaded if isinstance(loaded, Pipeline) else chain(loaded)


def ready(path):
    """The pipeline of a file; one that must be fitted first is refused with the way."""
    from sklearn.exceptions import NotFittedError

    from vision.fitted import learners

    pipeline = _load(path)
    unfitted = _names(step for step, fitted in learners(pipeline) if not fitted)
    if unfitted:
        raise NotFittedError(
            f"{unfitted} not fitted: {path!r} holds nothing learned. {_how_to_fit(path)}, and then "
            "give that file."
        )
    return pipeline


def _how_to_fit(path):
    model = str(Path(path).with_suffix(".vision")) if Path(path).suffix != ".vision" else path
    return (
        f"In Python: pipeline = vision.load({path!r}).fit(images, truth), then "
        f"vision.save(pipeline, {model!r})"
    )


def _names(steps):
    """The classes of steps with their verb: A is, A and B are; empty if there are none."""
    names = list(dict.fromkeys(type(step).__name__ for step in steps))
    verb = "is" if len(names) == 1 else "are"
    return f"{_listed(names)} {verb}" if names else ""


def _listed(words):
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _source(given):
    """One folder, archive, manifest, URL or pattern; or the files that the shell made of one."""
    from vision.checks import refuse
    from vision.errors import ImageNotFoundError
    from vision.sources import is_url

    if len(given) == 1:
        return given[0]
    for path in given:
        if is_url(path):
            continue
        if not Path(path).exists():
            raise ImageNotFoundError("there is no such file", path)
        if not Path(path).is_file():
            refuse("source", path, "one folder, or files", "vision run")
    return given


def _closing(summary):
    from vision.progress import in_words

    files = f"{summary.done} file{'' if summary.done == 1 else 's'} done"
    unchanged = f", {summary.unchanged} unchanged" if summary.unchanged else ""
    said = [
        f"{files}{unchanged} in {in_words(summary.seconds)}: {summary.results_csv or summary.out}"
    ]
    if summary.failed:
        where = f": {summary.errors_csv}" if summary.errors_csv else ""
        said.append(f"{summary.failed} failed{where}")
    if summary.report:
        said.append(f"report: {summary.report}")
    return "\n".join([*said, *summary.notes])


def trace_command(options):
    """`vision trace`: the contact sheet of one picture's stages."""
    from vision.io import write

    check_one_picture(options, "vision trace")
    pipeline = ready(options.pipeline)
    write(options.out, pipeline.trace(read_one(pipeline, options)).sheet(options.width))
    say(options.out)
    return GOOD


def check_one_picture(options, command):
    """Refuse a folder for the picture, and what can be no file for what is made of it."""
    from vision.checks import check_choice, refuse
    from vision.entry import MODES
    from vision.errors import OutputExistsError

    if options.mode is not None:
        check_choice("mode", options.mode, MODES, owner=command)
    out = Path(options.out)
    if Path(options.photo).is_dir():
        hint = "A folder of them is what 'vision run' takes."
        refuse("photo", options.photo, "one picture", command, hint)
    if out.is_dir() or not out.parent.is_dir():
        refuse("out", options.out, "a file, in a folder that is there", command)
    if not options.overwrite and out.exists():
        raise OutputExistsError(f"{options.out!r} exists. --overwrite replaces it.")


def read_one(pipeline, options):
    """The picture of a command, read as a run reads it."""
    from vision.entry import check_channels, entry_of, usual_mode
    from vision.io import probe, read

    kinds = pipeline.plan().kinds
    mode = options.mode or usual_mode(kinds)
    entry_of(kinds, mode)
    if options.mode is None and mode == "unchanged":
        check_channels(kinds, probe(options.photo).channels, options.photo)
    return read(options.photo, mode=mode)


def steps_command(options):
    """`vision steps`: the catalogue, or one step of it."""
    from vision.cli_steps import describe_step, list_steps

    say(describe_step(options.name) if options.name else list_steps())
    return GOOD


def check_command(options):
    """`vision check`: the canonical text of a pipeline, and what flows through it."""
    from vision.text import describe

    pipeline = _load(options.pipeline)
    _make_ready(pipeline)
    say("\n".join([describe(pipeline)[0], *_flow(pipeline)]))
    for note in _notes(pipeline, options.pipeline):
        say(f"\n{note}")
    return GOOD


def _make_ready(pipeline):
    """Check the parameters of all steps, as far as nothing is still to be learned."""
    from vision.composition import Composable
    from vision.fitted import learners
    from vision.flow import is_stateless

    if all(fitted for _, fitted in learners(pipeline)):
        pipeline.make_ready()
        return
    for _, step in pipeline.steps:
        if isinstance(step, Composable) and is_stateless(step):
            step.make_ready()


def _flow(pipeline):
    """Each step with what it gives, the steps within branches indented below their names."""
    from vision.flow import chain_kinds

    steps = [step for _, step in pipeline.steps]
    kinds = list(chain_kinds(steps))
    lines = [("takes", " or ".join(kind.described for kind in kinds)), *_gives(steps, kinds[0], "")]
    width = max(len(left) for left, _ in lines)
    return [f"{left:<{width}}  {right}".rstrip() for left, right in lines]


def _gives(steps, kind, indent):
    from vision.branches import NamedBranches, steps_of
    from vision.flow import final_kind, gives_of

    for index, step in enumerate(steps):
        before = kind
        kind = (final_kind if index == len(steps) - 1 else gives_of)(step, before)
        yield indent + _written(step), f"-> {kind.described}"
        if isinstance(step, NamedBranches):
            for name, part in dict(step.branches).items():
                fixed = not hasattr(part, "get_params")
                yield f"{indent}  {name}:", "   a fixed mask" if fixed else ""
                yield from () if fixed else _gives(steps_of(part), before, f"{indent}    ")


def _written(step):
    from vision.trace import written

    return step if isinstance(step, str) else written(step, LONGEST)


def _notes(pipeline, path):
    from vision.errors import KindError
    from vision.fitted import learners
    from vision.flow import chain_kinds
    from vision.records import check_outputs

    steps = [step for _, step in pipeline.steps]
    learning = learners(pipeline)
    done = [step for step, fitted in learning if fitted]
    unfitted = _names(step for step, fitted in learning if not fitted)
    if done:
        yield f"{_names(done)} fitted{_classes(done)}."
    if unfitted:
        yield f"{unfitted} not fitted yet. {_how_to_fit(path)}."
    if Path(path).suffix.lower() == ".vision":
        yield _saved_by(path)
    for kind in list(chain_kinds(steps).values())[:1]:
        try:
            check_outputs(kind, overlay=False, format=None)
        except KindError as error:
            yield str(error)


def _classes(steps):
    """The classes that classifiers learned, in words."""
    said = []
    for step in steps:
        classes = getattr(step, "classes_", None)
        if getattr(classes, "ndim", 0) == 1:
            shown = [repr(label) for label in classes[:SHOWN_CLASSES].tolist()]
            more = len(classes) - len(shown)
            said.append(_listed([*shown, f"{more} more"] if more else shown))
    return "".join(f", for the classes {words}" for words in dict.fromkeys(said))


def _saved_by(path):
    """What a ``.vision`` file was saved by, and where another version runs."""
    from vision.archive import running, saved_by
    from vision.versions import version_of

    now, words = running(), []
    for name, version in saved_by(path).items():
        here = now.get(name) or version_of(name) or "not installed"
        differs = f" (here {here})" if here != version else ""
        words.append(f"{name} {version}{differs}")
    return f"Saved by {_listed(words)}."


def demo_command(options):
    """`vision demo`: the page."""
    from vision.demo import run_demo
    from vision.run_folder import check_folder

    check_folder(options.out, "vision demo")
    page = run_demo(options.out)
    say(f"Open {page} in a browser.")
    return GOOD


def refusals():
    """The errors that are said in one sentence, without a traceback."""
    from vision.errors import VisionError

    # Whatever is not fitted was loaded with scikit-learn: importing it to refuse costs a second.
    loaded = sys.modules.get("sklearn.exceptions")
    return (VisionError, OSError, *([loaded.NotFittedError] if loaded else []))


def status_of(error):
    """2 if the user can put it right by another command, 1 for what is wrong with files or disk."""
    from vision.errors import ImageError, ParameterError

    if isinstance(error, ParameterError | FileNotFoundError):
        return USAGE
    return FAILED if isinstance(error, ImageError | OSError) else USAGE


def say(text):
    """Print to standard output, what its encoding lacks (odd file names) as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def fail(message, status):
    """Say what is wrong on standard error; gives the status."""
    if type(message).__module__ == "builtins" and getattr(message, "filename", None):
        message = f"{message.filename!r}: {message.strerror}"
    with contextlib.suppress(BrokenPipeError):
        print(f"vision: {' '.join(str(message).split())}", file=sys.stderr)
    return status
