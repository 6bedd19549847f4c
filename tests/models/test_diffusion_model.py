"""MMEngine's contract, checkpoints and compilation of all diffusion models."""

import copy

import pytest
import torch

from leokit.models import MotionDiffusion, StartFrameDiffusion
from leokit.models.diffusion_model import evaluation_generators
from leokit.registry import MODELS
from leokit.utils import UserError
from leokit.utils.hashing import stable_number

N = 3
HASH = 'ab' * 32
UNET = dict(type='UNet1D', channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16, head_dim=8)
CONFIGS = {
    'motion': dict(type='MotionDiffusion', motion_dim=N, num_frames=4, backbone=UNET,
                   sampler=dict(type='DDIMSampler', num_inference_steps=2)),
    'start': dict(type='StartCodeDiffusion', motion_dim=N, sampler=dict(type='DDIMSampler', num_inference_steps=2),
                  backbone=dict(type='MLPDenoiser', dim=16, depth=1, embedding_dim=16)),
    'frame': dict(type='StartFrameDiffusion', size=8, motion_dim=N,
                  sampler=dict(type='DDIMSampler', num_inference_steps=2),
                  backbone=dict(type='UNet2D', channels=(16,), num_blocks=1, attention_levels=(), embedding_dim=16,
                                head_dim=8), guidance=dict(condition_dropout=0.4)),
}
STATISTICS = dict(mean=[1.0, 2.0, 3.0], std=[1.0, 0.5, 4.0])


@pytest.fixture(params=CONFIGS)
def model(request):
    """Each model, statistics not set."""
    torch.manual_seed(0)
    return MODELS.build(CONFIGS[request.param])


def batch(model):
    generator = torch.Generator().manual_seed(0)
    motion = torch.randn(2, 4, N, generator=generator)
    inputs = dict(motion=motion)
    if isinstance(model, StartFrameDiffusion):
        inputs = dict(frame=torch.rand(2, 3, 8, 8, generator=generator) * 2 - 1, motion=motion[:, 0])
    return inputs, dict(name=['a', 'b'], start=torch.tensor([0, 7]))


def only(inputs, row):
    return {key: value[row:row + 1] for key, value in inputs.items()}


@pytest.mark.parametrize('mode', ['loss', 'predict', 'tensor'])
def test_every_mode_needs_statistics(model, mode):
    with pytest.raises(UserError, match='statistics of this model are not set'):
        model(*batch(model), mode=mode)


def test_modes(model):
    model.normalizer.set_statistics(**STATISTICS)
    losses = model(*batch(model), mode='loss')
    assert set(losses) == {'loss_diffusion'} and losses['loss_diffusion'].shape == ()
    predictions = model(*batch(model), mode='predict')
    assert [row['name'] for row in predictions] == ['a', 'b'] and [int(row['start']) for row in predictions] == [0, 7]
    assert all(row['real'].shape == row['generated'].shape for row in predictions)
    output = model(*batch(model), mode='tensor')
    assert output.isfinite().all() and output.shape[-1] == predictions[0]['real'].shape[-1]
    with pytest.raises(ValueError, match="'loss', 'predict' or 'tensor'"):
        model(*batch(model), mode='train')


def test_a_prediction_has_its_own_seed(model):
    """Batch mates and the global generator do not change what is generated."""
    model.normalizer.set_statistics(**STATISTICS)
    inputs, data_samples = batch(model)
    both = model(inputs, data_samples, mode='predict')
    alone = model(only(inputs, 1), dict(name=['b'], start=torch.tensor([7])), mode='predict')
    assert torch.allclose(both[1]['generated'], alone[0]['generated'], atol=1e-5)
    other = model(only(inputs, 1), dict(name=['b'], start=torch.tensor([8])), mode='predict')
    assert not torch.allclose(alone[0]['generated'], other[0]['generated'], atol=1e-2)


def test_predictions_without_names(model):
    model.normalizer.set_statistics(**STATISTICS)
    assert {'real', 'generated'} <= set(model(batch(model)[0], mode='predict')[0]) <= {'real', 'generated', 'motion'}


def test_a_checkpoint_carries_statistics_and_hash(model):
    model.normalizer.set_statistics(**STATISTICS, animator_hash=HASH)
    fresh = copy.deepcopy(model)
    for name in ('mean', 'std'):
        getattr(fresh.normalizer, name).fill_(torch.nan)
    fresh.normalizer.animator_hash.zero_()
    fresh.normalizer.statistics_set = False
    fresh.load_state_dict(model.state_dict())
    assert fresh.normalizer.statistics_set and fresh.normalizer.animator_weights_hash == HASH
    assert torch.equal(fresh(*batch(model), mode='tensor'), model(*batch(model), mode='tensor'))


def test_a_checkpoint_holds_no_schedule(model):
    assert not [key for key in model.state_dict() if 'betas' in key or 'alphas' in key]


def test_messages_name_the_file_of_a_loaded_model(model):
    model.normalizer.set_statistics(**STATISTICS, animator_hash=HASH)
    name = model.code_origin.name
    assert name.startswith('the ') and model.code_origin[1:] == (HASH, N)
    model.checkpoint = 'work_dirs/it'
    assert model.code_origin.name == f'{name} work_dirs/it'


def test_codes_of_another_dimension_are_an_error(model):
    model.normalizer.set_statistics(**STATISTICS)
    inputs = batch(model)[0]
    inputs['motion'] = torch.zeros(*inputs['motion'].shape[:-1], 4)
    with pytest.raises(UserError, match='4 dimensions.*motion_dim=3'):
        model(inputs, mode='loss')


def test_every_parameter_gets_a_gradient(model):
    model.normalizer.set_statistics(**STATISTICS)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    model(*batch(model), mode='loss')['loss_diffusion'].backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


def test_the_loss_compiles_without_graph_breaks(model):
    model.normalizer.set_statistics(**STATISTICS)
    inputs, data_samples = batch(model)
    torch.manual_seed(3)
    expected = model(inputs, data_samples, mode='loss')['loss_diffusion']
    predictions = model(inputs, data_samples, mode='predict')
    keys = list(model.state_dict())

    calls = []

    def backend(graph, example_inputs):
        calls.append(graph)
        return graph.forward

    model.compile_parts(fullgraph=True, backend=backend)
    torch.manual_seed(3)
    assert torch.allclose(model(inputs, data_samples, mode='loss')['loss_diffusion'], expected)
    assert len(calls) == 1 and list(model.state_dict()) == keys
    compiled = model(inputs, data_samples, mode='predict')
    assert torch.allclose(compiled[0]['generated'], predictions[0]['generated'], atol=1e-5)
    assert len(calls) == 2
    torch.compiler.reset()


def test_a_copy_of_a_compiled_model_stands_alone(model):
    model.normalizer.set_statistics(**STATISTICS)
    model.compile_parts(backend='eager')
    twin = copy.deepcopy(model)
    assert twin._compiled_objective is None
    assert twin(*batch(model), mode='loss')['loss_diffusion'].requires_grad


def test_training_step_of_mmengine(model):
    from mmengine.optim import OptimWrapper
    model.normalizer.set_statistics(**STATISTICS)
    wrapper = OptimWrapper(torch.optim.Adam(model.parameters(), 1e-2))
    inputs, data_samples = batch(model)
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    logs = model.train_step(dict(inputs=inputs, data_samples=data_samples), wrapper)
    assert {'loss', 'loss_diffusion'} <= set(logs)
    assert any(not torch.equal(before[name], parameter) for name, parameter in model.named_parameters())


def test_the_seed_of_a_prediction_is_that_of_its_name_and_start():
    def seeds(**columns):
        return [generator.initial_seed() for generator in evaluation_generators(columns, 2)]

    assert seeds(name=['a', 'b']) == seeds(name=['a', 'b'], start=[0, 0]) == [stable_number(name, 0) for name in 'ab']
    assert seeds(name=['a', 'b'], start=torch.tensor([0, 1]))[1] == stable_number('b', 1) != stable_number('b', 0)
    assert evaluation_generators(None, 2) is evaluation_generators(dict(start=[0, 0]), 2) is None


def test_a_generator_is_the_only_source_of_randomness_of_the_loss(model):
    model.normalizer.set_statistics(**STATISTICS)
    for parameter in model.parameters():  # zeros would hide the noise
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    tensors, state = batch(model)[0], torch.get_rng_state()
    losses = [model.loss(tensors, generator=torch.Generator().manual_seed(seed))['loss_diffusion'].item()
              for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2] and torch.equal(torch.get_rng_state(), state)


def test_a_step_is_one_cuda_graph_unless_noise_is_coupled_on_the_cpu():
    for coupling, possible in (('independent', True), ('optimal_transport', False)):
        assert MotionDiffusion(N, 4, backbone=UNET, coupling=coupling).supports_cuda_graph is possible
