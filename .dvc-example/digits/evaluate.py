"""Tests the network on the images that it has not seen."""

import json

import numpy as np

from digits import model
from digits.files import CONFUSION, METRICS, MODEL, PREPARED, replacing


def run() -> None:
    with np.load(PREPARED) as prepared:
        images, labels = prepared["test_images"], prepared["test_labels"]
    layers = model.load(MODEL)
    loss, accuracy = model.score(layers, images, labels)
    print(f"test loss={loss:.4g} accuracy={accuracy:.4f}")
    with replacing(METRICS) as file:
        metrics = {"accuracy": round(accuracy, 6), "loss": round(loss, 6)}
        file.write(json.dumps(metrics, indent=2).encode() + b"\n")
    with replacing(CONFUSION) as file:
        pairs = np.column_stack([labels, model.predict(layers, images)])
        np.savetxt(file, pairs, fmt="%d", delimiter=",", header="actual,predicted", comments="")


if __name__ == "__main__":
    run()
