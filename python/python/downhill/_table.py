"""Tables of Python's, as the crates take them: a column at a time, so that no second copy of all is made."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from downhill._downhill import Table

#: A column: its name, what it holds, and its values.
Column = tuple[Any, ...]


class Frame:
    """The columns of a table, and whether their names are names of their own."""

    def __init__(self, columns: list[Column], named: bool, rows: int, width: int) -> None:
        self.columns = columns
        self.named = named
        self.rows = rows
        #: The number of columns, those that are left out included.
        self.width = width

    @property
    def names(self) -> list[str]:
        return [column[0] for column in self.columns]

    def table(self, *more: Column) -> Table:
        """The table, with more columns behind its own."""
        return Table([*self.columns, *more], self.named)

    def free_name(self, name: str) -> str:
        """A name that no column has."""
        while name in self.names:
            name += "_"
        return name


def frame(
    X: Any,
    *,
    estimator: object = None,
    categorical: Sequence[str | int] | None = None,
    numeric: Sequence[str | int] | None = None,
    drop: Sequence[str | int] | None = None,
) -> Frame:
    """The columns of whatever holds a table: a data frame of pandas or polars, an Arrow table, or an array."""
    if _is_sparse(X):
        raise TypeError(
            "Sparse data was passed, and a network is trained on dense rows: convert it with X.toarray(), if that fits "
            "into memory."
        )
    if hasattr(X, "to_frame") and not hasattr(X, "columns"):
        raise ValueError(
            "Expected a table, got one column instead: give a data frame, such as X.to_frame(), or Reshape your data "
            "using array.reshape(-1, 1)"
        )
    module = type(X).__module__.partition(".")[0]
    if hasattr(X, "iloc") and hasattr(X, "dtypes") and hasattr(X, "columns"):
        named, found = _names(X.columns), (_of_pandas(X.iloc[:, at]) for at in range(X.shape[1]))
    elif module == "polars":
        X = X.collect() if hasattr(X, "collect") else X
        named, found = _names(X.columns), (_of_polars(X[name]) for name in X.columns)
    elif hasattr(X, "__arrow_c_stream__") and not isinstance(X, np.ndarray):
        X = _arrow(X)
        named, found = _names(X.column_names), (_of_arrow(column) for column in X.columns)
    else:
        return _of_array(X, estimator, categorical, numeric, drop)
    rows = len(X)
    if rows == 0 or len(named) == 0:
        what = "sample" if rows == 0 else "feature"
        raise ValueError(
            f"Found a table with 0 {what}(s) (shape=({rows}, {len(named)})) while a minimum of 1 is required."
        )
    columns = [(name, *column) for name, column in zip(named, found, strict=True)]
    return Frame(_as_said(columns, categorical, numeric, drop), True, rows, len(columns))


def _of_array(
    X: Any,
    estimator: object,
    categorical: Sequence[str | int] | None,
    numeric: Sequence[str | int] | None,
    drop: Sequence[str | int] | None,
) -> Frame:
    from sklearn.utils.validation import check_array

    if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
        # Numbers beside text would become text.
        X = np.array(X, dtype=object)
    X = check_array(X, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X")
    of = _of_objects if X.dtype.kind in "OUS" else _of_plain
    columns = [(f"c{at}", *of(X[:, at])) for at in range(X.shape[1])]
    return Frame(_as_said(columns, categorical, numeric, drop), False, X.shape[0], X.shape[1])


def _names(names: Iterable[Any]) -> list[str]:
    return [name if isinstance(name, str) else str(name) for name in names]


def _is_sparse(X: Any) -> bool:
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        return True
    dtypes: Any = getattr(X, "dtypes", ())
    return hasattr(X, "iloc") and any(type(dtype).__name__ == "SparseDtype" for dtype in np.atleast_1d(dtypes))


def _as_said(
    columns: list[Column],
    categorical: Sequence[str | int] | None,
    numeric: Sequence[str | int] | None,
    drop: Sequence[str | int] | None,
) -> list[Column]:
    """The columns as categories or numbers where that is said, without those that are to be left out."""
    names = [column[0] for column in columns]

    def places(wanted: Sequence[str | int] | None, setting: str) -> list[int]:
        if isinstance(wanted, str | int):
            wanted = [wanted]
        found = []
        for name in wanted or []:
            if isinstance(name, str) and name in names:
                found.append(names.index(name))
            elif isinstance(name, int | np.integer) and -len(names) <= name < len(names):
                found.append(int(name) % len(names))
            else:
                raise ValueError(f"{setting}={name!r}: there is no such column; there are {', '.join(names)}")
        return found

    kinds = {at: "category" for at in places(categorical, "categorical")}
    for at in places(numeric, "numeric"):
        if kinds.get(at) == "category":
            raise ValueError(f"column {names[at]!r} is named in `categorical` and in `numeric`; leave it out of one")
        kinds[at] = "number"
    left_out = set(places(drop, "drop"))
    return [
        _converted(column, kinds.get(at))
        for at, column in enumerate(columns)
        if at not in left_out
    ]


def _converted(column: Column, kind: str | None) -> Column:
    name, holds, *values = column
    if kind is None or kind == holds or (kind == "category" and holds == "text"):
        return (name, kind or holds, *values)
    if kind == "category":
        codes, uniques = _factorized(values[0])
        return (name, "category", codes, [_text(value) for value in uniques])
    codes, texts = values
    found = np.full(len(texts) + 1, np.nan)  # the last one is what −1 finds
    for code, text in enumerate(texts):
        try:
            found[code] = float(text)
        except ValueError:
            row = int(np.argmax(codes == code))
            raise ValueError(f"column {name!r} is named in `numeric` and holds {text!r} in row {row}") from None
    return (name, "number", found[codes])


def _text(value: Any) -> str:
    """A value as the text of a category; numbers as they are written shortest."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _factorized(values: Any) -> tuple[np.ndarray, list[Any]]:
    """The distinct values in the order in which they occur, and which one each row has; −1 where it is missing."""
    codes = np.empty(len(values), dtype=np.int64)
    known: dict[Any, int] = {}
    for row, value in enumerate(values):
        if _is_missing(value):
            codes[row] = -1
            continue
        try:
            codes[row] = known.setdefault(value, len(known))
        except TypeError:  # what cannot be hashed is told apart by its text
            codes[row] = known.setdefault(str(value), len(known))
    return codes, list(known)


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, np.datetime64) and np.isnat(value))


def _of_plain(values: np.ndarray) -> Column:
    """An array whose values are numbers or dates."""
    if values.dtype.kind == "M":
        return _of_dates(values)
    if values.dtype.kind == "m":
        seconds = values.astype("timedelta64[ns]").astype(np.float64) / 1e9
        seconds[np.isnat(values)] = np.nan
        return ("number", seconds)
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported: give the real and the imaginary part as two columns")
    if values.dtype.kind not in "fiub":
        return _of_objects(values)
    exact = values if values.dtype in (np.float64, np.float32) else values.astype(np.float64)
    return ("number", exact)


def _of_dates(values: np.ndarray) -> Column:
    texts, codes = np.unique(values[~np.isnat(values)].astype("datetime64[s]"), return_inverse=True)
    all_codes = np.full(len(values), -1, dtype=np.int64)
    all_codes[~np.isnat(values)] = codes
    return ("text", all_codes, np.datetime_as_string(texts).tolist())


def _of_objects(values: Any) -> Column:
    """Values of any type: numbers if all are, else categories by their text."""
    codes, uniques = _factorized(values)
    if all(isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_) for value in uniques):
        found = np.full(len(uniques) + 1, np.nan)
        found[: len(uniques)] = [float(value) for value in uniques]
        return ("number", found[codes])
    if uniques and all(isinstance(value, numbers.Number) and not isinstance(value, numbers.Real) for value in uniques):
        raise ValueError("Complex data not supported: give the real and the imaginary part as two columns")
    return ("text", codes, [_text(value) for value in uniques])


def _of_pandas(series: Any) -> Column:
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        texts = [_text(value) for value in dtype.categories]
        return ("category", series.cat.codes.to_numpy().astype(np.int64), texts)
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        present = ~series.isna().to_numpy()
        codes = np.full(len(series), -1, dtype=np.int64)
        codes[present] = series[present].to_numpy().astype(np.int64)
        return ("category", codes, ["False", "True"])
    if kind == "M":
        stamps = series.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(dtype, "tz", None) else series
        return _of_dates(stamps.to_numpy(dtype="datetime64[ns]"))
    if kind == "m":
        return _of_plain(series.to_numpy(dtype="timedelta64[ns]"))
    if kind in "fiu":
        plain = isinstance(dtype, np.dtype)
        values = series.to_numpy() if plain else series.to_numpy(dtype=np.float64, na_value=np.nan)
        return _of_plain(values)
    if kind == "c":
        return _of_plain(series.to_numpy())
    import pandas as pd

    try:
        codes, uniques = pd.factorize(series)
    except TypeError:  # of what cannot be hashed
        return _of_objects(series.to_numpy(dtype=object))
    if all(isinstance(value, str) for value in uniques):
        return ("text", codes.astype(np.int64), [str(value) for value in uniques])
    return _of_objects(series.to_numpy(dtype=object))


def _of_polars(series: Any) -> Column:
    import polars as pl

    dtype = series.dtype
    if dtype.is_numeric():
        if dtype == pl.Float64 or dtype == pl.Float32:
            return _of_plain(series.fill_null(float("nan")).to_numpy())
        return _of_plain(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    if dtype == pl.Boolean:
        codes = series.cast(pl.Int64).fill_null(-1).to_numpy()
        return ("category", codes, ["False", "True"])
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        uniques = series.drop_nulls().unique(maintain_order=True).cast(pl.String).to_list()
        place = {text: at for at, text in enumerate(uniques)}
        codes = np.fromiter(
            (-1 if text is None else place[text] for text in series.cast(pl.String)), dtype=np.int64, count=len(series)
        )
        return ("text" if dtype == pl.String else "category", codes, uniques)
    if dtype == pl.Date or dtype == pl.Datetime:
        stamps = series.cast(pl.Datetime("us")) if dtype == pl.Date else series
        if getattr(stamps.dtype, "time_zone", None):
            stamps = stamps.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return _of_dates(stamps.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]"))
    if dtype == pl.Duration:
        return _of_plain(series.cast(pl.Duration("us")).to_numpy().astype("timedelta64[us]"))
    return _of_objects(series.to_list())


def _arrow(X: Any) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise ImportError("an Arrow table is read by pyarrow: pip install pyarrow") from None
    return X if isinstance(X, pa.Table) else pa.table(X)


def _of_arrow(column: Any) -> Column:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
        coded = coded.unify_dictionaries().combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0) if coded.num_chunks else pa.array([], coded.type)
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        texts = [_text(value) for value in coded.dictionary.to_pylist()]
        return ("category" if pa.types.is_dictionary(kind) else "text", codes, texts)
    if pa.types.is_boolean(kind):
        codes = column.cast(pa.int8()).fill_null(-1).to_numpy().astype(np.int64)
        return ("category", codes, ["False", "True"])
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        floats = column.cast(pa.float64()) if not pa.types.is_float32(kind) else column
        return _of_plain(floats.to_numpy())
    if pa.types.is_temporal(kind):
        values = column.to_numpy()
        if values.dtype.kind in "Mm":
            return _of_plain(values)
    return _of_objects(column.to_pylist())


def target(y: Any, name: str) -> tuple[Column, np.ndarray]:
    """A target of classes as a column, and the classes, sorted."""
    from sklearn.utils.multiclass import check_classification_targets

    y = one_column(y, numeric=False)
    check_classification_targets(y)
    classes = np.unique(y)
    if y.dtype.kind in "iu" and np.all(np.abs(classes.astype(np.float64)) < 2**53) or y.dtype.kind == "f":
        return (name, "number", y.astype(np.float64)), classes
    codes = np.searchsorted(classes, y)
    return (name, "category", codes.astype(np.int64), [_text(value) for value in classes]), classes


def one_column(y: Any, *, numeric: bool) -> np.ndarray:
    """A target as a one-dimensional array without missing values."""
    from sklearn.utils.validation import assert_all_finite, column_or_1d

    if hasattr(y, "to_numpy") and not isinstance(y, np.ndarray):
        y = y.to_numpy()
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "O" and any(_is_missing(value) for value in y):
        raise ValueError("Input y contains NaN: rows without a target cannot be learnt from; leave them out")
    if y.dtype.kind == "O" and all(isinstance(value, numbers.Real) for value in y):
        y = y.astype(np.float64 if numeric else np.asarray(y.tolist()).dtype)
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported as the target")
    if numeric:
        if y.dtype.kind in "US":
            raise ValueError("the target of a regression must be numbers, and these are text")
        y = y.astype(np.float64)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    return y
