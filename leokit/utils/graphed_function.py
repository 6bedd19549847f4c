"""A function of tensors without gradients as one CUDA graph: hundreds of small kernels are launched at once.

For small batches a network takes longer to launch than to run. :mod:`leokit.utils.cuda_graphs` does the same for
training losses.
"""

import logging
from collections import OrderedDict
from typing import Callable, Hashable

import torch
from mmengine.logging import print_log
from torch import Tensor

WARMUP = 3  # calls before a capture, in which libraries select algorithms and allocate workspaces
MAX_GRAPHS = 4  # of one object; each has memory of its own


class GraphedFunction:
    """Calls a function, on CUDA as a graph that is captured in the first call; elsewhere it is simply called.

    The function must do the same work in every call: no randomness, no branches on values, nothing that waits for the
    device. It runs in inference mode. All inputs of later calls have the shapes and dtypes of the first call.

    Args:
        function (Callable): Maps tensors to a tuple of tensors. Other tensors that it reads must stay where they are.
        enabled (bool): Without it, the function is called on CUDA too.
        warmup (int): Calls before the capture.
    """

    def __init__(self, function: Callable[..., tuple[Tensor, ...]], *, enabled: bool = True,
                 warmup: int = WARMUP) -> None:
        self._function = function
        self._enabled = enabled
        self._warmup = warmup
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, ...] = ()
        self._outputs: tuple[Tensor, ...] = ()

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The function's result. On CUDA the next call overwrites it."""
        if not self._enabled or not all(x.is_cuda for x in inputs):
            with torch.inference_mode():
                return self._function(*inputs)
        with torch.inference_mode(), torch.cuda.device(inputs[0].device):
            if self._graph is None and not self._try_capture(inputs):
                return self._function(*inputs)
            for held, given in zip(self._inputs, inputs, strict=True):
                if held.shape != given.shape or held.dtype != given.dtype:
                    raise ValueError(f'the graph was captured for {held.dtype} of shape {tuple(held.shape)}, got '
                                     f'{given.dtype} of shape {tuple(given.shape)}')
                held.copy_(given, non_blocking=True)
            self._graph.replay()
            return self._outputs

    def _try_capture(self, inputs: tuple[Tensor, ...]) -> bool:
        """Capture the graph; a function that cannot be captured is called from now on, which is slower."""
        try:
            self._capture(inputs)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self._enabled = False
            self._inputs = self._outputs = ()
            print_log(f'CUDA graphs are not used, because the capture failed: {str(error).strip().splitlines()[0]}',
                      logger='current', level=logging.WARNING)
        return self._enabled

    def _capture(self, inputs: tuple[Tensor, ...]) -> None:
        self._inputs = tuple(x.clone() for x in inputs)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self._warmup):
                self._function(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        torch.clear_autocast_cache()  # of casts that are made outside of the graph
        graph = torch.cuda.CUDAGraph()
        # thread_local: other threads, such as one that pins memory, may use CUDA meanwhile
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):
            self._outputs = self._function(*self._inputs)
        torch.clear_autocast_cache()  # of casts that only a replay computes
        self._graph = graph  # set last: after a failed capture the next call tries again


class RepeatedCalls:
    """Runs functions, and from the second call of a kind on, on CUDA, as a graph: a single call costs no capture.

    The functions are as in :class:`GraphedFunction`; those of one kind are interchangeable. On CUDA, first calls run in
    inference mode too; results are copies made in the caller's mode.
    """

    def __init__(self) -> None:
        self._graphs: OrderedDict[Hashable, GraphedFunction | None] = OrderedDict()  # None: called once

    def __call__(self, function: Callable[..., tuple[Tensor, ...]], inputs: tuple[Tensor, ...],
                 kind: Hashable) -> tuple[Tensor, ...]:
        """The function's result.

        Args:
            function (Callable): Maps tensors to a tuple of tensors.
            inputs (tuple[Tensor, ...]): Its arguments.
            kind (Hashable): What the function does; shapes, types and autocast are added.
        """
        if not all(x.is_cuda for x in inputs):
            return function(*inputs)
        autocast = torch.get_autocast_dtype('cuda') if torch.is_autocast_enabled('cuda') else None
        kind = (kind, autocast, *((x.shape, x.dtype, x.device) for x in inputs))
        if kind in self._graphs:
            if self._graphs[kind] is None:
                self._graphs[kind] = GraphedFunction(function, warmup=0)  # the call before was the warm-up
            self._graphs.move_to_end(kind)
            outputs = self._graphs[kind](*inputs)
        else:
            # As in the capture, whose inputs are clones made in inference mode: torch.compile distinguishes modes,
            # inference tensors and strides, and would otherwise compile again within the capture.
            with torch.inference_mode(), torch.cuda.device(inputs[0].device):
                outputs = function(*(x.clone() for x in inputs))
            self._graphs[kind] = None
            while len(self._graphs) > MAX_GRAPHS:
                self._graphs.popitem(last=False)
        return tuple(output.clone() for output in outputs)  # normal tensors, outside inference mode

    def clear(self) -> None:
        """Forget all graphs, which read the tensors of their capture."""
        self._graphs.clear()

    def __deepcopy__(self, memo: dict) -> 'RepeatedCalls':
        return RepeatedCalls()  # graphs belong to one object

    def __reduce__(self) -> tuple:
        return RepeatedCalls, ()
