import numpy as np
import pytest
import torch

from leokit.feature_extractors.dlib_resnet import DlibFaceResNet
from leokit.feature_extractors.face_detection import import_dlib, model_file
from leokit.feature_extractors.face_identity import NETWORK_FILE
from leokit.utils import UserError


@torch.no_grad()
def test_embeds_as_dlib_does():
    path = model_file(NETWORK_FILE)
    chips = np.random.RandomState(0).randint(0, 256, (3, 150, 150, 3)).astype(np.uint8)
    chips[1] //= 4
    chips[2, :, :75] = 200
    own = DlibFaceResNet(path).eval()(torch.from_numpy(chips).permute(0, 3, 1, 2))
    theirs = import_dlib().face_recognition_model_v1(str(path)).compute_face_descriptor(list(chips))
    np.testing.assert_allclose(own, np.array(theirs), atol=1e-5)


@pytest.mark.parametrize('damage', [
    lambda data: b'', lambda data: data[:1_000_000], lambda data: data + data[-200_000:],
    lambda data: data.replace(b'con_4', b'con_5')])
def test_refuses_another_file(damage, tmp_path):
    (tmp_path / 'net.dat').write_bytes(damage(model_file(NETWORK_FILE).read_bytes()))
    with pytest.raises(UserError, match='net.dat'):
        DlibFaceResNet(tmp_path / 'net.dat')
