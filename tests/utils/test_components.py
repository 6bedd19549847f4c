import pytest
from mmengine.registry import Registry

from leokit.utils import UserError
from leokit.utils.components import build_by_name

SHAPES = Registry('shapes')


@SHAPES.register_module()
class Circle:
    def __init__(self, radius, *, unit='px'):
        if not radius > 0:
            raise ValueError('radius must be positive')
        self.radius, self.unit = radius, unit


@SHAPES.register_module()
class Anything:
    def __init__(self, *args, **kwargs):
        self.options = kwargs


def test_a_name_and_options_build_a_component():
    circle = build_by_name(SHAPES, 'Circle', dict(radius=2))
    assert isinstance(circle, Circle) and (circle.radius, circle.unit) == (2, 'px')
    assert build_by_name(SHAPES, 'Anything', dict(color=3)).options == dict(color=3)


@pytest.mark.parametrize(('name', 'options', 'sentence'), [
    ('Circel', {}, "there is no shape Circel; did you mean 'Circle'"),
    ('Torus', {}, 'there is no shape Torus; choose one of Anything, Circle'),
    ('Circle', dict(radius=1, units='m'), "the shape Circle has no option units; did you mean 'unit'"),
    ('Circle', dict(radius=1, color=2), 'no option color; it has radius, unit'),
    ('Circle', {}, 'the shape Circle needs radius'),
    ('Circle', dict(radius=0), 'cannot be built with radius=0: .*radius must be positive'),
    ('Circle', dict(radius='a'), "cannot be built with radius='a'")])
def test_mistakes_are_explained_in_one_sentence(name, options, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        build_by_name(SHAPES, name, options, label='shape')
    assert '\n' not in str(caught.value)
