import pytest
import torch
from feature_extractors.i3d_reference import TOLERANCE, figures, reference_state, video
from torch.nn import functional as F

from leokit.feature_extractors.i3d import preprocess
from leokit.feature_extractors.i3d_network import I3DNetwork, Unit3D, max_pool_same, same_padding
from leokit.utils import UserError


@pytest.fixture(scope='module')
def reference():
    return figures()


@pytest.fixture(scope='module')
def network():
    network = I3DNetwork().eval()
    network.load_state_dict(reference_state(), strict=True)
    return network


@pytest.fixture(scope='module')
def clip():
    return preprocess(video())


@torch.no_grad()
def test_every_endpoint_and_the_logits_agree_with_the_reference(network, clip, reference):
    for i, (name, out) in enumerate(network.endpoints(clip)):
        t, h, w = (out.shape[2] // 2, out.shape[3] // 3, out.shape[4] // 2)
        assert name == reference['endpoint_names'][i]
        assert list(out.shape) == reference['endpoint_shape'][i].tolist()
        torch.testing.assert_close(out[0, :16, t, h, w], reference['endpoint_probe'][i], atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(out.mean(), reference['endpoint_mean'][i], atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(out.std(correction=0), reference['endpoint_std'][i], atol=TOLERANCE, rtol=0)
    pooled = F.avg_pool3d(out, (2, 7, 7), stride=1)
    torch.testing.assert_close(pooled.flatten(1), reference['pooled1024'], atol=TOLERANCE, rtol=0)
    logits = network.logits(pooled).mean(2).flatten(1)
    torch.testing.assert_close(logits, reference['logits400'], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_odd_lengths_and_several_time_positions_agree_with_the_reference(network, clip, reference):
    torch.testing.assert_close(network(clip[:, :, :10]), reference['logits400_first10'], atol=TOLERANCE, rtol=0)
    longer = torch.cat((clip, clip[:, :, :8].flip(2)), dim=2)
    torch.testing.assert_close(network(longer), reference['logits400_24'], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize('size, kernel, stride, expected', [
    (224, 7, 2, (2, 3)), (16, 7, 2, (2, 3)), (5, 7, 2, (3, 3)), (112, 3, 2, (0, 1)), (5, 3, 2, (1, 1)),
    (8, 3, 1, (1, 1)), (9, 2, 2, (0, 1)), (8, 2, 2, (0, 0)), (8, 1, 1, (0, 0)),
])
def test_same_padding(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


@pytest.mark.parametrize('kernel, stride', [((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (2, 2, 2)), ((2, 2, 2), (2, 2, 2)),
                                            ((3, 3, 3), (1, 1, 1))])
@pytest.mark.parametrize('shape', [(4, 6, 8), (5, 7, 9), (1, 6, 5), (2, 2, 3)])
def test_max_pooling_equals_padding_with_zeros_first(kernel, stride, shape):
    x = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(0)).relu()
    pads = [same_padding(*sizes) for sizes in zip(shape, kernel, stride)]
    padded = F.pad(x, [zeros for pad in reversed(pads) for zeros in pad])
    torch.testing.assert_close(max_pool_same(x, kernel, stride), F.max_pool3d(padded, kernel, stride), atol=0, rtol=0)


def test_folding_the_batch_norm_changes_nothing():
    unit = Unit3D(3, 5, kernel_size=3, eps=1e-3).eval()
    generator = torch.Generator().manual_seed(1)
    for tensor in unit.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    x = torch.randn(1, 3, 4, 5, 6, generator=generator)
    before = unit(x)
    unit.fold_batch_norm()
    assert unit.bn is None
    torch.testing.assert_close(unit(x), before)


def test_compiles_in_one_graph():
    # On the meta device nothing is computed: this asks whether the whole network can be traced.
    with torch.device('meta'):
        network, clip = I3DNetwork().eval(), torch.empty(2, 3, 16, 224, 224)
    torch._dynamo.reset()
    assert torch.compile(network, fullgraph=True, backend='eager')(clip).shape == (2, 400)


def test_refuses_what_it_cannot_embed():
    network = I3DNetwork()
    with pytest.raises(UserError, match='at least 9 frames, got 8'):
        network(torch.zeros(1, 3, 8, 224, 224))
    with pytest.raises(ValueError, match='224'):
        network(torch.zeros(1, 3, 16, 112, 112))
