"""What the commands do, and how they say it; each gives its exit status."""

import contextlib
import sys
from pathlib import Path

GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
LONGEST = 72  # characters of a step in `vision check`


def run_command(options):
    """`vision run`: 0 all well, 1 some files failed."""
    from vision.archive import load
    from vision.runner import run

    try:
        summary = _run(load(options.pipeline), options, run)
    except (KeyboardInterrupt, SystemExit) as end:
        if not hasattr(end, "summary"):
            raise
        if not options.quiet:
            say(f"Stopped. {_closing(end.summary)}")
        return end.code
    if not options.quiet:
        say(_closing(summary))
    return FAILED if summary.failed else GOOD


def _run(pipeline, options, run):
    return run(
        pipeline,
        _source(options.source),
        options.out,
        overlay=options.overlay,
        format=options.format,
        quality=options.quality,
        mode=options.mode,
        restart=options.restart,
        retry_failed=options.retry_failed,
        verify=options.verify,
        durable=options.durable,
        threads=options.threads,
        max_pixels=options.max_pixels,
        progress=not options.quiet,
    )


def _source(given):
    """One folder, archive or pattern; or the files that the shell made of a pattern."""
    from vision.checks import refuse

    if len(given) == 1:
        return given[0]
    for path in given:
        if not Path(path).is_file():
            refuse("source", path, "one folder, or files", "vision run")
    return given


def _closing(summary):
    from vision.progress import in_words

    files = f"{summary.done} file{'' if summary.done == 1 else 's'} done"
    unchanged = f", {summary.unchanged} unchanged" if summary.unchanged else ""
    said = [f"{files}{unchanged} in {in_words(summary.seconds)}: {summary.results_csv}"]
    if summary.failed:
        said.append(f"{summary.failed} failed: {summary.errors_csv}")
    return "\n".join([*said, *summary.notes])


def trace_command(options):
    """`vision trace`: the contact sheet of one picture's stages."""
    from vision.archive import load
    from vision.composition import chain
    from vision.errors import OutputExistsError
    from vision.io import read, write
    from vision.runner import entry_of

    if not options.overwrite and Path(options.out).exists():
        raise OutputExistsError(f"{options.out!r} exists. --overwrite replaces it.")
    pipeline = chain(load(options.pipeline))
    _, mode = entry_of(pipeline.plan())
    sheet = pipeline.trace(read(options.photo, mode=mode)).sheet(options.width)
    write(options.out, sheet)
    say(options.out)
    return GOOD


def steps_command(options):
    """`vision steps`: the catalogue, or one step of it."""
    from vision.cli_steps import describe_step, list_steps

    say(describe_step(options.name) if options.name else list_steps())
    return GOOD


def check_command(options):
    """`vision check`: the canonical text of a pipeline, and what flows through it."""
    from vision.archive import load
    from vision.composition import chain
    from vision.text import describe

    pipeline = chain(load(options.pipeline))
    _make_ready(pipeline)
    say("\n".join([describe(pipeline)[0], *_flow(pipeline)]))
    for note in _notes(pipeline):
        say(f"\n{note}")
    return GOOD


def _make_ready(pipeline):
    """Check the parameters of all steps that need no fit."""
    from vision.composition import Composable
    from vision.flow import is_stateless

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
    from vision.flow import name_of

    text = " ".join(repr(step).split())
    return text if len(text) <= LONGEST else f"{name_of(step)}(...)"


def _notes(pipeline):
    from vision.errors import KindError
    from vision.flow import chain_kinds, is_stateless, name_of
    from vision.records import check_outputs

    steps = [step for _, step in pipeline.steps]
    learning = [name_of(step) for step in steps if not is_stateless(step)]
    if learning:
        yield f"{', '.join(learning)} must be fitted before it runs, in Python: fit(images, truth)."
    for kind in list(chain_kinds(steps).values())[:1]:
        try:
            check_outputs(kind, overlay=False, format=None)
        except KindError as error:
            yield str(error)


def demo_command(options):
    """`vision demo`: the page."""
    from vision.demo import run_demo

    page = run_demo(options.out)
    say(f"Open {page} in a browser.")
    return GOOD


def refusals():
    """The errors that are said in one sentence, without a traceback."""
    from vision.errors import VisionError

    # Whatever is not fitted was loaded with scikit-learn: importing it to refuse costs a second.
    loaded = sys.modules.get("sklearn.exceptions")
    return (VisionError, FileNotFoundError, *([loaded.NotFittedError] if loaded else []))


def status_of(error):
    """2 if the user can put it right by another command, 1 for what is wrong with files or disk."""
    from vision.errors import ImageError, ImageNotFoundError, WriteError

    broken = isinstance(error, ImageError | WriteError)
    return FAILED if broken and not isinstance(error, ImageNotFoundError) else USAGE


def say(text):
    """Print to standard output, what its encoding lacks (odd file names) as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def fail(message, status):
    """Say what is wrong on standard error; gives the status."""
    with contextlib.suppress(BrokenPipeError):
        print(f"vision: {' '.join(str(message).split())}", file=sys.stderr)
    return status
