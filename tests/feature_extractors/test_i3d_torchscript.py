import pytest
import torch
from torch import Tensor, nn

from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError


class Detector(nn.Module):
    """Stands for the published detector: same call, and a result that shows its input."""

    def forward(self, x: Tensor, rescale: bool, resize: bool, return_features: bool) -> Tensor:
        if not (rescale and resize and return_features):
            raise RuntimeError('called otherwise than StyleGAN-V calls it')
        corners = torch.stack((x[:, 0, 0, 0, 0], x[:, 2, -1, -1, -1]), dim=1)
        return corners.repeat(1, 200)


@pytest.fixture(scope='module')
def detector(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'i3d_torchscript.pt'
    torch.jit.script(Detector()).save(str(path))
    return path


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='I3DTorchScript', **options))


def test_the_detector_gets_bytes_with_channels_first(detector):
    extractor = build(weights=detector, trust=True)
    videos = torch.zeros(2, 4, 3, 6, 5)
    videos[0, 0, 0, 0, 0] = -1
    videos[1, -1, 2, -1, -1] = 1
    features = extractor(videos)
    assert features.shape == (2, extractor.dim)
    assert features[:, :2].tolist() == [[0.0, 127.5], [127.5, 255.0]]


def test_runs_no_foreign_file_without_permission(detector, monkeypatch):
    with pytest.raises(UserError, match='runs code from the file'):
        build(weights=detector)
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(detector.parent))
    with pytest.raises(UserError, match='SHA-256'):
        build(download=False)


def test_missing_and_damaged_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path))
    with pytest.raises(UserError, match='i3d_torchscript.pt was not found; get it from'):
        build(download=False)
    (tmp_path / 'broken.pt').write_bytes(b'nothing')
    with pytest.raises(UserError, match='cannot be loaded as TorchScript'):
        build(weights=tmp_path / 'broken.pt', trust=True)


def test_fingerprint_is_the_hash_of_the_file(detector):
    from leokit.utils.hashing import file_sha256
    assert build(weights=detector, trust=True).fingerprint() == file_sha256(detector)


def test_refuses_other_shapes(detector):
    with pytest.raises(ValueError, match=r'videos must have shape \(\*, \*, 3, \*, \*\)'):
        build(weights=detector, trust=True)(torch.zeros(1, 3, 9, 4, 4))
