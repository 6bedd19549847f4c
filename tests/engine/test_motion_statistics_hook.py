from types import SimpleNamespace

import pytest
from torch import nn

from leokit.engine import MotionStatisticsHook
from leokit.models import CodeNormalizer
from leokit.utils import UserError
from leokit.utils.same_animator import CodeOrigin


class Normalizer:
    statistics_set = False
    known = None

    def set_statistics(self, mean, std, residual_std=None, *, animator_hash):
        self.known = (mean, std, residual_std, animator_hash)
        self.statistics_set = True


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.normalizer = Normalizer()

    @property
    def code_origin(self):
        return CodeOrigin('the model', self.normalizer.known[-1])


class Codes:
    animator_hash = 'ab' * 32

    def statistics(self):
        return dict(mean=1, std=2, residual_std=3, count=99)


def runner(model, codes):
    return SimpleNamespace(model=model, train_dataloader=SimpleNamespace(dataset=codes))


def test_the_model_gets_the_statistics_of_the_training_data():
    model = Model()
    MotionStatisticsHook().before_train(runner(model, Codes()))
    assert model.normalizer.known == (1, 2, 3, 'ab' * 32)


def test_statistics_of_a_checkpoint_are_kept_for_the_same_animator():
    model = Model()
    model.normalizer.set_statistics(7, 8, 9, animator_hash='ab' * 32)
    MotionStatisticsHook().before_train(runner(model, Codes()))
    assert model.normalizer.known == (7, 8, 9, 'ab' * 32)


def test_codes_of_another_animator_are_an_error():
    model = Model()
    model.normalizer.set_statistics(7, 8, 9, animator_hash='cd' * 32)
    with pytest.raises(UserError, match='the model and the training codes belong to different animators'):
        MotionStatisticsHook().before_train(runner(model, Codes()))


def test_single_codes_have_no_residuals():
    class Frames(Codes):
        def statistics(self):
            return dict(mean=1, std=2)

    model = Model()
    MotionStatisticsHook().before_train(runner(model, Frames()))
    assert model.normalizer.known == (1, 2, None, 'ab' * 32)


def test_the_frame_rate_of_the_codes_is_kept_and_checked():
    class Sequences(Codes):
        fps = 30000 / 1001

    model = Model()
    model.normalizer = CodeNormalizer(2, residuals=True)
    model.normalizer.set_statistics([1, 1], [2, 2], [3, 3], animator_hash='ab' * 32)
    Model.code_origin, before = CodeOrigin('the model', 'ab' * 32), Model.code_origin
    try:
        MotionStatisticsHook().before_train(runner(model, Sequences()))
        assert model.normalizer.fps == 30000 / 1001
        Sequences.fps = 25
        with pytest.raises(UserError, match='29.97 frames per second, and these codes have 25'):
            MotionStatisticsHook().before_train(runner(model, Sequences()))
    finally:
        Model.code_origin = before


class Encoder:
    known = None

    def set_statistics(self, mean, std):
        self.known = (mean, std)


@pytest.mark.parametrize('encoder, control, expected', [
    (Encoder(), dict(mean=4, std=5), (4, 5)), (Encoder(), None, None), (None, dict(mean=4, std=5), None)])
def test_statistics_of_the_control(encoder, control, expected):
    model, codes = Model(), Codes()
    model.conditioning = SimpleNamespace(control_encoder=encoder)
    codes.control_statistics = lambda: control
    MotionStatisticsHook().before_train(runner(model, codes))
    assert getattr(encoder, 'known', None) == expected and model.normalizer.known == (1, 2, 3, 'ab' * 32)


@pytest.mark.parametrize('fps', [None, 0, 25.0])
def test_a_known_frame_rate_is_set(fps):
    model, codes = Model(), Codes()
    model.normalizer = CodeNormalizer(1, residuals=True)
    codes.statistics = lambda: dict(mean=[1.0], std=[2.0], residual_std=[3.0])
    codes.fps = fps
    MotionStatisticsHook().before_train(runner(model, codes))
    assert model.normalizer.fps == (fps or None)
    single = Model()  # single codes have no rate
    MotionStatisticsHook().before_train(runner(single, codes))
    assert not hasattr(single.normalizer, 'frame_rate')
