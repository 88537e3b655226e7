"""Figures, images and tables become files that other programs read."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from exptrack.errors import ExptrackError
from exptrack.tracking.drawing import encode_figure, encode_image
from exptrack.tracking.pixels import encode_png, to_pixels
from exptrack.tracking.tables import encode_table

GREY = np.arange(6, dtype="uint8").reshape(2, 3) * 50
COLOR = np.arange(30, dtype="uint8").reshape(2, 5, 3) * 8


def read_png(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (GREY[:, :, None], GREY),
        (GREY.astype("int64"), GREY),
        (GREY.astype("float32") / 255, GREY),
        (GREY > 100, (GREY > 100) * 255),
        (COLOR, COLOR),
        (COLOR.transpose(2, 0, 1), COLOR),
        (np.dstack([COLOR, COLOR[:, :, :1]]), np.dstack([COLOR, COLOR[:, :, :1]])),
        (np.array([[-3.0, np.nan, 2.0, 0.5]]), [[0, 0, 255, 128]]),
        (np.array([[-3, 300]]), [[0, 255]]),
        (np.asfortranarray(COLOR), COLOR),
        (COLOR[:, ::-1], COLOR[:, ::-1]),
    ],
)
def test_an_array_is_a_png_of_its_pixels(array, expected):
    data, suffix = encode_image(array, "a/image")
    assert suffix == ".png"
    assert (read_png(data) == expected).all()
    assert encode_image(array, "image.PNG") == (data, "")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((2, 2, 2)), "a ndarray of shape"), (np.zeros((1, 2, 2, 3)), "a ndarray of shape"), (np.zeros(3), "of shape"), (np.zeros((0, 3)), "of shape"),
        (np.array([["a"]]), "an array of <U1"), ([[1, 2]], "a list is no image"), (None, "None is no image"),
        (np.full((2, 2), 255.0), "floats go up to 255"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(image, said):
    with pytest.raises(ExptrackError, match=said):
        encode_image(image, "image")


def test_tensors_have_their_channels_first():
    torch = pytest.importorskip("torch")
    ambiguous = np.arange(36, dtype="uint8").reshape(3, 4, 3)
    assert (to_pixels(torch.tensor(ambiguous)) == ambiguous.transpose(1, 2, 0)).all()
    assert (to_pixels(ambiguous) == ambiguous).all()
    half = torch.full((1, 2, 2), 0.5, dtype=torch.bfloat16, requires_grad=True)
    assert to_pixels(half).tolist() == [[[128], [128]], [[128], [128]]]


def test_a_large_picture_is_written_line_by_line():
    noise = np.random.default_rng(1).integers(0, 256, (300, 500, 4), dtype="uint8")
    assert (read_png(encode_png(noise)) == noise).all()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.jpg", "JPEG"), ("a.webp", "WEBP"), ("a.bmp", "BMP"), ("a", "PNG"), ("a.odd", "PNG")]
)
def test_images_of_pillow_are_written_as_the_suffix_says(name, kind):
    for image in (Image.fromarray(np.dstack([COLOR, COLOR[:, :, :1]])), COLOR):
        data, suffix = encode_image(image, name)
        assert Image.open(io.BytesIO(data)).format == kind
        assert suffix == (".png" if kind == "PNG" else "")


@pytest.fixture
def figure():
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 3, 2])
    yield figure
    plt.close(figure)


@pytest.mark.parametrize(
    ("name", "begins", "added"),
    [
        ("loss", b"\x89PNG", ".png"), ("loss.png", b"\x89PNG", ""), ("epoch-0.5", b"\x89PNG", ".png"), ("loss.svg", b"<?xml", ""), ("loss.pdf", b"%PDF", ""),
        ("loss.odd", b"\x89PNG", ".png"),
    ],
)  # fmt: skip
def test_figures_of_matplotlib_are_written_as_the_suffix_says(figure, name, begins, added):
    data, suffix = encode_figure(figure, name)
    assert data.startswith(begins)
    assert suffix == added
    for other in (figure.axes[0], sys.modules["matplotlib.pyplot"]):
        assert encode_figure(other, name)[0].startswith(begins)


def test_a_figure_that_cannot_be_drawn_is_refused_in_one_line(figure):
    figure.axes[0].set_title(r"$\nothing{$")
    with pytest.raises(ExptrackError, match=r"^ValueError: [^\n]+$"):
        encode_figure(figure, "loss")
    with pytest.raises(ExptrackError, match="a int is no figure"):
        encode_figure(3, "loss")


def test_figures_of_plotly_are_html_and_json():
    graphs = pytest.importorskip("plotly.graph_objects")
    figure = graphs.Figure(graphs.Scatter(y=[1, 3, 2]))
    data, suffix = encode_figure(figure, "loss")
    assert suffix == ".html"
    assert b"<script" in data
    assert len(data) < 100_000
    assert encode_figure(figure, "loss.html")[1] == ""
    assert json.loads(encode_figure(figure, "loss.json")[0])["data"][0]["y"] == [1, 3, 2]
    if not has("kaleido"):
        with pytest.raises(ExptrackError, match=r"needs kaleido for \.png"):
            encode_figure(figure, "loss.png")


def has(library: str) -> bool:
    from importlib.util import find_spec

    return find_spec(library) is not None


FRAME = pd.DataFrame({"name": ["a", "b,ü"], "loss": [0.5, 2.0]})
ROWS = [{"name": "a", "loss": 0.5}, {"name": "b,ü", "loss": 2.0}]
COLUMNS = {"name": ("a", "b,ü"), "loss": np.array([0.5, 2.0])}


@pytest.mark.parametrize("table", [FRAME, ROWS, COLUMNS], ids=["frame", "rows", "columns"])
def test_a_table_is_read_back_whatever_it_was_given_as(table):
    expected = [{"name": "a", "loss": "0.5"}, {"name": "b,ü", "loss": "2.0"}]
    for name, separator, added in (("t", ",", ".csv"), ("t.csv", ",", ""), ("t.tsv", "\t", ""), ("t.odd", ",", ".csv")):
        data, suffix = encode_table(table, name)
        assert list(csv.DictReader(io.StringIO(data.decode()), delimiter=separator)) == expected
        assert suffix == added
    assert json.loads(encode_table(table, "t.json")[0]) == ROWS
    if has("pyarrow"):
        assert pd.read_parquet(io.BytesIO(encode_table(table, "t.parquet")[0])).to_dict("records") == ROWS


def test_frames_of_polars_are_tables():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(COLUMNS)
    for table in (frame, frame.lazy()):
        assert encode_table(table, "t") == (b'name,loss\na,0.5\n"b,\xc3\xbc",2.0\n', ".csv")
        assert json.loads(encode_table(table, "t.json")[0]) == ROWS
        assert encode_table(table, "t.parquet")[0].startswith(b"PAR1")


def test_rows_need_no_names_and_cells_may_be_missing():
    assert encode_table([[1, "a"], (2, None)], "t") == (b"1,a\n2,\n", ".csv")
    assert encode_table(np.eye(2), "t") == (b"1.0,0.0\n0.0,1.0\n", ".csv")
    assert encode_table([{"a": 1}, {"b": [1, {"c": 2}]}], "t") == (b'a,b\n1,\n,"[1, {""c"": 2}]"\n', ".csv")
    assert encode_table({"loss": 0.5, "step": 3}, "t") == (b"loss,step\n0.5,3\n", ".csv")
    assert encode_table({"a": [float("nan"), float("inf")]}, "t.json")[0] == b'[\n{"a": "nan"},\n{"a": "inf"}\n]\n'
    assert encode_table(FRAME.set_index("name")["loss"], "t")[0].decode() == 'name,loss\na,0.5\n"b,ü",2.0\n'
    assert encode_table({}, "t") == (b"\n", ".csv")
    assert encode_table([], "t") == (b"", ".csv")


@pytest.mark.parametrize(
    ("table", "said"),
    [({"a": [1], "b": [1, 2]}, "not of one length"), (3, "no table"), ("text", "no table"), ([1, 2], "no table"), (None, "None is no table")],
)  # fmt: skip
def test_what_is_no_table_is_refused(table, said):
    with pytest.raises(ExptrackError, match=said):
        encode_table(table, "t")
