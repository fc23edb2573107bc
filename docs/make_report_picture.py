"""Make the picture of a report: ``python docs/make_report_picture.py demo/digits.html``.

What a reader sees first of the report, in Chromium without a window, as ``docs/report.png``. After
``vision demo`` that is the picture in the README.
"""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 1200, 736  # pixels, down to the end of the table of three candidates


def main(argv=None):
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", help="a report of vision compare")
    parser.add_argument("--out", default=FOLDER / "report.png")
    parser.add_argument("--height", type=int, default=HEIGHT)
    options = parser.parse_args(argv)
    sys.path.insert(0, str(FOLDER.parent))
    from tests.browser import screenshot

    screenshot(options.report, options.out, width=WIDTH, height=options.height)
    print(options.out)


if __name__ == "__main__":
    main()
