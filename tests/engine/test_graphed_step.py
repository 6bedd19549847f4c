"""A training step with everything on the device, eager and as a CUDA graph.

The tests on a GPU: python -m pytest tests/engine/test_graphed_step.py -m gpu --noconftest
"""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook, IterTimerHook
from mmengine.optim import OptimWrapper

from leokit.datasets import CodeCacheWriter
from leokit.engine import LeoRunner
from leokit.engine.ema_hook import EMAHook
from leokit.engine.graphed_step import WARMUP, GraphedTrainStep, graph_obstacle
from leokit.engine.loss_ramp_hook import LossRampHook
from leokit.engine.loss_watch_hook import LossWatchHook
from leokit.engine.optim_wrapper import AutocastOptimWrapper
from leokit.engine.train_loop import seed_iteration
from leokit.models import MotionDiffusion
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint

N, FRAMES, BATCH, DECAY = 4, 8, 6, 0.9
BACKBONE = dict(type='UNet1D', channels=(16, 32), num_blocks=1, attention_levels=(1,), embedding_dim=16, head_dim=8,
                dropout=0.1)
on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')]
DEVICES = ['cpu', pytest.param('cuda', marks=on_gpu)]


def rate(iteration):
    return 1e-3 * (1 + iteration % 3)


class Training:
    """A small motion diffusion with Adam, clipping, dropout and an average; the same start in every instance."""

    def __init__(self, device, *, graphed, dtype='float32', captures=True, fused=False):
        torch.manual_seed(0)
        self.model = MotionDiffusion(N, FRAMES, backbone=dict(BACKBONE)).to(device).train()
        for weight in self.model.backbone.parameters():  # zeros would hide the noise
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.1)
        self.model.normalizer.set_statistics(torch.zeros(N), torch.ones(N), torch.ones(N))
        self.wrapper = AutocastOptimWrapper(torch.optim.Adam(self.model.parameters(), lr=rate(0)), dtype,
                                            clip_grad=dict(max_norm=0.5))
        self.ema = EMAHook(DECAY)
        self.runner = SimpleNamespace(model=self.model, optim_wrapper=self.wrapper, iter=0)
        self.ema.before_train(self.runner)
        self.step = GraphedTrainStep(self.model, self.wrapper, self.ema, fused_update=fused) if graphed else None
        if self.step is not None:
            self.step._enabled = captures and device == 'cuda'
        codes = torch.randn(10, BATCH, FRAMES, N, generator=torch.Generator().manual_seed(1))
        self.batches = [dict(inputs=dict(motion=batch.to(device))) for batch in codes]

    def run(self, count=10, first=0):
        """Losses and gradient norms."""
        values = []
        for iteration in range(first, first + count):
            self.runner.iter = iteration
            for group in self.wrapper.optimizer.param_groups:
                group['lr'] = rate(iteration)
            seed_iteration(7, iteration)
            batch = self.batches[iteration % len(self.batches)]
            if self.step is None:
                losses = self.model.train_step(batch, self.wrapper)
            else:
                losses = self.step(batch, iteration)
            self.ema.after_train_iter(self.runner, iteration)
            values.append((float(losses['loss'].detach()), float(self.wrapper.log_vars['grad_norm'])))
        return values

    def state(self):
        return {**{key: tensor.detach().cpu() for key, tensor in self.model.state_dict().items()},
                **{f'ema {key}': tensor.cpu() for key, tensor in self.ema._averages.items()}}


def assert_same(one, other, **tolerance):
    for key, tensor in one.state().items():
        torch.testing.assert_close(tensor, other.state()[key], **tolerance, msg=lambda text, key=key: f'{key}: {text}')


@pytest.mark.parametrize('device', DEVICES)
def test_it_is_the_usual_step(device):
    usual, graphed = Training(device, graphed=False), Training(device, graphed=True)
    np.testing.assert_allclose(graphed.run(), usual.run(), rtol=1e-3)
    assert_same(graphed, usual, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('device', DEVICES[1:])
def test_a_replay_is_the_eager_step(device, dtype):
    eager, graphed = (Training(device, graphed=True, dtype=dtype, captures=captures) for captures in (False, True))
    expected, found = eager.run(), graphed.run()
    assert graphed.step._variants[()].graph is not None and eager.step._variants[()].graph is None
    # the losses differ by their noise, so a replay with other noise, or with that of the capture, would be noticed
    assert np.std([loss for loss, _ in expected]) > 0.02
    np.testing.assert_allclose(found, expected, rtol=2e-2 if dtype == 'bfloat16' else 1e-4)
    assert_same(graphed, eager, **(dict(rtol=0.1, atol=5e-3) if dtype == 'bfloat16' else dict(rtol=1e-3, atol=1e-5)))


@pytest.mark.parametrize('captures', [False, True])
@pytest.mark.parametrize('device', DEVICES[1:])
def test_trainings_with_and_without_the_fused_update_agree(device, captures):
    """In float32; in bfloat16, one weight that is rounded to another number makes the trainings drift apart."""
    eager = Training(device, graphed=True, captures=False)
    fused = Training(device, graphed=True, captures=captures, fused=True)
    expected, found = eager.run(20), fused.run(20)
    assert (fused.step._variants[()].graph is not None) == captures and len(fused.step._update.averaged) > 50
    assert np.std([loss for loss, _ in expected]) > 0.02
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert_same(fused, eager, rtol=1e-3, atol=1e-4)
    moments = [[training.wrapper.optimizer.state[weight] for weight in training.model.parameters()]
               for training in (fused, eager)]
    for one, other in zip(*moments, strict=True):
        assert one['step'] == other['step'] == 20
        for name in ('exp_avg', 'exp_avg_sq'):
            error = (one[name] - other[name]).norm() / other[name].norm()
            assert error < 1e-2, f'{name} {tuple(one[name].shape)}: {error}'


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('captures', [False, True])
@pytest.mark.parametrize('device', DEVICES[1:])
def test_a_step_with_the_fused_update_is_the_eager_step(device, captures, dtype):
    check_single_steps(device, captures, dtype)


def check_single_steps(device, captures, dtype):
    """Every step begins with the weights, moments and averages of the eager training."""
    eager = Training(device, graphed=True, dtype=dtype, captures=False)
    fused = Training(device, graphed=True, dtype=dtype, fused=True)
    fused.step._enabled = captures
    # half precision rounds each activation and gradient to 2**-9
    losses, gradients = (2**-7, 2**-5) if dtype == 'bfloat16' else (1e-4, 1e-3)
    eager.run(1), fused.run(1)  # the optimizer makes its state
    for iteration in range(1, WARMUP + 5):
        copy_training(fused, eager)
        before = tensors_of(eager)
        np.testing.assert_allclose(fused.run(1, iteration), eager.run(1, iteration), rtol=losses)
        check_gradients(*({name: (values['exp_avg'] - 0.9 * before[name]['exp_avg']) / 0.1
                           for name, values in tensors_of(training).items()} for training in (fused, eager)), gradients)
        for name, after in tensors_of(fused).items():
            check_adam(before[name], after, iteration)
            copied = fused.step._casts and fused.step._casts.copy_of(fused.model.get_parameter(name))
            if copied is not None and device == 'cuda':
                assert torch.equal(copied, after['weight'].to(torch.bfloat16)), name
            elif copied is not None:  # the interpreter truncates where a GPU rounds
                torch.testing.assert_close(copied.double(), after['weight'], rtol=2**-7, atol=0)
    assert (fused.step._variants[()].graph is not None) == captures and len(fused.step._update.averaged) > 50
    assert (fused.step._casts is not None and len(fused.step._casts) > 20) == (dtype == 'bfloat16')


def check_gradients(found, expected, tolerance):
    """Clipped gradients by name, relative to their norm in each tensor."""
    total = float(torch.stack([grad.norm() for grad in expected.values()]).norm())
    assert 0.1 < total < 0.51
    for name, grad in expected.items():
        # where gradients cancel each other nothing but rounding is left
        assert (found[name] - grad).norm() <= tolerance * max(float(grad.norm()), 0.01 * total), name


def check_adam(before, after, iteration):
    """Adam by its formula, with the clipped gradient that the first moment tells, and the average."""
    grad = (after['exp_avg'] - 0.9 * before['exp_avg']) / 0.1
    second = 0.999 * before['exp_avg_sq'] + 0.001 * grad.square()
    torch.testing.assert_close(after['exp_avg_sq'], second, rtol=1e-4, atol=1e-6 * float(second.max()))
    step = iteration + 1
    assert after['step'] == step
    denominator = (after['exp_avg_sq'] / (1 - 0.999**step)).sqrt() + 1e-8
    weight = before['weight'] - rate(iteration) * after['exp_avg'] / (1 - 0.9**step) / denominator
    torch.testing.assert_close(after['weight'], weight, rtol=3e-7, atol=3e-7)
    share = 1 - min(DECAY, (1 + iteration) / (10 + iteration))
    average = before['average'] + share * (after['weight'] - before['average'])
    torch.testing.assert_close(after['average'], average, rtol=1e-6, atol=1e-6)


def tensors_of(training):
    """Weight, moments, step count and average of each parameter, in double precision."""
    return {name: {part: tensor.detach().double() for part, tensor in dict(
        training.wrapper.optimizer.state[weight], weight=weight, average=training.ema._averages[name]).items()}
        for name, weight in training.model.named_parameters()}


@torch.no_grad()
def copy_training(target, source):
    for one, other in zip(target.model.parameters(), source.model.parameters(), strict=True):
        one.copy_(other)
        for name, tensor in target.wrapper.optimizer.state[one].items():
            tensor.copy_(source.wrapper.optimizer.state[other][name])
    for name, tensor in target.ema._averages.items():
        tensor.copy_(source.ema._averages[name])
    target.step._refresh_casts()


@pytest.mark.parametrize('device', DEVICES[1:])
def test_the_weights_move_in_every_replay_and_other_shapes_run_too(device):
    training = Training(device, graphed=True)
    training.run(WARMUP + 2)
    weight = training.model.backbone.state_dict()
    before = {key: tensor.clone() for key, tensor in weight.items()}
    training.step(training.batches[0], 5)
    assert all(not torch.equal(before[key], weight[key]) for key in before if weight[key].ndim > 1)
    small = dict(inputs=dict(motion=training.batches[0]['inputs']['motion'][:2]))
    assert torch.isfinite(training.step(small, 6)['loss'])
    steps = {int(state['step']) for state in training.wrapper.optimizer.state.values()}
    assert steps == {WARMUP + 4}


@pytest.mark.parametrize('device', DEVICES)
def test_the_settings_of_the_optimizer_stay(device):
    training = Training(device, graphed=True)
    before = copy.deepcopy(training.wrapper.optimizer.state_dict()['param_groups'])
    training.run(WARMUP + 2)
    after = training.wrapper.optimizer.state_dict()['param_groups']
    assert [{**group, 'lr': 0} for group in after] == [{**group, 'lr': 0} for group in before]
    assert after[0]['lr'] == rate(WARMUP + 1)


def test_the_average_follows_the_formula():
    training = Training('cpu', graphed=True)
    name = 'backbone.head.weight' if 'backbone.head.weight' in training.ema._averages else next(
        key for key in training.ema._averages if key.startswith('backbone') and key.endswith('weight'))
    expected = training.ema._averages[name].double().clone()
    for iteration in range(4):
        training.step(training.batches[iteration], iteration)
        decay = min(DECAY, (1 + iteration) / (10 + iteration))
        expected = decay * expected + (1 - decay) * training.model.state_dict()[name].double()
        training.ema.after_train_iter(training.runner, iteration)  # has nothing left to do
    torch.testing.assert_close(training.ema._averages[name].double(), expected, rtol=1e-5, atol=1e-7)


def test_the_capture_follows_three_eager_steps():
    training, calls = Training('cpu', graphed=True), []
    training.step._enabled = True
    training.step._try_capture = lambda variant, inputs: calls.append('capture')
    for iteration in range(5):
        training.step(training.batches[0], iteration)
        calls.append('step')
    assert calls == ['step'] * 3 + ['capture', 'step'] * 2  # a failed capture would set _enabled to False


def test_a_replay_gets_the_batch_and_other_batches_run_eagerly():
    """With a stand-in for the CUDA graph."""
    training, replayed, captures = Training('cpu', graphed=True), [], []
    step = training.step

    def capture(variant, inputs):
        captures.append(1)
        step._inputs = {name: tensor.clone() for name, tensor in inputs.items()}
        variant.outputs, variant.log_vars = dict(loss='replayed'), dict(grad_norm='replayed')
        variant.graph = SimpleNamespace(replay=lambda: replayed.append(step._inputs['motion'].clone()))

    step._enabled, step._try_capture = True, capture
    results = [step(batch, iteration) for iteration, batch in enumerate(training.batches[:6])]
    assert [result['loss'] == 'replayed' for result in results] == [False] * 3 + [True] * 3 and len(captures) == 1
    assert all(torch.equal(seen, batch['inputs']['motion']) for seen, batch in zip(replayed, training.batches[3:6]))
    assert training.wrapper.log_vars == dict(grad_norm='replayed')
    motion = training.batches[0]['inputs']['motion']
    for other in (dict(motion=motion[:2]), dict(motion=motion.double()),
                  dict(motion=motion, mask=torch.ones(BATCH, FRAMES, dtype=torch.bool))):
        loss = step(dict(inputs=other), 6)['loss']
        assert torch.isfinite(loss) and not loss.requires_grad
    assert len(replayed) == 3


def test_a_failed_capture_leaves_the_training_eager(monkeypatch):
    training, attempts, lines = Training('cpu', graphed=True), [], []
    monkeypatch.setattr('leokit.engine.graphed_step.print_log', lambda text, **_: lines.append(text))

    def fail(variant):
        attempts.append([weight.grad for weight in training.model.parameters()])
        for weight in training.model.parameters():
            weight.grad = torch.ones_like(weight)
        raise RuntimeError('not permitted\nmore')

    training.step._enabled, training.step._capture = True, fail
    usual = Training('cpu', graphed=True)
    np.testing.assert_allclose(training.run(6), usual.run(6))
    assert len(attempts) == 1 and 'the capture failed: not permitted' in lines[0] and len(lines) == 1
    training.step._try_capture(None, {})
    assert all(weight.grad is None for weight in training.model.parameters())


def test_running_out_of_memory_is_an_error():
    step = Training('cpu', graphed=True).step

    def fail(variant):
        raise torch.OutOfMemoryError('out of memory')

    step._capture = fail
    with pytest.raises(torch.OutOfMemoryError):
        step._try_capture(None, {})


def test_the_optimizer_steps_with_device_settings_only_within_the_step():
    training = Training('cpu', graphed=True)
    group, = training.wrapper.optimizer.param_groups
    before = {name: group[name] for name in ('lr', 'fused', 'foreach', 'capturable')}
    training.step._set_scalars(0)
    with training.step._device_settings():
        assert isinstance(group['lr'], torch.Tensor) and group['lr'] == pytest.approx(before['lr'])
        assert (group['fused'], group['foreach'], group['capturable']) == (False, False, False)  # of a CPU
    assert {name: group[name] for name in before} == before


def test_step_counts_of_a_resumed_optimizer_become_tensors():
    training = Training('cpu', graphed=False)
    training.run(2)
    for state in training.wrapper.optimizer.state.values():
        state['step'] = 2  # as older versions of torch saved it
    GraphedTrainStep(training.model, training.wrapper)
    for state in training.wrapper.optimizer.state.values():
        assert state['step'].dtype == torch.float32 and state['step'] == 2


# ---- where it is possible --------------------------------------------------------------------------------------------
def runner_like(device='meta', hooks=(), optimizer=torch.optim.Adam, wrapper=AutocastOptimWrapper, distributed=False,
                schedulers=(), compile=None, model=None, **options):
    model = model or MotionDiffusion(N, FRAMES, backbone=dict(BACKBONE))
    return SimpleNamespace(
        model=model.to(device), distributed=distributed, hooks=list(hooks), param_schedulers=list(schedulers),
        cfg=dict(compile=compile), optim_wrapper=wrapper(optimizer(model.parameters(), lr=1e-3), **options))


class Observer(Hook):
    def before_train_iter(self, *args, **kwargs):
        pass


def test_a_cpu_is_an_obstacle():
    assert graph_obstacle(runner_like('cpu')) == 'the model is not on a CUDA device'


@pytest.mark.parametrize('changes, obstacle', [
    ({}, None), (dict(hooks=[LossWatchHook(), IterTimerHook(), EMAHook()]), None),
    (dict(optimizer=torch.optim.AdamW), None), (dict(schedulers=[SimpleNamespace(param_name='lr')]), None),
    (dict(compile=dict(mode='default')), None),
    (dict(distributed=True), 'several processes'), (dict(optimizer=torch.optim.SGD), 'SGD'),
    (dict(wrapper=OptimWrapper), 'AutocastOptimWrapper'), (dict(accumulative_counts=2), 'accumulation'),
    (dict(schedulers=[SimpleNamespace(param_name='momentum')]), 'learning rate'),
    (dict(compile=dict(mode='reduce-overhead')), 'reduce-overhead'),
    (dict(hooks=[Observer()]), 'Observer'), (dict(hooks=[LossRampHook('perceptual', 9)]), None),
    (dict(model='transport'), 'work on the CPU')])
def test_obstacles(changes, obstacle, monkeypatch):
    monkeypatch.setattr('leokit.engine.graphed_step.device_of', lambda model: torch.device('cuda'))
    if changes.get('model'):
        changes = dict(model=MotionDiffusion(N, FRAMES, backbone=dict(BACKBONE), coupling='optimal_transport'))
    found = graph_obstacle(runner_like('cpu', **changes))
    assert found is None if obstacle is None else obstacle in found


# ---- in the training loop --------------------------------------------------------------------------------------------
def config_of(folder, name, **train_cfg):
    codes = folder / 'codes'
    if not codes.exists():
        generator = np.random.default_rng(0)
        with CodeCacheWriter(codes, N, animator=dict(weights_hash='ab' * 32, config='a.py', checkpoint='a.pth')) as out:
            for video in range(5):
                out.add(f'v{video}', generator.standard_normal((20, N)), identity=f'p{video}', split='train', fps=25)
    return Config(dict(
        default_scope='leokit', work_dir=str(folder / name), experiment_name=name,
        model=dict(type='MotionDiffusion', motion_dim=N, num_frames=FRAMES, backbone=dict(BACKBONE)),
        train_dataloader=dict(batch_size=BATCH, num_workers=0, sampler=dict(type='DeterministicSampler'),
                              collate_fn=dict(type='default_collate'),
                              dataset=dict(type='MotionCodeDataset', codes_dir=str(codes), num_frames=FRAMES)),
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype='float32', optimizer=dict(type='Adam', lr=1e-3),
                           clip_grad=dict(max_norm=1.0)),
        param_scheduler=[dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=8)],
        custom_hooks=[dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=DECAY)],
        default_hooks=dict(logger=dict(type='LoggerHook', interval=5, log_metric_by_epoch=False),
                           checkpoint=dict(type='AtomicCheckpointHook', interval=8)),
        log_processor=dict(by_epoch=False), randomness=dict(seed=0),
        train_cfg=dict(type='ResumableTrainLoop', max_iters=24, **train_cfg)))


def test_a_graph_that_is_required_and_impossible_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr('leokit.engine.graphed_step.device_of', lambda model: torch.device('cpu'))
    with pytest.raises(UserError, match='train_cfg.cuda_graph=True .* not on a CUDA device; set it to None'):
        LeoRunner.from_cfg(config_of(tmp_path, 'run', cuda_graph=True)).train()


@pytest.mark.parametrize('name', ['cuda_graph', 'fused_update'])
def test_the_options_are_checked(tmp_path, name):
    with pytest.raises(UserError, match=f"{name}='yes' must be"):
        LeoRunner.from_cfg(config_of(tmp_path, 'run', **{name: 'yes'})).train()


@pytest.mark.parametrize('graph, by_default, obstacle, named', [
    (None, True, 'the model is not on a CUDA device', 'the model is not on a CUDA device'),
    (False, True, None, 'train_cfg.cuda_graph is False'),
    (None, False, None, 'for a MotionDiffusion it is one with train_cfg.cuda_graph=True only')])
def test_a_fused_update_that_is_required_needs_the_graph(tmp_path, monkeypatch, graph, by_default, obstacle, named):
    monkeypatch.setattr('leokit.engine.train_loop.graph_obstacle', lambda runner: obstacle)
    monkeypatch.setattr(MotionDiffusion, 'cuda_graph_by_default', by_default)
    with pytest.raises(UserError, match=f'fused_update=True .* is not a CUDA graph: {named}; set it to None'):
        LeoRunner.from_cfg(config_of(tmp_path, 'run', cuda_graph=graph, fused_update=True)).train()


@pytest.mark.parametrize('option, obstacle, fuses', [
    (None, None, True), (False, None, False), (0, None, False), (True, None, True),
    (None, 'Triton is not installed', False), (True, 'Triton is not installed', None)])
def test_where_the_update_is_fused(tmp_path, monkeypatch, option, obstacle, fuses):
    monkeypatch.setattr('leokit.engine.train_loop.update_obstacle', lambda wrapper: obstacle)
    loop = LeoRunner.from_cfg(config_of(tmp_path, 'run', fused_update=option)).build_train_loop(
        dict(type='ResumableTrainLoop', max_iters=1, fused_update=option))
    if fuses is None:
        with pytest.raises(UserError, match='fused_update=True does not work, because Triton is not installed'):
            loop.fuses_update(True)
    else:
        assert loop.fuses_update(True) is fuses
    assert option or loop.fuses_update(False) is False


@pytest.mark.parametrize('device', DEVICES[1:])
def test_trainings_with_and_without_a_graph_agree_and_resume(tmp_path, device):
    runs = {}
    for name, graph, fused in (('eager', False, None), ('graph', True, False), ('again', True, None)):
        config = config_of(tmp_path, name, cuda_graph=graph, fused_update=fused)
        runner = LeoRunner.from_cfg(config)
        runner.train()
        assert (runner.train_loop._graphed_step is not None) == graph
        assert not graph or (runner.train_loop._graphed_step._update is not None) == (fused is None)
        runs[name] = load_checkpoint(tmp_path / name / 'iter_24.pth')
    config = config_of(tmp_path, 'again', cuda_graph=True)
    for name, fused in (('resumed', None), ('resumed without fusion', False)):
        config.train_cfg.fused_update = fused
        config.resume = str(tmp_path / 'again' / 'iter_16.pth')
        LeoRunner.from_cfg(config).train()
        runs[name] = load_checkpoint(tmp_path / 'again' / 'iter_24.pth')
    for name in runs.keys() - {'eager'}:
        for part in ('state_dict', 'raw_state_dict'):
            for key, tensor in runs['eager'][part].items():
                torch.testing.assert_close(runs[name][part][key], tensor, rtol=1e-2, atol=1e-4, msg=f'{name} {key}')
        for term in ('loss', 'lr', 'grad_norm'):
            expected, found = (runs[run]['message_hub']['log_scalars'][f'train/{term}']['values']
                               for run in ('eager', name))
            torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-4)
    # the state of the optimizer loads on a CPU, with the settings of the config
    model = MotionDiffusion(N, FRAMES, backbone=dict(BACKBONE))
    optimizer = torch.optim.Adam(model.parameters())
    optimizer.load_state_dict(runs['graph']['optimizer'])
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert {int(state['step']) for state in optimizer.state.values()} == {25}
