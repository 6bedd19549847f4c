"""Detectors of torchvision: which of what the network finds becomes a person, and where weights come from."""

from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision

from leokit.person_detectors import TorchvisionPersonDetector, build_person_detector
from leokit.utils import UserError

NAME = 'ssdlite320_mobilenet_v3_large'


class Network(torch.nn.Module):
    """Finds a person at the left, where the frame is bright, another one less certainly, and a dog (18)."""

    def forward(self, images):
        image, = images
        assert image.shape == (3, 40, 60) and image.dtype == torch.float32
        assert (float(image.min()), float(image.max())) == (0.0, 1.0)
        right = float((image[0] > 0.5).any(0).nonzero().max()) + 1
        return [dict(boxes=torch.tensor([[1., 2., 5., 9.], [0., 4., right, 40.], [3., 3., 9., 9.], [0., 0., 60., 40.]]),
                     labels=torch.tensor([1, 1, 1, 18]), scores=torch.tensor([0.9, 0.8, 0.6, 0.95]))]


def test_people_of_enough_certainty(monkeypatch):
    monkeypatch.setattr(torchvision.models, 'get_model', lambda name, **options: Network())
    detector = build_person_detector(dict(type='TorchvisionPersonDetector', min_score=0.7))
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[4:, :17] = 255
    found = detector.detect(frame)
    assert [person.box.tolist() for person in found] == [[0, 4, 17, 40], [1, 2, 5, 9]]  # the largest first
    assert [person.score for person in found] == pytest.approx([0.8, 0.9])


def test_weights_from_a_file(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.get_model(NAME, weights=None, weights_backbone=None).eval()
    torch.save(network.state_dict(), tmp_path / 'weights.pth')
    detector = TorchvisionPersonDetector(NAME, min_score=0.0, checkpoint=tmp_path / 'weights.pth')
    frame = np.random.default_rng(0).integers(0, 256, (80, 90, 3), np.uint8)
    with torch.no_grad():
        expected, = network([torch.from_numpy(frame).permute(2, 0, 1) / 255])
    boxes = expected['boxes'][expected['labels'] == 1].numpy()
    found = np.array([person.box for person in detector.detect(frame)]).reshape(-1, 4)
    assert np.allclose(sorted(map(tuple, found)), sorted(map(tuple, boxes)))
    torch.save({'other': torch.zeros(1)}, tmp_path / 'other.pth')
    with pytest.raises(UserError, match=f'other.pth does not hold the weights of {NAME}'):
        TorchvisionPersonDetector(NAME, checkpoint=tmp_path / 'other.pth')


def test_no_connection_and_unknown_models(monkeypatch):
    def offline(name, **options):
        raise URLError('no route')
    with pytest.raises(UserError, match="'yolo' is no detection model of torchvision; choose one of fasterrcnn"):
        TorchvisionPersonDetector('yolo')
    monkeypatch.setattr(torchvision.models, 'get_model', offline)
    with pytest.raises(UserError, match='could not be downloaded .*no route.*; put the file into .*/checkpoints, or'):
        TorchvisionPersonDetector()
