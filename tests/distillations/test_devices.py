"""Training of students and sampling on CUDA; without one, with fake tensors, which refuse to mix devices."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import leokit
from leokit.models import MotionDiffusion

UNET = dict(type='UNet1D', channels=(32,), num_blocks=1, attention_levels=(), embedding_dim=32, head_dim=16)
METHODS = [dict(type='ProgressiveDistillation', num_steps=2, teacher_steps=2),
           dict(type='ConsistencyDistillation', segments=2, num_scales=8)]
SAMPLERS = ['DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler', 'EulerSampler', 'ConsistencySampler']


def build(scheduler, method=None):
    torch.manual_seed(0)
    training = dict(distillation=dict(method, teacher=dict(checkpoint='teacher'))) if method else None
    model = MotionDiffusion(3, 4, backbone=UNET, prediction_type='v', training=training,
                            noise_scheduler=dict(type=scheduler, num_train_timesteps=1000))
    model.normalizer.set_statistics([0.0] * 3, [1.0] * 3, animator_hash='ab' * 32)
    return model


def to_fake_cuda(model):
    """Replace all tensors of a model by fake ones; call within a FakeTensorMode."""
    def fake(tensor):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device='cuda')
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(fake(parameter)))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, fake(buffer))
    return model


def train_and_sample(student, device):
    loss = student.loss(dict(motion=torch.randn(2, 4, 3, device=device)))['loss_diffusion']
    assert loss.device.type == device
    for sampler in SAMPLERS:
        motion = student.sample(torch.zeros(2, 3, device=device), sampler=dict(type=sampler, num_inference_steps=3))
        assert motion.shape == (2, 4, 3) and motion.device.type == device
    return loss


@pytest.mark.parametrize('method', METHODS, ids=lambda method: method['type'])
@pytest.mark.parametrize('scheduler', ['FlowMatchingScheduler', 'LinearNoiseScheduler'])
def test_no_tensor_stays_on_the_cpu(monkeypatch, scheduler, method):
    teacher, student = build(scheduler).eval(), build(scheduler, method)
    monkeypatch.setattr('leokit.inference.load', lambda *args, **options: teacher)
    monkeypatch.setattr(torch, 'equal', lambda a, b: (a == b).shape == a.shape)  # fake tensors have no values
    with FakeTensorMode():
        to_fake_cuda(teacher), to_fake_cuda(student)
        train_and_sample(student, 'cuda')


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')
@pytest.mark.parametrize('method', METHODS, ids=lambda method: method['type'])
def test_the_loss_of_a_student_on_cuda_is_that_on_the_cpu(monkeypatch, method):
    losses = {}
    motion = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr('leokit.inference.load',
                        lambda *args, device, expect: build('FlowMatchingScheduler').to(device).eval())
    for device in ('cpu', 'cuda'):
        student = build('FlowMatchingScheduler', method).to(device)
        nn.init.constant_(student.backbone.out.weight, 0.1)
        losses[device] = student.loss(dict(motion=motion.to(device)),
                                      generator=torch.Generator().manual_seed(2))['loss_diffusion'].item()
        train_and_sample(student, device).backward()
        assert student.backbone.out.weight.grad.device.type == device
    assert losses['cuda'] == pytest.approx(losses['cpu'], rel=1e-3) and losses['cpu'] > 0


def test_fake_tensors_refuse_to_mix_devices():
    with FakeTensorMode(), pytest.raises(RuntimeError, match='same device'):
        leokit.noise_schedulers.FlowMatchingScheduler(4).signal_level(torch.arange(4)) + torch.ones(4, device='cuda')
