import pytest
import torch

from leokit.utils import check_shape


@pytest.mark.parametrize('shape', [(2, 3), (None, 3), (2, None), (None, None)])
def test_matching_shapes_pass(shape):
    check_shape('motion', torch.zeros(2, 3), shape)


@pytest.mark.parametrize('shape, wanted', [
    ((2, 4), r'\(2, 4\)'), ((None,), r'\(\*\)'), ((None, 3, 1), r'\(\*, 3, 1\)')])
def test_errors_name_the_expected_and_the_actual_shape(shape, wanted):
    with pytest.raises(ValueError, match=rf'motion must have shape {wanted}, got \(2, 3\)'):
        check_shape('motion', torch.zeros(2, 3), shape)


def test_only_a_scalar_has_the_empty_shape():
    check_shape('loss', torch.zeros(()), ())
    with pytest.raises(ValueError):
        check_shape('loss', torch.zeros(1), ())
