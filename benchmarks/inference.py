"""Prediction: `compile_for_inference` against `model.predict`, a bare `tf.function` and OpenVINO.

    python -m benchmarks.inference                 # three networks, batches of 1 and 32
    python -m benchmarks.inference mobilenet 32    # one network, one batch

Our networks with random weights at their papers' size. All sides get the same float32 array and
give an array back; the outputs of each are first compared with those of `model.predict`. They take
turns, and a ratio is the median of ratios over rounds. The bare function is traced once, as anyone
would write it; OpenVINO by hand converts that function, compiles it for float32 and calls it. Exit
status 1 if outputs differ by more than TOLERANCE of the largest or a ratio is above its limit.
"""

import statistics
import sys
import time

import numpy as np

from benchmarks.machine import describe_machine

NETWORKS = ("mobilenet", "resnet50", "efficientnet_b0")
BATCHES = (1, 32)
TOLERANCE = 1e-4
BARE, BY_HAND, PREDICT = 1.03, 1.05, 0.75  # limits; the last for OpenVINO and batches of 32
ROUNDS = {1: 60, 32: 7}


def by_openvino(function):
    """OpenVINO called by hand."""
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.convert_model(function)
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    return lambda images: compiled(images)[0]


def sides(model, images):
    """What is compared, by name."""
    import tensorflow as tf

    import deep

    bare = tf.function(lambda batch: model(batch, training=False))
    graph = bare.get_concrete_function(tf.TensorSpec((None, *images.shape[1:]), tf.float32))
    return {
        "predict": lambda batch: model.predict(batch, verbose=0),
        "bare": lambda batch: bare(tf.constant(batch)).numpy(),
        "ours": deep.compile_for_inference(model),
        "by hand": by_openvino(graph),
        "openvino": deep.compile_for_inference(model, engine="openvino"),
    }


def measured(functions, images, rounds):
    """Seconds of each side in each round, in an order of its own: threads may go on for a while."""
    times, generator = {name: [] for name in functions}, np.random.default_rng(0)
    for _ in range(rounds):
        for name in generator.permutation(list(functions)).tolist():
            start = time.perf_counter()
            functions[name](images)
            times[name].append(time.perf_counter() - start)
    return times


def ratio(times, one, other):
    """The median over rounds of the time of one side over that of another."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


def compared(name, batch):
    """Print a network's row; whether its limits are kept."""
    import deep

    model = deep.build(name, random_state=0)
    images = np.random.default_rng(0).uniform(-1, 1, (batch, *model.input_shape[1:]))
    images = images.astype(np.float32)
    functions = sides(model, images)
    outputs = {side: function(images) for side, function in functions.items()}
    true = outputs["predict"]
    apart = max(np.abs(true - one).max() for one in outputs.values()) / true.max()
    times = measured(functions, images, ROUNDS[batch])
    pairs = [("ours", "bare"), ("ours", "predict"), ("openvino", "by hand")]
    found = [ratio(times, *pair) for pair in [*pairs, ("openvino", "predict")]]
    seconds = [1e3 * statistics.median(column) for column in times.values()]
    cells = "".join(f"{cell:10.1f}" for cell in seconds)
    ratios = "".join(f"{cell:17.2f}" for cell in found)
    print(f"{name:<16}{batch:>5}{cells}{ratios}{apart:10.1e}", flush=True)
    kept = apart <= TOLERANCE and found[0] <= BARE and found[2] <= BY_HAND
    return kept and (batch < 32 or found[3] <= PREDICT)


def main(arguments):
    """Print the table; 1 if a limit is missed."""
    networks = [one for one in arguments if not one.isdigit()] or NETWORKS
    batches = [int(one) for one in arguments if one.isdigit()] or BATCHES
    print(describe_machine())
    columns = ("predict", "bare", "ours", "by hand", "openvino")
    ratios = ("ours/bare", "ours/predict", "openvino/by hand", "openvino/predict")
    print(f"{'milliseconds':<16}{'batch':>5}", end="")
    print("".join(f"{one:>10}" for one in columns), end="")
    print("".join(f"{one:>17}" for one in ratios), f"{'apart':>9}")
    kept = [compared(name, batch) for name in networks for batch in batches]
    print(f"limits: {BARE}, none, {BY_HAND}, {PREDICT} for batches of 32, {TOLERANCE} apart")
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
