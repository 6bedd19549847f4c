"""The preview of the sliders: of a face, without Gradio, and in time on a GPU."""

import base64
import re
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from leokit.app import AppContext, Limits, load_models
from leokit.app.examples import draw_examples
from leokit.app.files import PrivateFiles
from leokit.app.preview import preview
from leokit.face_detectors import Face
from leokit.inference import face_cropper


def images_of(html):
    """The images in HTML, RGB."""
    return [cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
            for text in re.findall(r'<img[^>]*src="data:image/png;base64,([^"]+)"', html)]


def test_the_face_of_the_image_is_shown(context, tmp_path, monkeypatch):
    class Detector:
        has_landmarks = False

        def detect(self, frame, *, thorough=False):
            return [Face(np.array((40., 20., 56., 36.)), 1.0)]

    monkeypatch.setattr(face_cropper, 'build_face_detector', lambda config, landmarks: Detector())
    monkeypatch.setattr(face_cropper, 'is_detector_installed', lambda: True)
    monkeypatch.setattr(context.animator, 'face_crop', dict(type='SquareCropper', scale=2.0), raising=False)
    picture = np.random.default_rng(0).integers(0, 256, (64, 100, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / 'photo.png')
    html = preview(context, context.files.visitor('one'), str(tmp_path / 'photo.png'), 0, 0, 0, 0)
    shown, _ = images_of(html)
    assert np.array_equal(shown, picture[12:44, 32:64])  # twice 16 pixels around (48, 28): the model's 32 pixels


@pytest.mark.gpu
def test_a_preview_takes_less_than_a_tenth_of_a_second_on_a_gpu(tmp_path):
    models = load_models('leo_synthetic', device='cuda')
    portrait = draw_examples(tmp_path / 'drawn').portraits[0]
    context = AppContext(models, Limits(), PrivateFiles(root=tmp_path / 'private'))
    visitor, amounts = context.files.visitor('one'), [0.0] * len(context.directions())
    seconds = []
    for number in range(12):
        amounts[0] = 0.1 * number
        start = time.perf_counter()
        preview(context, visitor, str(portrait), *amounts)
        seconds.append(time.perf_counter() - start)
    assert sorted(seconds[2:])[5] < 0.1
