"""Networks on real pictures: MNIST, CIFAR-10, and what trained weights are worth on a small set.

    VISION_DATA=/path/to/data python -m benchmarks.classification mnist
    VISION_DATA=/path/to/data python -m benchmarks.classification cifar
    VISION_DATA=/path/to/data python -m benchmarks.classification transfer
    VISION_DATA=/path/to/data python -m benchmarks.classification transfer 10 30  # so many a class
    ... --csv table.csv                                           # keeps the rows as well

The split is that of `benchmarks.hog_svm`: of the pictures there, in file order, the last sixth is
the test, 10,000 of MNIST's training set and 3,334 of 20,000 pictures of CIFAR-10's. It is not the
official test set. Choices were made on the rest; each recipe is scored once on the test. The
interval is Wilson's of 95%. ``transfer`` learns from 10, 30, 100 and 300 pictures of each of the
ten classes of CIFAR-10's, enlarged to 96x96: MobileNet with ImageNet's weights, its body frozen,
beside the same network from random weights. Exit status 1 if MNIST has less than 0.993 (or the
lower end of its interval less than 0.991), or CIFAR-10 less than 0.78.
"""

import csv
import os
import sys
import time
from pathlib import Path

import keras
import numpy as np

from benchmarks.hog_svm import load_set
from benchmarks.machine import describe_machine
from classical import Resize
from deep import CNNClassifier, RandomCrop, RandomFlip, RandomRotation, RandomZoom

PUBLISHED = {
    "mnist": "LeCun et al. 1998, all of the official test set: LeNet-5 0.9905; CNNs today 0.997",
    "cifar": "He et al. 2015, 50,000 pictures, official test set: ResNet-20 0.9125",
}
LEAST = {"mnist": (0.993, 0.991), "cifar": (0.78, 0.0)}
WEIGHTS = Path("weights_imagenet", "mobilenet_100_224.weights.h5")
EACH = (10, 30, 100, 300)
STEPS = 600  # of training from scratch, at least: normalisation has to settle


def digits_network():
    """Six convolutions, batch normalisation and dropout, for 28x28 pixels."""
    layers = keras.layers
    keras.utils.set_random_seed(0)
    network = [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255)]
    for filters, stride in ((32, 1), (32, 2), (64, 1), (64, 2), (128, 1)):
        network.append(layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False))
        network.append(layers.BatchNormalization(momentum=0.9))
        network.append(layers.ReLU())
    network += [layers.GlobalAveragePooling2D(), layers.Dropout(0.3)]
    return keras.Sequential([*network, layers.Dense(10, activation="softmax")])


def mnist_recipe():
    """The digits' network, every picture slightly turned, zoomed and shifted."""
    return CNNClassifier(
        digits_network(),
        epochs=8,
        batch_size=128,
        learning_rate=0.004,
        schedule="warmup_cosine",
        augmentation=RandomRotation(10, "constant")
        >> RandomZoom(0.1, fill="constant")
        >> RandomCrop(padding=2),
    )


def objects_network(filters=48):
    """Eight convolutions and two shortcuts, for 32x32 pixels.

    Few wide layers on small maps: a processor runs them faster than ResNet-20's many narrow ones.
    """
    layers = keras.layers

    def convolved(x, filters, stride=1):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    def residual(x):
        return layers.Add()([x, convolved(convolved(x, x.shape[-1]), x.shape[-1])])

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = convolved(layers.Rescaling(1 / 64, offset=-2)(inputs), filters // 2)
    x = convolved(x, filters, 2)
    x = residual(convolved(x, 2 * filters, 2))
    x = residual(convolved(x, 4 * filters, 2))
    x = layers.Dropout(0.2)(layers.GlobalMaxPooling2D()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def cifar_recipe():
    """That network: crops of padded pictures, flips, momentum, L2, smoothed labels."""
    return CNNClassifier(
        objects_network(),
        epochs=50,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.05,
        schedule="warmup_cosine",
        l2=5e-4,
        label_smoothing=0.1,
        augmentation=RandomFlip() >> RandomCrop(padding=4),
    )


def wilson(share, count):
    """The interval of 95% of a share of `count` (E. B. Wilson, JASA 22, 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / count / 2) ** 2)
    return middle - half, middle + half


def scored(name, network, learned, tested):
    """Fit, score once, print; the row of the table."""
    start = time.perf_counter()
    network.fit(*learned)
    fitted = time.perf_counter()
    share = network.score(*tested)
    low, high = wilson(share, len(tested[0]))
    row = {
        "recipe": name,
        "learned from": len(learned[0]),
        "tested on": len(tested[0]),
        "accuracy": round(share, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "fit s": round(fitted - start),
        "ms a picture": round(1000 * (time.perf_counter() - fitted) / len(tested[0]), 2),
    }
    print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    return row


def one_set(folder, name):
    """The row of MNIST or CIFAR-10, and whether it is good enough."""
    images, labels = load_set(folder, name)
    images, rest = np.stack(images), len(images) * 5 // 6
    recipe = {"mnist": mnist_recipe, "cifar": cifar_recipe}[name]()
    learned, tested = (images[:rest], labels[:rest]), (images[rest:], labels[rest:])
    row = scored(name, recipe, learned, tested)
    print(f"  published: {PUBLISHED[name]}")
    return [row], row["accuracy"] >= LEAST[name][0] and row["low"] >= LEAST[name][1]


def transfer(folder, numbers=EACH):
    """Rows of trained and random weights, by the number of pictures a class."""
    images, labels = load_set(folder, "cifar")
    rest = len(images) * 5 // 6
    enlarge = Resize(96)
    tested = enlarge.transform(np.stack(images[rest::5])), labels[rest::5]
    rows = []
    for each in numbers:
        chosen = np.concatenate([np.flatnonzero(labels[:rest] == c)[:each] for c in range(10)])
        learned = enlarge.transform(np.stack([images[place] for place in chosen])), labels[chosen]
        for weights in (str(Path(folder, WEIGHTS)), None):
            network = CNNClassifier(
                "mobilenet",
                epochs=30 if weights else max(15, STEPS * 32 // len(chosen)),
                batch_size=32,
                weights=weights,
                transfer="small_similar" if weights else None,
                verbose=False,
            )
            name = f"{each} a class, {'ImageNet weights' if weights else 'from scratch'}"
            rows.append(scored(name, network, learned, tested))
    better = all(rows[at]["accuracy"] > rows[at + 1]["accuracy"] for at in range(0, len(rows), 2))
    return rows, better


def main(arguments):
    """Print the tables; 1 if a score is below its limit."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit("VISION_DATA must name the folder with the pictures.")
    print(describe_machine())
    rows, good = [], True
    numbers = [int(one) for one in arguments if one.isdigit()] or EACH
    for name in ("mnist", "cifar", "transfer"):
        if name in arguments or not {"mnist", "cifar", "transfer"} & set(arguments):
            found, fine = transfer(folder, numbers) if name == "transfer" else one_set(folder, name)
            rows += found
            good &= fine
    if "--csv" in arguments:
        path = Path(arguments[arguments.index("--csv") + 1])
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
