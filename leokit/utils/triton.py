"""Whether kernels written in Triton can run."""

from importlib.util import find_spec

HAS_TRITON = find_spec('triton') is not None
