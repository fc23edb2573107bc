"""Augmentation against Keras' layers for the same recipe, and what masks and boxes cost on top.

    python -m benchmarks.augmentation

Six operations (flip, rotation, zoom, translation, brightness, contrast) on 32 photographs of
224x224 pixels. Keras' layers get them as one batch, in a traced function, which is their fastest
form; ours go one by one, as in training. Both sides run in turn in one process, once on one thread
and once with the threads that each takes by itself; figures are medians over rounds. Exit status 1
if one thread of ours is less than FASTER times as fast as one of Keras, or an image with its mask
and boxes takes more than TRUTHS times as long as the image alone.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from skimage import data

from benchmarks.machine import describe_machine

FASTER, TRUTHS = 8, 1.3  # times
SIDE, COUNT, BOXES = 224, 32, 8
ROUNDS = 7


def photographs():
    """Parts of a shipped photograph, one batch."""
    rng, source = np.random.default_rng(0), data.coffee()
    parts = []
    for _ in range(COUNT):
        top, left = rng.integers(0, 400 - SIDE), rng.integers(0, 600 - SIDE)
        parts.append(source[top : top + SIDE, left : left + SIDE])
    return np.stack(parts)


def recipe():
    """The six operations, ours."""
    import deep

    geometry = deep.RandomFlip() >> deep.RandomRotation(36) >> deep.RandomZoom(0.2)
    colour = deep.RandomBrightness(0.2) >> deep.RandomContrast(0.2)
    return geometry >> deep.RandomTranslation(0.1) >> colour


def keras_layers():
    """The same by Keras, traced."""
    import keras
    import tensorflow as tf

    layers = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.1),  # of a whole turn
            keras.layers.RandomZoom(0.2),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.RandomBrightness(0.2),
            keras.layers.RandomContrast(0.2),
        ]
    )
    return tf.function(lambda images: layers(images, training=True))


def timed(function):
    """Seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def medians(*functions):
    """Median seconds of each of some functions, which take turns."""
    for function in functions:
        function()
    rounds = [[timed(function) for function in functions] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def speeds(threads):
    """Images a second: ours and Keras'. Zero threads: as many as each takes."""
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        cv2.setNumThreads(threads)
    from deep.augmentation import Fused

    images, targets = photographs(), np.eye(COUNT, dtype=np.float32)
    fused, layers, floats = Fused(recipe()), keras_layers(), tf.constant(photographs(), tf.float32)
    workers = threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers) as pool:

        def ours():
            batches = [(images, targets, (0, number)) for number in range(workers)]
            list(pool.map(lambda batch: fused.batch(*batch), batches))

        seconds = medians(ours, lambda: layers(floats).numpy())
    return COUNT * workers / seconds[0], COUNT / seconds[1]


def cost_of_truths():
    """Seconds of an image with its mask and boxes over those of the image alone."""
    import deep
    from vision import Detections

    cv2.setNumThreads(1)
    rng, augmentation = np.random.default_rng(1), recipe()
    lows = rng.uniform(0, SIDE / 2, (BOXES, 2))
    boxes = Detections(np.hstack([lows, lows + SIDE / 3]), shape=(SIDE, SIDE))
    truths = [np.where(image[..., 0] > 90, 255, 0).astype(np.uint8) for image in photographs()]
    images = photographs()

    def alone():
        for seed, image in enumerate(images):
            deep.augment(augmentation, image, seed=seed)

    def with_truths():
        for seed, (image, mask) in enumerate(zip(images, truths, strict=True)):
            deep.augment(augmentation, image, mask, boxes, seed=seed)

    for function in (alone, with_truths):
        function()
    ratios = [timed(with_truths) / timed(alone) for _ in range(3 * ROUNDS)]
    return statistics.median(ratios)


def child(threads):
    """Print one process's figures."""
    found = {"speeds": speeds(int(threads))}
    if threads == "1":
        found["truths"] = cost_of_truths()
    print(json.dumps(found))


def measured(threads):
    """The figures of a process of its own: TensorFlow's threads are chosen once."""
    command = [sys.executable, "-m", "benchmarks.augmentation", "--child", str(threads)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def main():
    """Print the table; 1 if a limit is missed."""
    print(describe_machine())
    print(f"{'images a second':<28}{'ours':>10}{'Keras':>10}{'times':>8}")
    one, usual = measured(1), measured(0)
    for title, found in (("one thread", one), ("threads as each takes them", usual)):
        ours, theirs = found["speeds"]
        print(f"{title:<28}{ours:10.0f}{theirs:10.0f}{ours / theirs:8.1f}")
    faster = one["speeds"][0] / one["speeds"][1]
    print(f"one thread: {faster:.1f} times, at least {FASTER}")
    print(f"with a mask and {BOXES} boxes: {one['truths']:.2f} of the time, at most {TRUTHS}")
    return int(faster < FASTER or one["truths"] > TRUTHS)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[-1])
    else:
        sys.exit(main())
