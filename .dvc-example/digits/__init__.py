"""Reads handwritten digits: a small neural network in numpy, trained in about a second."""

import os

# With one thread, sums are taken in the same order every time, so that a run can be repeated bit
# for bit. numpy looks at these variables when it is imported, hence they are set here, before it.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"
