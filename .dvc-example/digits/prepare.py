"""Reads the images, shuffles them, and sets a part of them aside for the test."""

import sys

import numpy as np

from digits.files import PIXELS, PREPARED, replacing
from digits.params import Params, load


def run(params: Params) -> None:
    rows = np.loadtxt(PIXELS, delimiter=",", dtype=np.int64)
    rows = np.random.default_rng(params["seed"]).permutation(rows)
    images, labels = rows[:, :-1] / 16, rows[:, -1]
    tested = round(len(rows) * params["data"]["test_fraction"])
    if params["data"]["standardize"]:
        seen = images[tested:]
        spread = seen.std(axis=0) + 1 / 16  # never 0: some pixels are blank in all images
        images = (images - seen.mean(axis=0)) / spread
    with replacing(PREPARED) as file:
        np.savez(
            file,
            test_images=images[:tested],
            test_labels=labels[:tested],
            train_images=images[tested:],
            train_labels=labels[tested:],
        )


if __name__ == "__main__":
    run(load(sys.argv[1:]))
