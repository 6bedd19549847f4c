"""Triton kernels on a machine without a GPU."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def run_interpreted(file: str) -> None:
    """Run a test file as a program with Triton's interpreter, which must be chosen before kernels are imported."""
    environment = {**os.environ, 'TRITON_INTERPRET': '1', 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run([sys.executable, file], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def check_addresses(also: Sequence[Tensor] = ()) -> None:
    """From here on, an interpreted kernel that reads or writes beyond the tensors that it is given fails.

    Args:
        also (Sequence[Tensor]): More tensors that kernels may use at the time of their launch.
    """
    from triton.runtime import interpreter
    memory = _CheckedMemory(interpreter._interpreter)
    to_host = interpreter.GridExecutor._init_args_hst

    def noted(executor: Any, *arguments: Any) -> Any:
        on_host = to_host(executor, *arguments)
        memory.tensors = [x for x in (*on_host[0], *on_host[1].values()) if isinstance(x, Tensor)]
        memory.tensors += also
        return on_host

    interpreter.GridExecutor._init_args_hst = noted
    interpreter._interpreter = memory


def correct_bfloat16() -> None:
    """From here on, interpreted kernels round to the nearest bfloat16, and ``tl.dot`` multiplies bfloat16 values.

    The interpreter itself rounds toward zero and multiplies the bits as integers.
    """
    from triton.runtime import interpreter
    tl, convert, product = interpreter.tl, interpreter._convert_float, interpreter.InterpreterBuilder.create_dot

    def converted(values: np.ndarray, given: Any, wanted: Any, *arguments: Any) -> np.ndarray:
        if (given, wanted) != (tl.float32, tl.bfloat16):
            return convert(values, given, wanted, *arguments)
        rounded = torch.from_numpy(np.ascontiguousarray(values)).bfloat16()
        return rounded.view(torch.int16).numpy().view(np.uint16)

    def as_float32(matrix: Any) -> Any:
        if matrix.dtype.scalar != tl.bfloat16:
            return matrix
        return interpreter.TensorHandle((matrix.data.astype(np.uint32) << 16).view(np.float32), tl.float32)

    def product_of_values(builder: Any, left: Any, right: Any, *arguments: Any) -> Any:
        return product(builder, as_float32(left), as_float32(right), *arguments)

    interpreter._convert_float = converted
    interpreter.InterpreterBuilder.create_dot = product_of_values


class _CheckedMemory:
    """The interpreter's functions; those that take addresses check them."""

    def __init__(self, functions: Any):
        self.functions, self.tensors = functions, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.functions, name)

    def load(self, addresses: np.ndarray, mask: np.ndarray, other: np.ndarray, dtype: Any) -> np.ndarray:
        self._check(addresses, mask, np.dtype(dtype))
        return self.functions.load(addresses, mask, other, dtype)

    def store(self, addresses: np.ndarray, values: np.ndarray, mask: np.ndarray) -> Any:
        self._check(addresses, mask, values.dtype)
        return self.functions.store(addresses, values, mask)

    def atomic_rmw(self, kind: Any, addresses: np.ndarray, values: np.ndarray, mask: np.ndarray, order: Any) -> Any:
        self._check(addresses, mask, values.dtype)
        return self.functions.atomic_rmw(kind, addresses, values, mask, order)

    def _check(self, addresses: np.ndarray, mask: np.ndarray, dtype: np.dtype) -> None:
        used = np.broadcast_to(addresses, mask.shape)[mask.astype(bool)].astype(np.int64)
        inside = np.zeros(used.shape, bool)
        for tensor in self.tensors:
            last = sum((length - 1) * step for length, step in zip(tensor.shape, tensor.stride()))
            start, end = tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()
            inside |= (used >= start) & (used + dtype.itemsize <= end)
        assert inside.all(), f'{(~inside).sum()} addresses are in none of the tensors'
