"""Training: what feeding and augmenting images costs beside plain `model.fit` on arrays.

    python -m benchmarks.training           # both recipes
    python -m benchmarks.training cifar     # crops of padded pictures, flips
    python -m benchmarks.training six       # the six operations of benchmarks/augmentation.py
    python -m benchmarks.training defaults  # plain `model.fit` as Keras compiles it by itself

ResNet-20 on pictures of 32x32 in batches of 128, random ones: what is learned does not matter to
the clock. All sides train the same network with the same loss, metric and optimizer, an epoch of
STEPS batches each in turn, after WARM epochs that are not counted; ratios are medians over rounds,
with the quartiles beside them. "plain" is `model.fit` on float32 arrays, compiled without XLA as
ours is; "Keras" has Keras' own layers for the recipe in front of the network, compiled alike.
Beside the clock's times stand the processor's: on a machine that does other work they scatter
less. Exit status 1 if a ratio of the clock's times is above its limit.
"""

import sys
import time

import numpy as np

from benchmarks.machine import describe_machine

SIDE, BATCH, STEPS, WARM, ROUNDS = 32, 128, 12, 2, 16
OFF, ON, KERAS = 1.01, 1.05, 0.6  # limits: off and on over plain, on over Keras' layers


def recipe(name):
    """The recipe, ours and as Keras' layers."""
    import keras

    import deep

    own = keras.layers
    if name == "cifar":
        return deep.RandomCrop(padding=4) >> deep.RandomFlip(), [
            own.ZeroPadding2D(4),
            own.RandomCrop(SIDE, SIDE),
            own.RandomFlip("horizontal"),
        ]
    geometry = deep.RandomFlip() >> deep.RandomRotation(36) >> deep.RandomZoom(0.2)
    colour = deep.RandomBrightness(0.2) >> deep.RandomContrast(0.2)
    return geometry >> deep.RandomTranslation(0.1) >> colour, [
        own.RandomFlip("horizontal"),
        own.RandomRotation(0.1),
        own.RandomZoom(0.2),
        own.RandomTranslation(0.1, 0.1),
        own.RandomBrightness(0.2),
        own.RandomContrast(0.2),
    ]


def network(layers=(), **settings):
    """ResNet-20, compiled."""
    import keras

    import deep

    model = deep.build("resnet20", (SIDE, SIDE, 3), 10, pixels=True, random_state=0)
    if layers:
        model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers, model])
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


def fitted(model, floats, targets):
    """An epoch of Keras' own."""
    return lambda: model.fit(floats, targets, batch_size=BATCH, verbose=0)


def trained(model, images, targets, augment):
    """An epoch of ours, as `CNNClassifier` runs it."""
    from deep.feeding import Feed
    from deep.history import History
    from deep.training import Keeper, train

    feed = Feed(images, targets, batch_size=BATCH, owner="ours", seed=0, augment=augment)
    return lambda: train(model, feed, Keeper(History()), epochs=1)


def examples():
    """Random pictures of an epoch, and their targets."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * BATCH, SIDE, SIDE, 3), np.uint8)
    return images, np.eye(10, dtype=np.float32)[rng.integers(0, 10, len(images))]


def sides(name):
    """What is compared, by name: each trains one epoch."""
    from deep.augmentation import Fused

    images, targets = examples()
    floats, plain = images.astype(np.float32), network(jit_compile=False)
    if name == "defaults":
        both = {"plain": plain, "defaults": network()}
        return {side: fitted(model, floats, targets) for side, model in both.items()}
    augmentation, layers = recipe(name)
    off, on = network(jit_compile=False), network(jit_compile=False)
    return {
        "plain": fitted(plain, floats, targets),
        "off": trained(off, images, targets, None),
        "on": trained(on, images, targets, Fused(augmentation).batch),
        "Keras": fitted(network(layers, jit_compile=False), floats, targets),
    }


def measured(functions):
    """Seconds of each side in each round, (clock, processor); the first of a round changes."""
    names, times = list(functions), {name: [] for name in functions}
    for function in functions.values():
        for _ in range(WARM):
            function()
    for number in range(ROUNDS):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            start = time.perf_counter(), time.process_time()
            functions[name]()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return {name: np.array(column).T for name, column in times.items()}


def quartiles(times, one, other, kind=0):
    """Those over rounds of the time of one side over that of another; 1 for the processor's."""
    return np.quantile(times[one][kind] / times[other][kind], (0.25, 0.5, 0.75)).tolist()


def compared(name):
    """Print a recipe's table; whether its limits are kept."""
    times = measured(sides(name))
    print(f"{name}: milliseconds a step", end="")
    for side, (clock, processor) in times.items():
        clock, processor = (1e3 * np.median(each) / STEPS for each in (clock, processor))
        print(f"   {side} {clock:.0f} ({processor:.0f})", end="")
    print(", in brackets the processor's", flush=True)
    if name == "defaults":
        print(f"plain / defaults {quartiles(times, 'plain', 'defaults')[1]:.3f}")
        return True
    kept = True
    for one, other, limit in (("off", "plain", OFF), ("on", "plain", ON), ("on", "Keras", KERAS)):
        low, found, high = quartiles(times, one, other)
        kept &= found <= limit
        missed = "" if found <= limit else "   MISSED"
        processor = quartiles(times, one, other, 1)[1]
        print(f"{one + ' / ' + other:<16}{found:8.3f} ({low:.3f} to {high:.3f})", end="")
        print(f"   processor {processor:.3f}   at most {limit}{missed}", flush=True)
    return kept


def main(names):
    """Print the tables; 1 if a limit is missed."""
    print(describe_machine())
    kept = [compared(name) for name in names or ("cifar", "six")]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
