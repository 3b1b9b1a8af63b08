"""Snapshots as files: trees of dictionaries, lists, numbers and tensors as safetensors, which run nothing when read."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

#: The key of the only metadata entry.
KEY = "downhill"

_NUMPY = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NAMES = {np.dtype(kind): name for name, kind in _NUMPY.items()}
#: A longer header is not one that was written here.
_LONGEST_HEADER = 1 << 30


class DamagedError(ValueError):
    """A file that is not what was written."""


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a tree: aside, synced, and renamed into place."""
    tensors: list[tuple[str, str, list[int], Any]] = []
    skeleton = _flatten(tree, "snapshot", tensors)
    header: dict[str, Any] = {"__metadata__": {KEY: json.dumps({"kind": "session", "tree": skeleton})}}
    at = 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + data.nbytes]}
        at += data.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target = Path(path)
    descriptor, aside = tempfile.mkstemp(prefix=target.name + ".", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(struct.pack("<Q", len(text)))
            file.write(text)
            for *_, data in tensors:
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a tree that was saved.

    Raises
    ------
    DamagedError
        If the file is not what was written.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > min(_LONGEST_HEADER, len(content) - 8):
            raise DamagedError("its header is longer than the file")
        header = json.loads(content[8 : 8 + length])
        about = json.loads(header.pop("__metadata__")[KEY])
        data = memoryview(content)[8 + length :]
        if max((entry["data_offsets"][1] for entry in header.values()), default=0) != len(data):
            raise DamagedError("its tensors are not as long as its header says")
        return _build(about["tree"], header, data)
    except DamagedError as error:
        raise DamagedError(f"{os.fspath(path)} is damaged: {error}") from None
    except (KeyError, TypeError, ValueError, IndexError, struct.error) as error:
        raise DamagedError(f"{os.fspath(path)} is damaged: {error!r}") from None


def _flatten(value: Any, path: str, tensors: list[tuple[str, str, list[int], Any]]) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"$int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.generic):
        return {"$numpy": value.dtype.name, "value": _flatten(value.item(), path, tensors)}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _flatten(item, f"{path}.{key}", tensors) for key, item in value.items()}
        items = [[_flatten(key, path, tensors), _flatten(item, f"{path}.{key}", tensors)] for key, item in value.items()]
        return {"$dict": items}
    if isinstance(value, list):
        return [_flatten(item, f"{path}.{at}", tensors) for at, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"$tuple": [_flatten(item, f"{path}.{at}", tensors) for at, item in enumerate(value)]}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        shape, held = list(value.shape), value.detach().cpu().contiguous()
        if held.dtype == torch.bfloat16:
            dtype, array = "BF16", held.view(torch.int16).numpy()
        else:
            array = held.numpy()
            dtype = _dtype_of(array, path)
        tensors.append((path, dtype, shape, np.ascontiguousarray(array).reshape(-1)))
        return {"$torch": path}
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        tensors.append((path, _dtype_of(array, path), list(array.shape), np.ascontiguousarray(array).reshape(-1)))
        return {"$array": path}
    raise TypeError(
        f"{path} is a {type(value).__name__}, which cannot be written into a checkpoint: a snapshot is made of "
        "dictionaries, lists, tuples, numbers, text, None, NumPy arrays and tensors"
    )


def _dtype_of(array: np.ndarray, path: str) -> str:
    if array.dtype not in _NAMES:
        raise TypeError(f"{path} is an array of {array.dtype}, which a checkpoint has no word for")
    return _NAMES[array.dtype]


def _build(tree: Any, header: dict[str, Any], data: memoryview) -> Any:
    if isinstance(tree, list):
        return [_build(item, header, data) for item in tree]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"$int": text}:
            return int(text)
        case {"$float": text}:
            return float(text)
        case {"$numpy": name, "value": value}:
            return np.dtype(name).type(_build(value, header, data))
        case {"$dict": items}:
            return {_key(_build(key, header, data)): _build(item, header, data) for key, item in items}
        case {"$tuple": items}:
            return tuple(_build(item, header, data) for item in items)
        case {"$array": name}:
            return _array(header[name], data)
        case {"$torch": name}:
            import torch

            entry = header[name]
            if entry["dtype"] == "BF16":
                bits = _array({**entry, "dtype": "I16"}, data)
                return torch.from_numpy(bits).view(torch.bfloat16)
            return torch.from_numpy(_array(entry, data))
    return {key: _build(item, header, data) for key, item in tree.items()}


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _array(entry: dict[str, Any], data: memoryview) -> np.ndarray:
    begin, end = entry["data_offsets"]
    return np.frombuffer(data[begin:end], dtype=_NUMPY[entry["dtype"]]).reshape(entry["shape"]).copy()
