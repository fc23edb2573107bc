"""Make the picture of docs/explanations.md: ``VISION_DATA=... python docs/make_explanations.py``.

Shipped photographs and a MobileNet with ImageNet's weights are written to a folder; one ``vision
run --explain`` draws the heat over each photograph; the contact sheet shows what it wrote.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from skimage import data
from sklearn.datasets import load_sample_images

import deep
import vision
from classical import Resize
from vision.drawing import contact_sheet

WEIGHTS = Path("weights_imagenet", "mobilenet_100_224.weights.h5")
SHEET = Path(__file__).parent / "explanations.jpg"
COMMAND = "vision run mobilenet.vision photos --out why --explain gradcam"
# Of ImageNet's classes those that these photographs are given.
NAMES = {
    285: "Egyptian cat",
    422: "barbell",
    517: "crane",
    599: "honeycomb",
    967: "espresso",
    975: "lakeside",
}


def write_photographs(folder):
    """Six photographs that scikit-image and scikit-learn bring."""
    china, flower = load_sample_images().images
    pictures = {"chelsea": data.chelsea(), "coffee": data.coffee(), "rocket": data.rocket()}
    pictures |= {"astronaut": data.astronaut(), "china": china, "flower": flower}
    folder.mkdir()
    for name, picture in pictures.items():
        vision.write(folder / f"{name}.png", picture)


def write_network(path):
    """MobileNet as a classifier of pictures of any size, saved."""
    weights = str(Path(os.environ["VISION_DATA"], WEIGHTS))
    model = deep.build("mobilenet", (224, 224, 3), weights=weights, pixels=True)
    names = np.array([NAMES.get(place, f"class {place}") for place in range(1000)])
    network = deep.CNNClassifier.from_model(model, names)
    vision.save(Resize(width=224, height=224) >> network, path)


def sheet(folder):
    """The overlays of the run, each under what the network said."""
    with (folder / "results.csv").open(newline="") as stream:
        said = {Path(row["source"]).stem: row["target"] for row in csv.DictReader(stream)}
    pairs = [
        (f"{path.stem}: {said[path.stem]}", vision.read(path))
        for path in sorted((folder / "overlays").iterdir())
    ]
    return contact_sheet(pairs, width=1200)


def main():
    """Write the sheet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_photographs(folder / "photos")
        write_network(folder / "mobilenet.vision")
        subprocess.run(COMMAND.split(), cwd=folder, check=True)
        SHEET.write_bytes(vision.encode(sheet(folder / "why"), "jpg", quality=80))


if __name__ == "__main__":
    sys.exit(main())
