"""A network of fully connected layers: max(0, x) between them, softmax at the end."""

from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Layer = tuple[Array, Array]  # weights (inputs x outputs), biases (outputs)


def create(sizes: list[int], random: np.random.Generator) -> list[Layer]:
    """Random layers between `sizes` units: [64, 32, 10] has one hidden layer, [64, 10] none."""
    return [
        (random.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs))
        for inputs, outputs in pairwise(sizes)
    ]


def forward(layers: list[Layer], images: Array) -> list[Array]:
    """What goes into each layer and, last, what comes out: the log-probability of each digit."""
    values = [images]
    for weights, biases in layers[:-1]:
        values.append(np.maximum(values[-1] @ weights + biases, 0))
    weights, biases = layers[-1]
    values.append(log_softmax(values[-1] @ weights + biases))
    return values


def log_softmax(scores: Array) -> Array:
    scores = scores - scores.max(axis=1, keepdims=True)  # so that exp() cannot overflow
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def gradients(layers: list[Layer], images: Array, labels: Labels) -> list[Layer]:
    """How the loss changes with each weight and bias: backpropagation."""
    *inputs, output = forward(layers, images)
    error = np.exp(output)
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    result: list[Layer] = []
    for (weights, _), values in zip(reversed(layers), reversed(inputs), strict=True):
        result.append((values.T @ error, error.sum(axis=0)))
        error = (error @ weights.T) * (values > 0)
    return result[::-1]


def predict(layers: list[Layer], images: Array) -> Labels:
    """The most probable digit of each image."""
    return forward(layers, images)[-1].argmax(axis=1)


def score(layers: list[Layer], images: Array, labels: Labels) -> tuple[float, float]:
    """The loss (mean cross-entropy) and the accuracy (share of images read right)."""
    loss = -forward(layers, images)[-1][np.arange(len(labels)), labels].mean()
    accuracy = (predict(layers, images) == labels).mean()
    return float(loss), float(accuracy)


def save(layers: list[Layer], file: BinaryIO) -> None:
    np.savez(file, *(array for layer in layers for array in layer))


def load(path: str) -> list[Layer]:
    with np.load(path) as file:
        arrays = [file[name] for name in file.files]
    return list(zip(arrays[0::2], arrays[1::2], strict=True))
