"""Separators and encodings of tables as text."""

import numpy as np
import pandas as pd
import pytest
from own_data import everything, features_of, opened, refused
from own_data import saved_csv as saved

from mlx.core.errors import SettingsError
from mlx.datasets import DatasetSettings

KIND = np.array(["a", "b"] * 15)
COUNT = np.arange(30) + 1


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_separator_and_the_encoding_are_found_out(tmp_path, separator, encoding):
    path = saved(
        tmp_path,
        separator=separator,
        encoding=encoding,
        größe=[f"{k},5" for k in COUNT],
        home=["sea", "land"] * 15,
        y=KIND,
    )
    dataset = opened(path, target="y")
    assert features_of(dataset) == ["größe", "home"]
    assert everything(dataset)[0][:2].tolist() == [[1.5, 1], [2.5, 0]]


def test_a_separator_that_can_not_be_told_is_asked_for_by_its_key(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b;c,d;y\n" + "1,2;3,4;5\n2,2;3,5;6\n" * 10)
    error = refused(
        path, "the character between the cells of .*, as ',' and ';' are possible", SettingsError, target="q"
    )
    assert error.key == ("dataset", "params", "separator")
    assert features_of(opened(path, target="y")) == ["a,b", "c,d"]  # only one of them finds the target
    assert opened(path, target="d;y", separator=",", task="classification").n_samples == 20
    pd.DataFrame({"x": COUNT, "y": KIND}).to_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "no meaning for a .parquet file", SettingsError, target="y", separator=";")


def test_a_separator_is_one_character(tmp_path):
    path = saved(tmp_path, separator="\t", x=COUNT, y=KIND)
    for separator in ("\t", "\\t"):
        assert features_of(opened(path, target="y", separator=separator)) == ["x"]
    for separator in ("", ";;", '"', "\n"):
        with pytest.raises(ValueError, match="expected one character between the cells"):
            DatasetSettings(name="custom", path=str(path), params={"target": "y", "separator": separator})


def test_text_in_another_encoding_is_refused_with_its_bytes(tmp_path):
    path = saved(tmp_path, encoding="latin-1", x=["é"] * 30, y=KIND)
    refused(path, r"expected text in UTF-8, found other bytes \(b'\\xe9.*save it as UTF-8", target="y")
