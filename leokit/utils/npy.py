"""Headers of ``.npy`` files whose rows are written one by one, or read in place."""

import io

import numpy as np

HEADER_BYTES = 128  # NumPy pads the headers of the shapes that leokit writes to this length


def npy_header(shape: tuple[int, ...], dtype: str | type[np.generic]) -> bytes:
    """The header that ``numpy.save`` writes for a C-ordered array, always ``HEADER_BYTES`` long.

    The length does not depend on the number of rows, so the header can be replaced when that number is known.
    """
    buffer = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(buffer, dict(descr=descr, fortran_order=False, shape=shape))
    header = buffer.getvalue()
    if len(header) != HEADER_BYTES:
        raise ValueError(f'numpy wrote a header of {len(header)} bytes for {shape}, expected {HEADER_BYTES}')
    return header
