"""Grad-CAM on ResNet-50 beside the textbook's code and beside the forward pass alone.

    python -m benchmarks.gradcam             # 1,000 images for the memory
    python -m benchmarks.gradcam 200         # fewer

The textbook builds a model up to the last convolution on every call and takes the gradient by an
eager tape, as keras.io's example does; the forward pass is `deep.compile_for_inference`. Random
weights, photographs of 224x224. All take turns in rounds, and the fastest call of each counts, so
that other work of the machine falls on none; limits are on the clock's time. The processor's is
beside it: the textbook's Python keeps one core busy, a network all. Exit status 1 if one image
takes more than 0.12 of the textbook's time, 8 together more than 1.1 times the forward pass,
memory grows by more than 2% after the first tenth of the images, or the model is traced more than
once.
"""

import gc
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from skimage import data

import deep
from benchmarks.machine import describe_machine
from deep.explain.gradcam import GradCAM, explain_gradcam
from deep.explain.graph import count_traces
from vision.opencv import cv2

ROUNDS, BATCH = 9, 8
OF_TEXTBOOK, OF_FORWARD, GROWTH = 0.12, 1.1, 1.02


def photographs(count):
    """Different crops of photographs, 224x224."""
    sources = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]
    generator = np.random.default_rng(0)
    for number in range(count):
        image = sources[number % len(sources)]
        y, x = (int(generator.integers(0, side - 224)) for side in image.shape[:2])
        yield np.ascontiguousarray(image[y : y + 224, x : x + 224])


def textbook(model, image, layer):
    """As it is found in tutorials; `layer` by name, the winner explained."""
    part = keras.Model(model.inputs, [model.get_layer(layer).output, model.output])
    with tf.GradientTape() as tape:
        maps, scores = part([image[None].astype(np.float32)])
        score = scores[:, int(tf.argmax(scores[0]))]
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2))
    heat = np.maximum(tf.reduce_sum(maps * weights[:, None, None], axis=-1)[0].numpy(), 0)
    return cv2.resize(heat / max(heat.max(), 1e-12), (224, 224))


def spent(function):
    """Milliseconds of the clock and of the processor that a call takes."""
    start = time.perf_counter(), time.process_time()
    function()
    return [1000 * (time.perf_counter() - start[0]), 1000 * (time.process_time() - start[1])]


def resident():
    """Megabytes of memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def times(model, layer):
    """The fastest call of each by name: (clock, processor)."""
    one, *_ = images = list(photographs(BATCH))
    batch = np.stack(images).astype(np.float32)
    forward, gradcam = deep.compile_for_inference(model), GradCAM(model)
    ways = {
        "textbook, 1 image": lambda: textbook(model, one, layer),
        "ours, 1 image": lambda: explain_gradcam(model, one),
        "forward pass, 1 image": lambda: forward(batch[:1]),
        "ours, 8 images": lambda: gradcam.many(images),
        "forward pass, 8 images": lambda: forward(batch),
    }
    for way in ways.values():
        way()
    rounds = np.array([[spent(way) for way in ways.values()] for _ in range(ROUNDS)])
    return dict(zip(ways, rounds.min(axis=0).tolist(), strict=True))


def growth(model, count):
    """The memory at the end by that after the first tenth."""
    gradcam, images = GradCAM(model), []
    early = None
    for number, image in enumerate(photographs(count), 1):
        images.append(image)
        if len(images) == BATCH or number == count:
            gradcam.many(images)
            images.clear()
        if early is None and number >= count / 10:
            gc.collect()
            early = resident()
    gc.collect()
    return early, resident()


def main(count=1000):
    """Print the figures; 1 if a promise is broken."""
    print(describe_machine())
    model = deep.build("resnet50", (224, 224, 3), pixels=True, random_state=0)
    gradcam = GradCAM(model)
    gradcam(next(photographs(1)))
    found = times(model, gradcam.layer_)
    for name, (clock, processor) in found.items():
        print(f"{name:<24}{clock:>9.1f} ms, of the processor {processor:>7.1f}")
    of_textbook = found["ours, 1 image"][0] / found["textbook, 1 image"][0]
    of_forward = found["ours, 8 images"][0] / found["forward pass, 8 images"][0]
    print(f"one image, of the textbook's time: {of_textbook:.3f} (at most {OF_TEXTBOOK})")
    print(f"8 images, of the forward pass: {of_forward:.3f} (at most {OF_FORWARD})")
    early, late = growth(model, count)
    traces = count_traces(model)
    print(f"memory over {count} images: {early:.0f} MB, at the end {late:.0f}; traces: {traces}")
    good = of_textbook <= OF_TEXTBOOK and of_forward <= OF_FORWARD
    return int(not (good and late <= GROWTH * early and traces == 1))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
