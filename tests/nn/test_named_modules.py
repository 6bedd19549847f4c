"""A list of modules with names in its state dict."""

import pytest
import torch
from torch import nn

from leokit.nn.named_modules import NamedModules


def test_it_is_a_list_with_names_in_the_state_dict():
    first, second = nn.Linear(2, 3), nn.Linear(3, 1, bias=False)
    modules = NamedModules([('a', first), ('b', second)])
    assert len(modules) == 2 and list(modules) == [first, second] and modules[1] is second and modules[-2] is first
    assert list(modules.state_dict()) == ['a.weight', 'a.bias', 'b.weight']
    assert not len(NamedModules())


def test_weights_are_found_at_another_place_of_the_list():
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    NamedModules([('x', nn.ReLU()), ('a', target)]).load_state_dict(NamedModules([('a', source)]).state_dict())
    assert torch.equal(target.weight, source.weight)


def test_names_must_differ():
    with pytest.raises(ValueError, match="two modules have the name 'a'"):
        NamedModules([('a', nn.ReLU()), ('a', nn.ReLU())])


@pytest.mark.parametrize('name', ['a.b', '', 'training', 3])
def test_names_that_modules_cannot_have(name):
    with pytest.raises(ValueError, match=f'a module cannot have the name {name!r}'):
        NamedModules([(name, nn.ReLU())])
