"""All in one go: `python train.py`, or with other parameters `python train.py train.lr=0.3`."""

import sys

from digits import evaluate, prepare, train
from digits.params import load

if __name__ == "__main__":
    params = load(sys.argv[1:])
    prepare.run(params)
    train.run(params)
    evaluate.run()
