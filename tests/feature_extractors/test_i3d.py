import pytest
import torch
from feature_extractors.i3d_reference import TOLERANCE, figures, reference_state, video

from leokit.feature_extractors.i3d import preprocess
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError
from leokit.utils.hashing import file_sha256


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'rgb_imagenet.pt'
    torch.save(reference_state(), path)
    return path


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='I3D', **options))


def test_preprocessing_agrees_with_the_reference():
    reference, clip = figures(), video()
    torch.testing.assert_close(preprocess(clip)[0, :, ::5, ::32, ::32], reference['input_probe'], atol=1e-6, rtol=0)
    uneven = preprocess(clip[:, :4, :, ::2, 10:100])
    assert uneven.shape == (1, 3, 4, 224, 224)
    torch.testing.assert_close(uneven[0, :, :, ::16, ::16], reference['resize_probe'], atol=1e-6, rtol=0)
    ready = torch.rand(2, 3, 3, 224, 224)
    assert torch.equal(preprocess(ready), ready.transpose(1, 2))
    with pytest.raises(ValueError, match=r'videos must have shape \(\*, \*, 3, \*, \*\)'):
        preprocess(ready.transpose(1, 2)[:, :, :2])


@torch.no_grad()
def test_embedding_agrees_with_the_reference_even_under_autocast(weights):
    extractor = build(weights=str(weights))
    assert (extractor.kind, extractor.dim, extractor.label) == ('video', 400, 'i3d')
    with torch.autocast('cpu', dtype=torch.bfloat16):
        embedding = extractor(video())
    assert embedding.dtype == torch.float32
    torch.testing.assert_close(embedding, figures()['logits400'], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_a_named_file_has_its_epsilon(weights, monkeypatch):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(weights.parent))
    named, plain = build(weights='rgb_imagenet'), build(weights=weights, channels_last=True)
    assert (named.eps, plain.eps) == (1e-3, 1e-5)
    assert named.fingerprint() != plain.fingerprint()
    assert build(weights='rgb_imagenet', eps=1e-5).fingerprint() == plain.fingerprint()
    clip = video()[:, :9]
    assert 1e-3 < (named(clip) - plain(clip)).abs().max() < 0.1


def test_is_frozen_and_stays_in_evaluation_mode(weights):
    extractor = build(weights=weights).train()
    assert not extractor.network.training
    assert not any(parameter.requires_grad for parameter in extractor.parameters())


def test_weights_of_old_pytorch_versions_load(weights, tmp_path):
    state = {key: value for key, value in reference_state().items() if not key.endswith('num_batches_tracked')}
    torch.save(state, tmp_path / 'old.pt')
    assert build(weights=tmp_path / 'old.pt').fingerprint() == build(weights=weights).fingerprint()


def test_a_missing_file_says_where_to_get_it_and_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path))
    remedy = f'i3d_pretrained_400.pt was not found; get it from .*VideoGPT.* put it at {tmp_path}'
    with pytest.raises(UserError, match=remedy):
        build()
    with pytest.raises(UserError, match='nowhere.pt does not exist'):
        build(weights='nowhere.pt')


def test_a_foreign_file_is_refused(weights, tmp_path):
    state = dict(reference_state())
    torch.save({**state, 'logits.conv3d.bias': torch.zeros(101)}, tmp_path / 'a.pt')
    with pytest.raises(UserError, match='a.pt .* another shape of logits.conv3d.bias'):
        build(weights=tmp_path / 'a.pt')
    state.pop('Mixed_5c.b0.conv3d.weight')
    torch.save(state, tmp_path / 'b.pt')
    with pytest.raises(UserError, match='has no Mixed_5c.b0.conv3d.weight'):
        build(weights=tmp_path / 'b.pt')
    torch.save({**reference_state(), 'extra': torch.zeros(1)}, tmp_path / 'c.pt')
    with pytest.raises(UserError, match='has the additional tensor extra'):
        build(weights=tmp_path / 'c.pt')


def test_a_given_hash_is_checked(weights):
    assert build(weights=weights, sha256=file_sha256(weights)).eps == 1e-5
    with pytest.raises(UserError, match='SHA-256 is not 000'):
        build(weights=weights, sha256='000')
