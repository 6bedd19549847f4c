"""Students trained on a Gaussian by an exact teacher, and the way from a teacher's files to a student's."""

import pytest
import torch
from distillations.gaussian import MEAN, STD
from torch import nn

import leokit
from leokit.models import MotionDiffusion
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
    from leokit.distillations.distillation import check_pair
    with pytest.raises(UserError, match='different noise schedulers'):
        check_pair(other, student)
