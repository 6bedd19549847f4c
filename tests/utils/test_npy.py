import io

import numpy as np
import pytest

from leokit.utils.npy import HEADER_BYTES, npy_header


@pytest.mark.parametrize('shape', [(0, 20), (7, 3), (3, 4, 5, 3), (12, 3, 8, 8)])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_the_header_is_that_of_numpy(shape, dtype):
    array, file = np.zeros(shape, dtype), io.BytesIO()
    np.save(file, array)
    assert npy_header(shape, dtype) + array.tobytes() == file.getvalue()


@pytest.mark.parametrize('count', [0, 1, 10**12])
def test_the_length_does_not_depend_on_the_number_of_rows(count):
    assert len(npy_header((count, 2160, 3840, 3), np.uint8)) == HEADER_BYTES


def test_a_shape_that_needs_a_longer_header_is_refused():
    with pytest.raises(ValueError, match='expected 128'):
        npy_header((1,) * 30, np.uint8)
