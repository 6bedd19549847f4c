import pytest
import torch

from leokit.utils import weights_hash
from leokit.utils.hashing import stable_number

STATE = {'b': torch.arange(6.).reshape(2, 3), 'a': torch.tensor([1, 2])}


def test_order_and_memory_layout_do_not_matter():
    turned = {'a': STATE['a'].clone(), 'b': STATE['b'].t().contiguous().t().requires_grad_()}
    assert not turned['b'].is_contiguous()
    assert weights_hash(turned) == weights_hash(STATE) and len(weights_hash(STATE)) == 64


@pytest.mark.parametrize('change', [
    {'b': STATE['b'].reshape(3, 2)}, {'b': STATE['b'].double()}, {'a': torch.tensor([1, 3])}, {'c': torch.zeros(0)}])
def test_name_shape_type_and_value_matter(change):
    assert weights_hash({**STATE, **change}) != weights_hash(STATE)


def test_a_name_matters():
    assert weights_hash({'x': STATE['b'], 'a': STATE['a']}) != weights_hash(STATE)


def test_scalars_and_half_precision_have_a_hash():
    state = dict(a=torch.tensor(3.0), b=torch.ones(2, dtype=torch.bfloat16), c=torch.tensor(True))
    assert weights_hash(state) == weights_hash({key: tensor.clone() for key, tensor in state.items()})


def test_numbers_of_names():
    assert stable_number('clip', 16) == stable_number('clip/16') == 2649710705 != stable_number('clip', 17)
