"""`interact`: a pipeline's parameters turned by sliders, its result beside them."""

import importlib.util

import numpy as np
from sklearn.base import clone

from vision.checks import check_integer, refuse
from vision.composition import chain
from vision.drawing import thumbnail
from vision.io import encode
from vision.showing import QUALITY, Sheet, encoded, show

TILES = 4  # values of each parameter on the sheet, at most


class Interaction:
    """What `interact` gives: `sliders`, and the same on a `sheet` where there are none.

    Parameters
    ----------
    pipeline : Pipeline
    image : ndarray
    choices : dict of str to list
    width : int
    """

    def __init__(self, pipeline, image, choices, width):
        self.pipeline = pipeline
        self.image = image
        self.choices = choices
        self.width = width

    def __repr__(self):
        return f"Interaction: {', '.join(self.choices)}"

    def picture(self, **values):
        """The last stage of the image with these parameters.

        Returns
        -------
        (H, W, 3) ndarray of uint8
        """
        return self.pipeline_with(values).trace(self.image)[-1].picture

    def pipeline_with(self, values):
        """A copy of the pipeline with these parameters."""
        return clone(self.pipeline).set_params(**values)

    def sheet(self):
        """A row for each parameter: what its values make, all others being left as they are.

        Returns
        -------
        vision.showing.Sheet
        """
        rows = []
        for name, values in self.choices.items():
            pictures = {f"{name} = {v}": self.picture(**{name: v}) for v in _spread(values)}
            rows.append(show(pictures, columns=TILES, width=self.width))
        titles = [title for row in rows for title in row.titles]
        return Sheet(titles, np.vstack([row.picture for row in rows]))

    def sliders(self):
        """A slider for each parameter above the picture, as a widget of ipywidgets.

        Returns
        -------
        ipywidgets.VBox
        """
        from ipywidgets import HTML, Image, SelectionSlider, VBox

        now = self.pipeline.get_params()
        sliders = {
            name: SelectionSlider(
                options=[(str(value), value) for value in values],
                value=now[name] if now[name] in values else values[0],
                description=name,
                continuous_update=False,
                style={"description_width": "initial"},
                layout={"width": "480px"},
            )
            for name, values in self.choices.items()
        }
        shown, said = Image(format="jpeg", width=min(self.width, 640)), HTML()
        _follow(self, sliders, shown, said)
        return VBox([*sliders.values(), shown, said])

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": repr(self)} | encoded(self.sheet().picture)
        if importlib.util.find_spec("ipywidgets"):
            # What is stored keeps the sheet; a running notebook prefers the widget.
            view = "application/vnd.jupyter.widget-view+json"
            bundle[view] = self.sliders()._repr_mimebundle_()[view]
        return bundle


def _spread(values):
    places = np.linspace(0, len(values) - 1, min(TILES, len(values))).round().astype(int)
    return [values[place] for place in places]


def _follow(interaction, sliders, shown, said):
    """Make the picture anew whenever a slider is moved; what is refused is said instead."""

    def update(change=None):
        values = {name: slider.value for name, slider in sliders.items()}
        try:
            picture = interaction.picture(**values)
        except ValueError as error:  # two values that do not go together
            said.value = str(error)
            return
        said.value = ""
        shown.value = encode(thumbnail(picture, interaction.width), "jpg", quality=QUALITY)

    for slider in sliders.values():
        slider.observe(update, "value")
    update()


def interact(pipeline, image, choices, *, width=1000):
    """A pipeline's parameters turned by sliders, in a notebook.

    Without ipywidgets (the extra ``notebooks`` brings it), and wherever the notebook is only read,
    a sheet takes their place: a row for each parameter, with the pictures that its values make.

    Parameters
    ----------
    pipeline : Pipeline or Step
        One that needs no fitting; never modified.
    image : ndarray
        What it takes.
    choices : dict of str to sequence
        The values to choose from, by the parameters' names as ``set_params`` knows them.
    width : int, default=1000
        Of the sheet, in pixels.

    Returns
    -------
    Interaction
        With ``sliders()``, ``sheet()`` and ``picture(**values)``.

    Raises
    ------
    ParameterError
        If the pipeline has no such parameter, or `choices` holds no values for one.

    Examples
    --------
    >>> import numpy as np
    >>> from classical import Canny, Gray
    >>> image = np.zeros((40, 60, 3), np.uint8)
    >>> interact(Gray() >> Canny(), image, {"canny__low": [50, 100, 150]})
    Interaction: canny__low
    """
    check_integer("width", width, owner="interact", at_least=100)
    pipeline = chain(pipeline)
    if not isinstance(choices, dict) or not choices:
        refuse("choices", choices, "a dictionary of parameters to values", "interact")
    choices = {name: list(values) for name, values in choices.items()}
    known = pipeline.get_params()
    for name, values in choices.items():
        if name not in known:
            own = [key for key in known if "__" in key]
            refuse("choices", name, f"parameters among {', '.join(own)}", "interact")
        if not values:
            refuse("choices", choices, f"at least one value for {name}", "interact")
    return Interaction(pipeline, image, choices, width)
