"""The shared backward pass of generator and discriminator gives the gradients of two separate passes.

The reference follows LIA's order: the generator's step sees the discriminator as it is; the discriminator's step
generates the fake again, without a graph.
"""

import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from support.processes import start_process
from torch import nn
from torch.distributed import destroy_process_group, init_process_group
from torch.nn.parallel import DistributedDataParallel

from leokit.models import Animator
from leokit.registry import LOSSES
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint

SIZE, BATCH, WORLD = 32, 4, 2
PREPROCESSOR = dict(type='mmengine.BaseDataPreprocessor')
PRECISIONS = ['float32', 'bfloat16']


def animator(r1: bool = True, **adversarial) -> Animator:
    LOSSES.get('L1Loss')  # imports the room
    torch.manual_seed(0)
    return Animator(
        SIZE, 16, motion_dim=4, max_channels=8, data_preprocessor=PREPROCESSOR,
        encoder=dict(type='LIAEncoder', init='reference'),
        flow_generator=dict(type='LIAFlowGenerator', init='reference', inpaint=True),
        training=dict(losses=[dict(type='L1Loss'), dict(type='WarpedSourceLoss', weight=0.5)],
                      discriminator=dict(type='StyleGAN2Discriminator'),
                      adversarial=dict(type='NonSaturatingLoss', weight=0.3, **adversarial),
                      r1=dict(type='R1Penalty', weight=0.1, interval=1) if r1 else None))


def batch(seed: int = 0, count: int = BATCH) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {key: torch.rand(count, 3, SIZE, SIZE, generator=generator) * 2 - 1 for key in ('source', 'driving')}


def precision(name: str):
    return torch.autocast('cpu', dtype=torch.bfloat16, enabled=name == 'bfloat16')


@contextmanager
def frozen(module: nn.Module):
    wanted = {weight: weight.requires_grad for weight in module.parameters()}
    module.requires_grad_(False)
    yield
    for weight, value in wanted.items():
        weight.requires_grad_(value)


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def single_pass(model: Animator, pair: dict, name: str) -> dict[str, torch.Tensor]:
    model.zero_grad()
    with precision(name):
        terms = model(dict(pair), mode='loss')
    sum(terms.values()).backward()
    return gradients(model)


def two_passes(model: Animator, pair: dict, name: str) -> dict[str, torch.Tensor]:
    """Each network's gradients from a forward and a backward pass of its own."""
    source, driving = pair['source'], pair['driving']
    model.zero_grad()
    with frozen(model.discriminator), precision(name):
        made = model.transfer(source, driving)
        loss = model.losses[0](made.frames, driving) + model.losses[1].weight * model.losses[1](
            source, driving, *made.flows)
        loss = loss + model.adversarial.weight * model.adversarial.generator_loss(model.discriminator(made.frames))
    loss.backward()
    of_generator = gradients(model)
    model.zero_grad()
    with precision(name):
        with torch.no_grad():
            fake = model.transfer(source, driving).frames
        loss = model.adversarial.discriminator_loss(model.discriminator(driving), model.discriminator(fake))
        if model.r1 is not None:
            loss = loss + model.r1(model.discriminator, driving)
    loss.backward()
    of_discriminator = gradients(model)
    assert not of_generator.keys() & of_discriminator.keys()
    return {**of_generator, **of_discriminator}


def assert_same(got: dict, expected: dict, tolerance: float = 1e-5) -> None:
    """Equal up to rounding, measured against the largest gradient of the same weight."""
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        error = (got[name] - gradient).abs().max() / gradient.abs().max().clamp(min=1e-12)
        assert error <= tolerance, f'{name}: {error:.2e}'


@pytest.mark.parametrize('name', PRECISIONS)
@pytest.mark.parametrize('r1', [True, False])
def test_one_backward_gives_each_network_its_own_gradients(name, r1):
    model, pair = animator(r1), batch()
    got = single_pass(model, pair, name)
    assert got.keys() == {key for key, _ in model.named_parameters()}
    assert all(gradient.any() for gradient in got.values())
    assert_same(got, two_passes(model, pair, name))


def test_compiled_too():
    model, pair = animator(), batch()
    expected = two_passes(animator(), pair, 'float32')
    model.compile_parts(backend='aot_eager')
    for _ in range(2):  # the second time from the cache
        assert_same(single_pass(model, pair, 'float32'), expected, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('name', PRECISIONS)
def test_compiled_equals_two_compiled_passes(name):
    """In bfloat16 the compiler casts elsewhere, which the last of its 8 bits shows, so compiled meets compiled."""
    model, pair = animator(), batch()
    model.compile_parts(backend='aot_eager')
    for _ in range(2):
        assert_same(single_pass(model, pair, name), two_passes(model, pair, name))


@pytest.mark.slow
@pytest.mark.timeout(1800)  # compiling takes minutes on few cores
def test_a_discriminator_compiled_by_inductor_too():
    """It is the part that runs three times in a step, with its own weights and with frozen ones."""
    model, pair = animator(), batch()
    expected = two_passes(model, pair, 'float32')
    model.discriminator.compile()
    assert_same(single_pass(model, pair, 'float32'), expected, 1e-4)


def test_without_weight_the_generator_does_not_see_the_discriminator_which_learns_all_the_same():
    model, pair = animator(), batch()
    expected = two_passes(model, pair, 'float32')
    model.adversarial.weight = 0.0
    terms = model(dict(pair), mode='loss')
    assert 'loss_adversarial' not in terms and 'loss_discriminator' in terms
    assert_same({name: gradient for name, gradient in single_pass(model, pair, 'float32').items()
                 if name.startswith('discriminator')},
                {name: gradient for name, gradient in expected.items() if name.startswith('discriminator')})


# ---- two processes -----------------------------------------------------------
def work(rank: int, port: int, name: str, compiled: bool, file: str) -> None:
    torch.set_num_threads(1)
    init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=WORLD)
    model = animator()
    if compiled:
        model.compile_parts(backend='aot_eager')
    wrapped = DistributedDataParallel(model, broadcast_buffers=False)
    for _ in range(2):  # a second step finds the buckets in their final order
        model.zero_grad()
        with precision(name):
            terms = wrapped(batch(rank), mode='loss')
        sum(terms.values()).backward()
    save_checkpoint(dict(state_dict=gradients(model)), Path(file))
    destroy_process_group()


@pytest.mark.parametrize('name, compiled', [
    ('float32', False), ('bfloat16', False), pytest.param('float32', True, marks=pytest.mark.slow)])
def test_two_processes_average_the_gradients_of_two_separate_passes(name, compiled, tmp_path):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    files = [tmp_path / f'rank_{rank}.pth' for rank in range(WORLD)]
    processes = [start_process(work, rank, port, name, compiled, str(file)) for rank, file in enumerate(files)]
    for process in processes:
        process.join(240)
    assert [process.exitcode for process in processes] == [0] * WORLD
    got = [load_checkpoint(file)['state_dict'] for file in files]
    each = [two_passes(animator(), batch(rank), name) for rank in range(WORLD)]
    expected = {key: (each[0][key] + each[1][key]) / WORLD for key in each[0]}
    for gradient in got:
        assert_same(gradient, expected, 1e-4 if name == 'float32' else 1e-3)
    assert all(torch.equal(got[0][key], got[1][key]) for key in got[0])
