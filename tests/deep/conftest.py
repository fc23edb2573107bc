"""What the tests of networks share."""

import pytest


@pytest.fixture
def silent(monkeypatch):
    """Weights of zero: drawing a hundred million of them takes most of a test's time."""
    import keras

    def zeros(self, shape, dtype=None, **kwargs):
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
