"""`vision explain`: which parts of a picture made a classifier say so."""

from vision.cli_commands import AUTOMATIC, GOOD, check_one_picture, read_one, ready, say

VISIBLE = 256  # pixels: a picture is enlarged as often as it fits in there


def add_explain(adding):
    """The parser of `vision explain`."""
    parser = adding.add_parser(
        "explain",
        help="show which parts of a picture made a classifier say so",
        description="Draw, over a picture, which parts of it made a classifier say so.\nA picture "
        "of up to 128 pixels is enlarged by a whole number, up to 256.",
        epilog="examples:\n"
        "  vision explain model.vision photo.jpg --out why.png\n"
        "  vision explain model.vision photo.jpg --out why.png --target cat\n\n"
        "a whole folder:\n"
        "  vision run model.vision photos/ --out why/ --explain auto",
    )
    parser.set_defaults(action=explain_command)
    parser.add_argument("pipeline", help="a fitted classifier: a .vision file")
    parser.add_argument("photo", help="one picture")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the picture to write, such as why.png"
    )
    parser.add_argument(
        "--method",
        metavar="NAME",
        help="gradcam, occlusion, hog, ... (auto: what fits the classifier)",
    )
    parser.add_argument(
        "--target", metavar="CLASS", help="the class to explain (the one that it names)"
    )
    parser.add_argument(
        "--mode", metavar="MODE", help="read the picture as rgb (the usual), gray or unchanged"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there")


def explain_command(options):
    """`vision explain`: the heat map over the picture."""
    if options.method not in (None, AUTOMATIC):
        from vision.catalogue import check_method

        check_method(options.method)
    check_one_picture(options, "vision explain")
    pipeline = ready(options.pipeline)
    image = read_one(pipeline, options)
    heat = _explained(pipeline, image, options)
    _write(options.out, heat, image)
    about = "" if heat.target is None else f"{heat.target!r} "
    say(f"{options.out}: {about}by {heat.method}")
    return GOOD


def _explained(pipeline, image, options):
    from vision.explanation import explain

    return explain(pipeline, image, _target(pipeline, options.target), options.method)


def _write(path, heat, image):
    from vision.drawing import to_display
    from vision.io import write

    drawn = heat.draw(to_display(image))
    times = max(1, VISIBLE // max(drawn.shape[:2]))
    write(path, drawn.repeat(times, axis=0).repeat(times, axis=1))


def _target(pipeline, text):
    """The class that is written so: a text, or a number."""
    import numpy as np

    from vision.target_scores import flat_steps

    classes = np.asarray(getattr(flat_steps(pipeline)[-1], "classes_", ())).tolist()
    return next((label for label in classes if str(label) == text), text)
