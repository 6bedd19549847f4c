"""A training step of an animator as CUDA graphs: one per variant, with the weights of the losses as they are.

The tests on a GPU: python -m pytest tests/engine/test_graphed_animator_step.py -m gpu
"""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub

from leokit.datasets.transforms import BatchTransform
from leokit.engine.ema_hook import EMAHook
from leokit.engine.graphed_step import WARMUP, GraphedTrainStep, graph_obstacle
from leokit.engine.loss_ramp_hook import LossRampHook
from leokit.engine.optim_wrapper import AutocastOptimWrapper
from leokit.engine.train_loop import seed_iteration
from leokit.models import Animator
from leokit.registry import LOSSES, TRANSFORMS

SIZE, BATCH, ITERATIONS, INTERVAL = 32, 4, 40, 3
AUGMENTATION = [dict(type='PairedFlip'), dict(type='PairedElastic', strength=0.05),
                dict(type='PairedColorJitter', gamma=0.2),
                dict(type='MotionView', transforms=[dict(type='PairedColorJitter', light=0.3)])]
on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')]


class StandIn:
    """Replays a captured step by running it again, with the decisions of the capture and the tensors of now."""

    def __init__(self, step, variant, weights, iteration):
        self.step, self.variant, self.weights, self.iteration = step, variant, weights, iteration

    def replay(self):
        model, hub = self.step._model, MessageHub.get_current_instance()
        losses, now = model._weighted_losses(), hub.get_info('iter')
        current = [loss.weight for loss in losses]
        for loss, weight in zip(losses, self.weights):
            loss.weight = weight
        hub.update_info('iter', self.iteration)
        self.variant.outputs = self.step._step(self.step._inputs)
        hub.update_info('iter', now)
        for loss, weight in zip(losses, current):
            loss.weight = weight


class Training:
    """A small animator with a discriminator, a penalty every third iteration and two ramps."""

    def __init__(self, device, *, graphed, captures=True, dtype='float32', fused=False, transforms=()):
        LOSSES.get('L1Loss')  # imports the package
        torch.manual_seed(0)
        self.model = Animator(
            SIZE, 16, motion_dim=4, max_channels=8, encoder=dict(type='LIAEncoder', init='reference'),
            flow_generator=dict(type='LIAFlowGenerator', init='reference', inpaint=True),
            data_preprocessor=dict(type='PixelPreprocessor', transforms=transforms),
            training=dict(losses=[dict(type='L1Loss'), dict(type='WarpedSourceLoss', weight=0.5),
                                  dict(type='ChangedPixelLoss', weight=2.0)],
                          discriminator=dict(type='StyleGAN2Discriminator'),
                          adversarial=dict(type='NonSaturatingLoss', weight=0.3),
                          r1=dict(type='R1Penalty', weight=0.1, interval=INTERVAL))).to(device).train()
        self.wrapper = AutocastOptimWrapper(torch.optim.Adam(self.model.parameters(), lr=1e-3), dtype)
        self.ema = EMAHook(0.9)
        self.runner = SimpleNamespace(model=self.model, optim_wrapper=self.wrapper, iter=0)
        # the adversarial term appears at 11, the changed pixels fade in from a tenth
        self.hooks = [LossRampHook('adversarial', 20, begin=10, start=0.0), LossRampHook('changed', 30, start=0.1)]
        for hook in (self.ema, *self.hooks):
            hook.before_train(self.runner)
        self.step = GraphedTrainStep(self.model, self.wrapper, self.ema, fused_update=fused) if graphed else None
        if self.step is not None:
            self.step._enabled = captures
            if device == 'cpu' and not fused:
                self.step._capture = self._capture
        images = torch.rand(5, 2, BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
        images = images.mul(255).byte() if transforms else images * 2 - 1
        self.batches = [dict(inputs=dict(source=pair[0].to(device), driving=pair[1].to(device))) for pair in images]
        self.replays = 0

    def _capture(self, variant):
        weights = [loss.weight for loss in self.model._weighted_losses()]
        variant.graph = StandIn(self.step, variant, weights, self.runner.iter)

    def run(self, count=ITERATIONS):
        """The losses of every iteration, by name."""
        hub, values = MessageHub.get_instance('graphed animator'), []
        for iteration in range(count):
            self.runner.iter = iteration
            seed_iteration(0, iteration)
            hub.update_info('iter', iteration)
            for hook in self.hooks:
                hook.before_train_iter(self.runner, iteration)
            batch = self.batches[iteration % len(self.batches)]
            losses = self.model.train_step(batch, self.wrapper) if self.step is None else self.step(batch, iteration)
            self.ema.after_train_iter(self.runner, iteration)
            values.append({name: float(value.detach()) for name, value in losses.items()})
        return values


def compare(found, expected, tolerance):
    assert [one.keys() for one in found] == [other.keys() for other in expected]
    for one, other in zip(found, expected):
        for name, value in other.items():
            np.testing.assert_allclose(one[name], value, rtol=tolerance, atol=tolerance * 0.1, err_msg=name)


@pytest.mark.parametrize('device', ['cpu', pytest.param('cuda', marks=on_gpu)])
def test_it_is_the_usual_step(device):
    usual, graphed = Training(device, graphed=False), Training(device, graphed=True, captures=False)
    # Adam rounds differently with a learning rate on the device, and the networks drift apart
    compare(graphed.run(12), usual.run(12), 1e-2)


def test_a_replay_does_the_work_of_its_iteration():
    """With a stand-in for the CUDA graph."""
    eager, graphed = (Training('cpu', graphed=True, captures=captures) for captures in (False, True))
    expected, found = eager.run(), graphed.run()
    compare(found, expected, 1e-6)
    # before and after the adversarial term, with and without the penalty; each captured after its warm-up
    assert [variant.calls > WARMUP for variant in graphed.step._variants.values()] == [True] * 4
    assert all(variant.graph is not None for variant in graphed.step._variants.values())
    with_penalty = [bool(losses['loss_r1']) for losses in found]
    assert with_penalty == [iteration % INTERVAL == 0 for iteration in range(ITERATIONS)]
    assert ['loss_adversarial' in losses for losses in found] == [iteration > 10 for iteration in range(ITERATIONS)]
    for key, tensor in eager.model.state_dict().items():
        torch.testing.assert_close(graphed.model.state_dict()[key], tensor, rtol=1e-5, atol=1e-6,
                                   msg=lambda text, key=key: f'{key}: {text}')


@pytest.mark.parametrize('device', ['cpu', pytest.param('cuda', marks=on_gpu)])
def test_augmentation_is_part_of_the_graph_and_new_in_every_replay(device):
    eager, graphed = (Training(device, graphed=True, captures=captures, transforms=AUGMENTATION)
                      for captures in (False, True))
    usual = Training(device, graphed=False, transforms=AUGMENTATION)
    expected, found = eager.run(), graphed.run()
    assert all(variant.graph is not None for variant in graphed.step._variants.values())
    assert all(tensor.dtype == torch.uint8 for tensor in graphed.step._inputs.values())  # as they come
    compare(found[:20], expected[:20], 1e-6 if device == 'cpu' else 1e-2)
    compare(expected[:12], usual.run(12), 1e-2)  # Adam rounds differently with a learning rate on the device
    again = [float(graphed.step(graphed.batches[0], ITERATIONS)['loss_l1']) for _ in range(2)]
    assert again[0] != again[1]  # the generator has not been seeded in between


def test_augmentation_that_cannot_be_captured_stays_outside(caplog):
    training = Training('cpu', graphed=True, transforms=AUGMENTATION)
    captured = []

    def capture(variant):
        if training.step._augments:
            raise RuntimeError('operation not permitted when stream is capturing')
        captured.append(variant)
        training._capture(variant)

    training.step._capture = capture
    usual = Training('cpu', graphed=True, captures=False, transforms=AUGMENTATION)
    compare(training.run(), usual.run(), 1e-6)
    assert len(captured) == 4 and all(tensor.is_floating_point() for tensor in training.step._inputs.values())


class RandomOfPython(BatchTransform):
    """As a user may write it: the graph would repeat its number for ever."""

    def sample_parameters(self, active, generator):
        return torch.full((len(active),), random.random()).to(active.device)

    def apply_to(self, images, parameters):
        return images * parameters[:, None, None, None]


@pytest.mark.parametrize('in_view', [False, True])
def test_augmentation_by_numbers_of_python_stays_outside(monkeypatch, in_view):
    monkeypatch.setitem(TRANSFORMS.module_dict, 'RandomOfPython', RandomOfPython)
    own = dict(type='RandomOfPython')
    training = Training('cpu', graphed=True, transforms=[
        dict(type='PairedFlip'), dict(type='MotionView', transforms=[own]) if in_view else own])
    training.run(WARMUP + 6)
    held = training.step._inputs
    assert held and all(tensor.is_floating_point() for tensor in held.values())  # already augmented
    assert ('motion_view' in held) == in_view


def test_a_later_capture_that_fails_leaves_the_graphs_before_it():
    training = Training('cpu', graphed=True, transforms=AUGMENTATION)
    replays = []

    def capture(variant):
        if any(other.graph for other in training.step._variants.values()):
            raise RuntimeError('operation not permitted when stream is capturing')
        training._capture(variant)
        replay = variant.graph.replay
        variant.graph.replay = lambda: replays.append(training.runner.iter) or replay()

    training.step._capture = capture
    usual = Training('cpu', graphed=True, captures=False, transforms=AUGMENTATION)
    for step in (training, usual):  # pixels instead of bytes, which augmentation takes too and gives
        for batch in step.batches:
            batch['inputs'] = {name: image / 127.5 - 1 for name, image in batch['inputs'].items()}
    compare(training.run(), usual.run(), 1e-6)
    assert len(replays) > 2 and replays[-1] > replays[0] + INTERVAL  # after the failure, too


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('compiled, fused', [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize('device', [pytest.param('cuda', marks=[*on_gpu, pytest.mark.timeout(600)])])
def test_a_replay_is_the_eager_step(device, compiled, fused, dtype):
    eager, graphed = (Training(device, graphed=True, captures=captures, dtype=dtype, fused=fused)
                      for captures in (False, True))
    if compiled:
        for training in (eager, graphed):
            training.model.compile_parts()
    expected, found = eager.run(), graphed.run()
    assert all(variant.graph is not None for variant in graphed.step._variants.values())
    count = 20  # atomic additions and half precision let the two trainings drift apart
    compare(found[:count], expected[:count], 1e-2 if dtype == 'float32' else 5e-2)


def test_the_weights_are_numbers_outside_of_a_step():
    training = Training('cpu', graphed=True)
    training.run()
    assert training.model.device_weights is None
    assert training.model.loss_weights() == dict(l1=1.0, warp=0.5, changed=2.0, adversarial=0.3)


def test_it_must_be_asked_for(monkeypatch):
    monkeypatch.setattr('leokit.engine.graphed_step.device_of', lambda model: torch.device('cuda'))
    training = Training('cpu', graphed=False)
    runner = SimpleNamespace(model=training.model, optim_wrapper=training.wrapper, distributed=False, cfg={},
                             hooks=[training.ema, *training.hooks], param_schedulers=[])
    assert graph_obstacle(runner) is None and not training.model.cuda_graph_by_default
