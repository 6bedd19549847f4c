import pytest

from leokit.utils import UserError
from leokit.utils.same_animator import CodeOrigin, check_same_animator

ANIMATOR = CodeOrigin('the animator a.pth', 'ab' * 32, 20)
MOTION = CodeOrigin('the motion diffusion m.pth', 'ab' * 32, 20)


def test_one_animator():
    check_same_animator(ANIMATOR, MOTION, CodeOrigin('codes', 'ab' * 32), CodeOrigin('untrained', None, 20))


@pytest.mark.parametrize('other, message', [
    (MOTION._replace(animator_hash='cd' * 32), 'the animator a.pth and the motion diffusion m.pth belong to different '
                                               'animators .abababababab and cdcdcdcdcdcd.; pass checkpoints'),
    (MOTION._replace(motion_dim=5), 'the motion diffusion m.pth have different motion dimensions .20 and 5.')])
def test_two_animators(other, message):
    with pytest.raises(UserError, match=message):
        check_same_animator(ANIMATOR, other)
    with pytest.raises(UserError, match='delete it'):  # the first is unknown: the others are compared all the same
        check_same_animator(CodeOrigin('new', None), other, ANIMATOR, remedy='delete it')
