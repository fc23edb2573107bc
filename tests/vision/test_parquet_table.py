"""Results as Parquet: the rows of the CSV file, with types, read back by pyarrow and pandas."""

import builtins
import csv

import numpy as np
import pytest
from skimage import data

import vision
from classical import FindContours, Gray, Otsu
from tests.vision.run_folders import files_below, put, run, squares, table
from vision.cli import main
from vision.parquet_table import write_parquet

MASK = Gray() >> Otsu()


@pytest.fixture
def pa():
    """pyarrow with its Parquet part."""
    pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    return pytest.importorskip("pyarrow")


def written(tmp_path, rows, columns=()):
    import pyarrow.parquet

    write_parquet(tmp_path / "t.parquet", columns, lambda: iter(rows))
    return pyarrow.parquet.read_table(tmp_path / "t.parquet")


def test_results_are_the_rows_of_the_csv_file_with_types(tmp_path, pa):
    for count in range(3):
        put(tmp_path / "in", f"{count}.png", squares(count))
    pipeline = Otsu() >> FindContours()
    out = tmp_path / "out"
    run(pipeline, tmp_path / "in", out, tables="parquet", mode="gray")
    found = pa.parquet.read_table(out / "results.parquet")
    types = dict(zip(found.column_names, found.schema.types))
    assert (types["source"], types["object"]) == (pa.string(), pa.int64())
    assert (types["area"], types["left"]) == (pa.float64(), pa.float64())
    rows = table(out / "results.csv")
    assert found.column_names == [*rows[0]]
    assert len(rows) == 4
    for row, ours in zip(rows, found.to_pylist(), strict=True):
        assert {name: "" if ours[name] is None else str(ours[name]) for name in ours} == row


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, -2, None], "int64"),
        ([1, 2.5], "double"),
        ([True, None], "bool"),
        (["007", "1e5"], "string"),
        ([None, None], "null"),
        ([1, "a"], "string"),
        ([True, 2], "string"),
        ([2**63, 1], "string"),
        ([-(2**63), 2**63 - 1], "int64"),
        ([float("nan"), float("inf")], "double"),
    ],
)
def test_a_column_has_the_type_of_its_values(tmp_path, pa, values, type_):
    found = written(tmp_path, [{"x": value} for value in values])
    assert str(found.schema.field("x").type) == type_
    back = found.column("x").to_pylist()
    if type_ == "string":
        values = [str(value) for value in values]
    assert [repr(value) for value in back] == [
        repr(float(value) if type_ == "double" else value) for value in values
    ]


def test_columns_come_as_known_then_as_met_and_may_be_missing(tmp_path, pa):
    rows = [{"source": "a", "x": 1}, {"source": "b", "y": "é\udcff"}]
    found = written(tmp_path, rows, ["source", "branch"])
    assert found.to_pylist() == [
        {"source": "a", "branch": None, "x": 1, "y": None},
        {"source": "b", "branch": None, "x": None, "y": "é\\udcff"},
    ]


def test_many_rows_are_written_in_groups(tmp_path, pa, monkeypatch):
    monkeypatch.setattr("vision.parquet_table.ROWS", 10)
    found = written(tmp_path, [{"x": number} for number in range(25)])
    assert found.column("x").to_pylist() == [*range(25)]
    assert pa.parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 3


def test_a_table_without_rows_has_its_columns(tmp_path, pa):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"")
    run(MASK, tmp_path / "in", tmp_path / "out", tables="csv,parquet")
    found = pa.parquet.read_table(tmp_path / "out/results.parquet")
    assert (found.column_names, found.num_rows) == (["source", "object"], 0)


def test_branches_and_resumed_runs_are_in_it(tmp_path, pa):
    put(tmp_path / "in", "a.png", data.chelsea())
    pipeline = vision.Branches({"mask": MASK, "grey": Gray()})
    run(pipeline, tmp_path / "in", tmp_path / "out", tables=["parquet"])
    put(tmp_path / "in", "b.png", data.coffee())
    run(pipeline, tmp_path / "in", tmp_path / "out", tables=["parquet"])
    found = pa.parquet.read_table(tmp_path / "out/results.parquet").to_pylist()
    with (tmp_path / "out/results.csv").open(newline="") as file:
        expected = [(row["source"], row["branch"]) for row in csv.DictReader(file)]
    assert [(row["source"], row["branch"]) for row in found] == expected
    assert len(expected) == 4


def test_an_older_table_that_nobody_asked_for_again_goes(tmp_path, pa):
    put(tmp_path / "in", "a.png", data.chelsea())
    run(MASK, tmp_path / "in", tmp_path / "out", tables="parquet")
    assert "results.parquet" in files_below(tmp_path / "out")
    run(MASK, tmp_path / "in", tmp_path / "out")
    assert "results.parquet" not in files_below(tmp_path / "out")


def test_a_failed_write_leaves_the_older_table(tmp_path, pa):
    before = written(tmp_path, [{"x": 1}])

    def rows():
        yield {"x": 2}
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_parquet(tmp_path / "t.parquet", [], rows)
    assert pa.parquet.read_table(tmp_path / "t.parquet").equals(before)
    assert files_below(tmp_path) == {"t.parquet"}


def test_the_command_line_writes_it(tmp_path, pa, monkeypatch):
    put(tmp_path / "in", "a.png", data.chelsea())
    (tmp_path / "mask.yaml").write_text("- Gray\n- Otsu\n")
    monkeypatch.chdir(tmp_path)
    command = "run mask.yaml in --out out --tables csv,parquet --no-report --quiet"
    assert main(command.split()) == 0
    assert {"results.csv", "results.parquet"} <= files_below(tmp_path / "out")
    assert "index.html" not in files_below(tmp_path / "out")


@pytest.mark.parametrize("tables", ["xlsx", "csv,", [], None, 3, ["csv", "json"]])
def test_other_tables_are_refused(tables, tmp_path):
    with pytest.raises(vision.ParameterError, match="'tables' of run must be 'csv', 'parquet'"):
        run(MASK, [np.eye(4, dtype=np.uint8)], tmp_path / "out", tables=tables)
    assert not (tmp_path / "out").exists()


def test_without_pyarrow_the_extra_is_named_before_anything_runs(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(vision.MissingDependencyError, match=r"vision-pipelines\[parquet\]"):
        run(MASK, [np.eye(4, dtype=np.uint8)], tmp_path / "out", tables="parquet")
    assert not (tmp_path / "out").exists()
