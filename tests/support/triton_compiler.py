"""Triton kernels compiled for a GPU that the machine does not have."""

from collections.abc import Sequence
from typing import Any


def compile_for_hopper(kernel: Any, types: dict[str, str], constants: dict[str, Any], num_warps: int = 4,
                       multiples: Sequence[str] = ()) -> str:
    """The PTX of a kernel for sm_90, assembled too.

    Args:
        kernel (JITFunction): The kernel.
        types (dict[str, str]): Type of each argument, such as ``*fp32``; pointers are aligned to 16 bytes.
        constants (dict): Its compile-time arguments.
        num_warps (int): Warps of a program.
        multiples (Sequence[str]): Integer arguments that 16 divides.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    names = kernel.arg_names
    assert sorted(names) == sorted([*types, *constants])
    source = ASTSource(
        kernel, {name: types.get(name, 'constexpr') for name in names},
        {(names.index(name),): value for name, value in constants.items()},
        {(names.index(name),): [['tt.divisibility', 16]] for name in types
         if types[name].startswith('*') or name in multiples})
    compiled = triton.compile(source, target=GPUTarget('cuda', 90, 32), options=dict(num_warps=num_warps))
    assert compiled.asm['cubin']
    return compiled.asm['ptx']
