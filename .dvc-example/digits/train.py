"""Fits the network to the training images by stochastic gradient descent."""

import sys

import numpy as np

from digits import model
from digits.files import MODEL, PREPARED, replacing
from digits.params import Params, load


def run(params: Params) -> None:
    with np.load(PREPARED) as prepared:
        images, labels = prepared["train_images"], prepared["train_labels"]
    random = np.random.default_rng(params["seed"])
    hidden = params["model"]["hidden"]
    layers = model.create([64, hidden, 10] if hidden else [64, 10], random)
    for epoch in range(1, params["train"]["epochs"] + 1):
        improve(layers, images, labels, params["train"], random)
        loss, accuracy = model.score(layers, images, labels)
        print(f"epoch {epoch} loss={loss:.4g} accuracy={accuracy:.4f}", flush=True)
        if not np.isfinite(loss):
            sys.exit("the training diverged: try a smaller train.lr")
    with replacing(MODEL) as file:
        model.save(layers, file)


def improve(
    layers: list[model.Layer],
    images: model.Array,
    labels: model.Labels,
    train: Params,
    random: np.random.Generator,
) -> None:
    """One epoch, in place: every image is seen once, in random order, some at a time."""
    order = random.permutation(len(images))
    for start in range(0, len(order), train["batch_size"]):
        batch = order[start : start + train["batch_size"]]
        slopes = model.gradients(layers, images[batch], labels[batch])
        for (weights, biases), (weight_slopes, bias_slopes) in zip(layers, slopes, strict=True):
            weights -= train["lr"] * (weight_slopes + train["l2"] * weights)
            biases -= train["lr"] * bias_slopes


if __name__ == "__main__":
    run(load(sys.argv[1:]))
