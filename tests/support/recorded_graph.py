"""CUDA graphs on a machine without a GPU: operators are recorded, and replayed with the same memory.

As on a GPU, a replay does not run the program again: it repeats the operators and kernels on the memory of the capture.
Memory that was allocated during captures is the graphs' own, and any of it may hold something else by the time of a
replay; here all of it is filled with bytes of 255, NaN or -1, before every replay.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

READING = ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::equal')  # of values, which a capture does not have


@contextmanager
def recorded_graphs(module: Any = None, kernels: tuple[str, ...] = ()) -> Iterator[None]:
    """Within the context, ``torch.cuda.graph`` records.

    Args:
        module: A module with Triton kernels, which are interpreted (``run_interpreted``).
        kernels (tuple[str, ...]): Names of the kernels.
    """
    pool = _Pool()
    with ExitStack() as stack:
        for name, value in dict(CUDAGraph=lambda: _Graph(pool), graph=_capture, synchronize=lambda: None,
                                is_current_stream_capturing=lambda: pool.capturing is not None).items():
            stack.enter_context(patch(f'torch.cuda.{name}', value))
        for name in kernels:
            stack.enter_context(patch.object(module, name, _Kernel(getattr(module, name), pool)))
        yield


class _Pool:
    """Memory of all graphs, and the graph that is being captured."""

    def __init__(self) -> None:
        self.memory: dict[int, torch.UntypedStorage] = {}  # by address
        self.capturing: _Graph | None = None

    def owns(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage().data_ptr() in self.memory

    def spoil(self) -> None:
        for storage in self.memory.values():
            torch.empty(0, dtype=torch.uint8).set_(storage).fill_(255)


class _Graph:
    """In place of ``torch.cuda.CUDAGraph``."""

    def __init__(self, pool: _Pool) -> None:
        self.pool = pool
        self.calls: list[Callable[[], None]] = []

    @torch.no_grad()
    def replay(self) -> None:
        self.pool.spoil()
        for call in self.calls:
            call()


@contextmanager
def _capture(graph: _Graph, **options: Any) -> Iterator[None]:
    """In place of ``torch.cuda.graph``: nothing outside of the graph's memory changes, as nothing would be run."""
    recorder, random_state = _Recorder(graph), torch.get_rng_state()
    graph.pool.capturing = graph
    try:
        with recorder:
            yield
    finally:
        graph.pool.capturing = None
        torch.set_rng_state(random_state)
        for storage, before in recorder.changed.values():
            storage.copy_(before)


class _Recorder(TorchDispatchMode):
    def __init__(self, graph: _Graph) -> None:
        super().__init__()
        self.graph, self.pool = graph, graph.pool
        self.changed: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        schema, kwargs = function._schema, kwargs or {}
        assert schema.name not in READING, f'{schema.name} cannot be captured'
        for index, argument in enumerate(schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                for tensor in _tensors(args[index] if index < len(args) else kwargs.get(argument.name)):
                    self._keep(tensor)
        results = function(*args, **kwargs)
        given = {tensor.untyped_storage().data_ptr() for tensor in _tensors((args, kwargs))}
        made = [tensor.detach() for tensor in _tensors(results) if tensor.untyped_storage().data_ptr() not in given]
        self.pool.memory.update((tensor.untyped_storage().data_ptr(), tensor.untyped_storage()) for tensor in made
                                if tensor.numel())
        if schema.is_mutable or made and not schema.name.startswith('aten::empty'):
            held = tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, (args, kwargs))
            self.graph.calls.append(lambda: _repeat(function, *held, made))
        return results

    def _keep(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if not self.pool.owns(tensor):
            self.changed.setdefault(storage.data_ptr(), (storage, storage.clone()))


def _repeat(function: Any, args: Any, kwargs: Any, made: list[Tensor]) -> None:
    results = function(*args, **kwargs)
    given = {tensor.untyped_storage().data_ptr() for tensor in _tensors((args, kwargs))}
    fresh = [tensor for tensor in _tensors(results) if tensor.untyped_storage().data_ptr() not in given]
    for target, values in zip(made, fresh, strict=True):
        target.copy_(values)


class _Kernel:
    """In place of a Triton kernel: not run during a capture, but in the replays."""

    def __init__(self, kernel: Any, pool: _Pool) -> None:
        self.kernel, self.pool = kernel, pool

    def __getitem__(self, grid: Any) -> Callable[..., None]:
        def launch(*args: Any, **kwargs: Any) -> None:
            if self.pool.capturing is None:
                self.kernel[grid](*args, **kwargs)
            else:
                with _disable_current_modes():
                    self.pool.capturing.calls.append(lambda: run(args, kwargs))

        def run(args: Any, kwargs: Any) -> None:
            for tensor in _tensors((args, kwargs)):  # numbers and addresses of tensors
                assert tensor.is_floating_point() or bool((tensor >= 0).all()), 'a table has been overwritten'
            self.kernel[grid](*args, **kwargs)

        return launch


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
