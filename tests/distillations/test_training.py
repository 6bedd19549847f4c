"""Students trained on a Gaussian by an exact teacher, and the way from a teacher's files to a student's."""

import copy

import pytest
import torch
from distillations.gaussian import MEAN, STD
from torch import nn

import leokit
from leokit.distillations import Distillation
from leokit.distillations.distillation import check_pair
from leokit.models import MotionDiffusion
from leokit.models.motion_conditioning import Given
from leokit.motion_conditions import ConcatMotionCondition
from leokit.noise_schedulers import FlowMatchingScheduler
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError

T = 2
FLOW = dict(type='FlowMatchingScheduler', num_train_timesteps=64)
UNET = dict(type='UNet1D', channels=(32,), num_blocks=1, attention_levels=(), embedding_dim=32, head_dim=16)


@DIFFUSION_BACKBONES.register_module()
class AffinePerTime(nn.Module):
    """``v = a_t x + b_t``, which can represent every map between Gaussians."""

    def __init__(self, motion_dim, times=64):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.zeros(times)), nn.Parameter(torch.zeros(times))

    def forward(self, x, t, cond=None):
        return self.scale[t][:, None, None] * x + self.shift[t][:, None, None]


def build(backbone=None, **options):
    torch.manual_seed(0)
    model = MotionDiffusion(1, T, backbone=backbone or dict(type='AffinePerTime'), noise_scheduler=FLOW,
                            prediction_type='v', **{'motion_condition': dict(type='NoMotionCondition'), **options})
    model.normalizer.set_statistics([0.0], [1.0], animator_hash='ab' * 32)
    return model


def exact_teacher():
    """The exact field of straight paths: v = (eps - x0) given x_s, a regression of Gaussians."""
    teacher, s = build(), torch.arange(1, 65) / 64
    slope = (s - (1 - s) * STD ** 2) / ((1 - s) ** 2 * STD ** 2 + s ** 2)  # Cov(eps - x0, x_s) / Var(x_s)
    with torch.no_grad():
        teacher.backbone.scale.copy_(slope)
        teacher.backbone.shift.copy_(-MEAN - slope * (1 - s) * MEAN)
    return teacher.eval()


def train(student, iterations):
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
    for _ in range(iterations):
        motion = MEAN + STD * torch.randn(512, T, 1, generator=generator)
        optimizer.zero_grad()
        student.loss(dict(motion=motion), generator=generator)['loss_diffusion'].backward()
        optimizer.step()
        schedule.step()
    return student.eval()


def moments(model, **sampler):
    noise = torch.randn(4000, T, 1, generator=torch.Generator().manual_seed(1))
    motion = model.sample(torch.zeros(4000, 1), noise=noise, sampler=sampler)
    return float(motion.mean()), float(motion.std())


@pytest.mark.parametrize('method, sampler', [
    (dict(type='ProgressiveDistillation', num_steps=1, teacher_steps=16), dict(type='EulerSampler')),
    (dict(type='ProgressiveDistillation', num_steps=2, teacher_steps=8), dict(type='DDIMSampler')),
    (dict(type='ConsistencyDistillation', segments=1, num_scales=16), dict(type='EulerSampler')),
    (dict(type='ConsistencyDistillation', segments=2, num_scales=16), dict(type='DDIMSampler')),
    (dict(type='ConsistencyDistillation', segments=1, num_scales=16), dict(type='ConsistencySampler')),
])
def test_a_student_has_the_teachers_distribution_in_few_steps(method, sampler):
    iterations = 200 if 'num_steps' in method else 1000  # consistency passes the targets on from time to time
    steps = method.get('num_steps') or method['segments']
    teacher = exact_teacher()
    student = build(training=dict(distillation=dict(method, teacher=dict(checkpoint='teacher'))))
    student.load_state_dict(teacher.state_dict())
    student.distillation._teacher = teacher
    few = dict(sampler, num_inference_steps=steps)
    if steps == 1:  # one step of the teacher ends at the mean of the data
        assert moments(teacher, **few)[1] < 0.01
    mean, std = moments(train(student, iterations), **few)
    reference = moments(teacher, type='EulerSampler', num_inference_steps=16)  # with the teacher's error of 16 steps
    assert abs(mean - reference[0]) < 0.02 and abs(std - reference[1]) < 0.02


def test_a_student_starts_from_the_files_of_its_teacher(tmp_path):
    teacher = build(UNET, motion_condition=dict(type='LinearMotionCondition'))
    torch.nn.init.normal_(teacher.backbone.out.weight, std=0.1)
    options = dict(type='MotionDiffusion', motion_dim=1, num_frames=T, backbone=UNET, noise_scheduler=FLOW,
                   prediction_type='v', motion_condition=dict(type='LinearMotionCondition'))
    teacher.cfg = leokit.utils.config.Config(dict(default_scope='leokit', model=options))
    teacher.save_pretrained(tmp_path / 'teacher')
    method = dict(type='ProgressiveDistillation', num_steps=1, teacher=dict(checkpoint=str(tmp_path / 'teacher')))
    student = build(UNET, motion_condition=dict(type='LinearMotionCondition'), training=dict(distillation=method))
    student.load_state_dict(teacher.state_dict())
    motion = torch.randn(3, T, 1)
    before = student.loss(dict(motion=motion))['loss_diffusion']
    before.backward()
    assert before > 0 and not any(parameter.requires_grad for parameter in student.distillation._teacher.parameters())
    assert not any('teacher' in key for key in student.state_dict())
    student.normalizer.std.mul_(2)
    student.distillation._teacher = None
    with pytest.raises(UserError, match='another std of the codes than its teacher'):
        student.loss(dict(motion=motion))


def test_the_process_of_the_teacher_is_required():
    student = build(training=dict(distillation=dict(
        type='ProgressiveDistillation', num_steps=1, teacher=dict(checkpoint='teacher'))))
    other = build()
    other.diffusion.scheduler = leokit.noise_schedulers.CosineNoiseScheduler(64)
    with pytest.raises(UserError, match='different noise schedulers'):
        check_pair(other, student)


class Constant(Distillation):
    """Every sample has the time 9 and the target 2."""

    def time_table(self, scheduler):
        return torch.tensor([[9, -1]])

    def target(self, teacher, student, scheduler, x_t, times):
        assert not torch.is_grad_enabled() and [time.tolist() for time in times] == [[9] * 3, [-1] * 3]
        return torch.full_like(x_t, 2.0)


def constant_student():
    student = build()
    student.distillation = Constant(dict(checkpoint='teacher'))
    student.distillation._teacher = exact_teacher()
    return student


def test_the_loss_is_the_squared_error_of_the_velocity():
    """(a x_t + b - 2)^2 at s = 10 / 64, where x_t = (1 - s) x0 + s eps; the mean over the frames that count."""
    student, generator = constant_student(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        student.backbone.scale.fill_(0.5)
        student.backbone.shift.fill_(-1.0)
    x0 = torch.randn(3, T, 1, generator=generator)
    expected_generator = torch.Generator().manual_seed(2)
    torch.randint(0, 1, (3,), generator=expected_generator)  # the times come first
    x_t = (1 - 10 / 64) * x0 + 10 / 64 * torch.randn(3, T, 1, generator=expected_generator)
    squares = (0.5 * x_t - 1 - 2).square()
    counted = torch.tensor([[True, True], [True, False], [False, False]])
    state = torch.get_rng_state()
    for mask, expected in ((None, squares.mean()), (counted, squares[counted].mean()),
                           (torch.zeros_like(counted), torch.tensor(0.0))):
        loss = student.distillation.loss(student, x0, Given(None), counted=mask,
                                         generator=torch.Generator().manual_seed(2))
        assert torch.allclose(loss, expected, rtol=1e-5)
    assert torch.equal(torch.get_rng_state(), state)
    loss.backward()


def test_times_are_rows_of_the_table():
    method, scheduler = Constant(dict(checkpoint='teacher')), build().diffusion.scheduler
    method.time_table = lambda scheduler: torch.tensor([[7, 3], [3, 1], [1, -1]])
    for generator in (None, torch.Generator().manual_seed(0)):
        torch.manual_seed(0)
        t, t_end = method.sample_times(scheduler, 300, device=torch.device('cpu'), generator=generator)
        assert t.dtype == torch.int64
        assert torch.bincount(t, minlength=8)[[7, 3, 1]].min() > 70  # a third each
        assert torch.equal(t_end, torch.tensor([0, -1, 0, 1, 0, 0, 0, 3])[t])


def test_a_copy_of_a_distillation_loads_its_teacher_anew():
    method = constant_student().distillation
    method.sample_times(None, 1, device=torch.device('cpu'))
    copied = copy.deepcopy(method)
    assert copied._teacher is None and copied._table is None and copied.source == dict(checkpoint='teacher')


@pytest.mark.parametrize('teacher', [{}, dict(config='a.py'), dict(checkpoint=''), dict(checkpoint='a', name='b')])
def test_a_teacher_is_a_checkpoint_and_perhaps_a_config(teacher):
    with pytest.raises(UserError, match='teacher must be dict'):
        Constant(teacher)


@pytest.mark.parametrize('change, message', [
    (lambda other: setattr(other.diffusion, 'scheduler', FlowMatchingScheduler(32)), 'different noise schedulers'),
    (lambda other: setattr(other.diffusion, 'scheduler', FlowMatchingScheduler(64, shift=2.0)), 'different noise'),
    (lambda other: setattr(other, 'motion_condition', ConcatMotionCondition()), 'has a NoMotionCondition and its'),
    (lambda other: other.normalizer.mean.add_(1), 'another mean of'),
    (lambda other: other.normalizer.residual_std.mul_(2), 'another residual_std of')])
def test_what_teacher_and_student_share(change, message):
    teacher = build()
    check_pair(teacher, build())
    change(teacher)
    with pytest.raises(UserError, match=message):
        check_pair(teacher, build())


def test_the_signal_and_the_noise_are_compared():
    """A process with the signal of the student's and another noise, and the other way round."""
    for level in ('signal_level', 'noise_level'):
        teacher = build()
        usual = getattr(teacher.diffusion.scheduler, level)
        setattr(teacher.diffusion.scheduler, level, lambda t, usual=usual: usual(t) / 2)
        with pytest.raises(UserError, match='different noise schedulers'):
            check_pair(teacher, build())


@pytest.mark.parametrize('distillation', [
    dict(type='ProgressiveDistillation', num_steps=2, teacher_steps=4),
    dict(type='ConsistencyDistillation', segments=2, num_scales=8)])
def test_the_loss_is_a_function_of_the_generator(distillation):
    student = build(training=dict(distillation=dict(distillation, teacher=dict(checkpoint='teacher'))))
    student.distillation._teacher = exact_teacher()
    motion = torch.randn(8, T, 1, generator=torch.Generator().manual_seed(2))
    losses = []
    for seed in (3, 3, 4):
        torch.manual_seed(len(losses))  # which has no influence
        losses.append(float(student.loss(dict(motion=motion), generator=torch.Generator().manual_seed(seed))[
            'loss_diffusion'].detach()))
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize('method', [dict(type='ProgressiveDistillation', num_steps=1, teacher_steps=8),
                                    dict(type='ConsistencyDistillation', segments=1, num_scales=8)])
def test_compiled_are_the_networks_of_student_and_teacher(method, monkeypatch):
    """Each once for training and without gradients, however often they are evaluated, and the loss stays the same."""
    graphs = []

    def backend(graph, example_inputs):
        graphs.append(graph)
        return graph.forward

    motion = torch.randn(4, T, 1, generator=torch.Generator().manual_seed(0))
    losses = []
    for compiled in (False, True):
        student = build(training=dict(distillation=dict(method, teacher=dict(checkpoint='teacher'))))
        monkeypatch.setattr('leokit.inference.load', lambda *args, **options: exact_teacher())
        if compiled:
            student.compile_parts(backend=backend)
        torch.manual_seed(1)
        losses.append(student(dict(motion=motion), mode='loss')['loss_diffusion'].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) and losses[0] > 0
    assert len(graphs) == (2 if method['type'] == 'ProgressiveDistillation' else 3)
    torch.compiler.reset()
