"""Which explanation of a network is true? Every method on real photographs, beside two baselines.

    VISION_DATA=... python -m benchmarks.faithfulness                 # MobileNet
    VISION_DATA=... python -m benchmarks.faithfulness mobilenet_v2 gradcam layercam

Official ImageNet weights and six photographs with boxes marked by hand. "pointing" asks whether
the map's peak is on the object; "in pairs" asks it of pictures in which two photographs lie side
by side at half their size, once for the class of each, so that the middle is never right and a map
must tell classes apart. Deletion (lower is better), insertion, average drop (lower) and increase
are RISE's and Grad-CAM++'s, see `vision.faithfulness`. Nothing is tuned on these pictures. Exit
status 1 unless Grad-CAM beats both baselines at insertion and in pairs. Takes some minutes.
"""

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import deep
import vision
from benchmarks.machine import describe_machine
from vision.explanation import explain
from vision.explanation_table import BASELINES, baseline_map, faithfulness_rows
from vision.map_checks import pointing_game
from vision.opencv import cv2

FILES = {
    "mobilenet": "mobilenet_100_224.weights.h5",
    "mobilenet_v2": "mobilenetv2_100_224.weights.h5",
}
METHODS = (
    "cam",
    "gradcam",
    "gradcam++",
    "layercam",
    "scorecam",
    "eigencam",
    "guided",
    "integrated",
    "smoothgrad",
    "occlusion",
)
# Boxes xyxy on the middle squares of 224 pixels, marked by hand; several around odd shapes.
BOXES = {
    "cat.jpg": [(58, 12, 184, 150), (0, 115, 190, 224)],
    "bird.jpg": [(0, 48, 125, 185), (125, 100, 224, 142)],
    "parrot.jpg": [(54, 0, 206, 160), (50, 140, 130, 224)],
    "dragonfly.jpg": [(50, 55, 150, 150), (130, 30, 224, 90)],
    "hot_dog.jpg": [(2, 38, 224, 138)],
    "coffee": [(30, 0, 186, 165)],
}
TOLERANCE = 15  # pixels, the pointing game's own; half a place of the networks' maps
COLUMNS = "deletion", "insertion", "average_drop", "increase", "pointing"


def squares(folder):
    """The photographs by name, 224x224."""
    with zipfile.ZipFile(Path(folder, "photos_labelled", "photos.zip")) as archive:
        pictures = {name: vision.decode(archive.read(name)) for name in BOXES if name != "coffee"}
    pictures["coffee"] = data.coffee()
    return {name: _middle(picture) for name, picture in pictures.items()}


def _middle(image):
    """The short side to 256 pixels, then the middle 224, as the networks were tested."""
    height, width = image.shape[:2]
    scale = 256 / min(height, width)
    size = round(width * scale), round(height * scale)
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    top, left = (size[1] - 224) // 2, (size[0] - 224) // 2
    return small[top : top + 224, left : left + 224].copy()


def pairs(pictures, classes):
    """Two pictures side by side; for each of the two its class and its boxes."""
    names = list(pictures)
    half = {
        name: cv2.resize(pictures[name], (112, 112), interpolation=cv2.INTER_AREA) for name in names
    }
    for one, other in zip(names, names[1:] + names[:1]):
        picture = np.full((224, 224, 3), 128, np.uint8)
        picture[56:168, :112], picture[56:168, 112:] = half[one], half[other]
        for name, left in ((one, 0), (other, 112)):
            boxes = np.array(BOXES[name]) / 2 + (left, 56, left, 56)
            yield picture, classes[name], boxes


def pointed(network, method, cases):
    """The share of the cases in which the peak is on the object asked for."""
    maps = [
        baseline_map(method, picture.shape[:2], target=target, random_state=number)
        if method in BASELINES
        else explain(network, picture, target, method)
        for number, (picture, target, _) in enumerate(cases)
    ]
    return float(pointing_game(maps, [boxes for *_, boxes in cases], tolerance=TOLERANCE).mean())


def main(architecture="mobilenet", *methods):
    """Print the table; 1 if Grad-CAM does not beat the baselines."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        print("VISION_DATA names no folder with weights_imagenet and photos_labelled")
        return 1
    print(describe_machine())
    weights = str(Path(folder, "weights_imagenet", FILES[architecture]))
    model = deep.build(architecture, (224, 224, 3), weights=weights, pixels=True)
    network = deep.CNNClassifier.from_model(model, np.arange(1000))
    pictures = squares(folder)
    classes = dict(zip(pictures, network.predict(list(pictures.values())).tolist()))
    cases = list(pairs(pictures, classes))
    print(f"{architecture}, {len(pictures)} photographs, {len(cases)} cases in pairs")
    print(f"{'method':<12}" + "".join(f"{name:>14}" for name in (*COLUMNS, "in pairs")))
    rows = {}
    boxes = [BOXES[name] for name in pictures]
    for row in faithfulness_rows(network, pictures.values(), methods or METHODS, boxes):
        row["in pairs"] = pointed(network, row["method"], cases)
        rows[row["method"]] = row
        cells = "".join(f"{row[name]:>14.3f}" for name in (*COLUMNS, "in pairs"))
        print(f"{row['method']:<12}{cells}", flush=True)
    ours = rows.get("gradcam")
    beaten = ours is None or all(
        ours[name] > rows[baseline][name]
        for name in ("insertion", "in pairs")
        for baseline in BASELINES
    )
    return int(not beaten)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
