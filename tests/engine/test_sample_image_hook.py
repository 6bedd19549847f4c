"""The images of validations have the samples, and reach the files of the trackers."""

import numpy as np
import pytest
import torch
from mmengine.visualization import Visualizer
from PIL import Image

from leokit.engine import SampleImageHook
from leokit.engine.sample_image_hook import draw_samples
from leokit.utils.pixels import from_uint8

SIZE = 64  # no enlarging


def pair(value):
    image = torch.full((3, SIZE, SIZE), value)
    return dict(source=image, driving=image, reconstruction=image, flow=torch.zeros(2, 8, 8),
                mask=torch.ones(1, 8, 8), name='a')


class Runner:
    def __init__(self, visualizer, iteration=7):
        self.visualizer, self.iter = visualizer, iteration


class Recorder:
    def __init__(self):
        self.images = []

    def add_image(self, name, image, step):
        self.images.append((name, image, step))


def validate(hook, runner, batches):
    hook.before_val_epoch(runner)
    for index, outputs in enumerate(batches):
        hook.after_val_iter(runner, index, outputs=outputs)
    hook.after_val_epoch(runner, {})


def test_the_first_samples_of_each_validation_are_shown():
    hook, recorder = SampleImageHook(num_samples=2), Recorder()
    for _ in range(2):
        validate(hook, Runner(recorder), [[pair(0.0)], [pair(1.0), pair(-1.0)]])
    (name, sheet, step), second = recorder.images
    assert (name, step) == ('val/samples', 7) and np.array_equal(sheet, second[1])
    gray, white, black = (int(((sheet == level).all(-1)).sum()) for level in (128, 255, 0))
    assert gray >= 3 * SIZE * SIZE and white >= 3 * SIZE * SIZE  # three columns of each of the two first samples
    assert black < SIZE * SIZE


def test_clips_are_rows_of_real_and_generated_frames():
    real = from_uint8(torch.full((5, 3, SIZE, SIZE), 200, dtype=torch.uint8))
    generated = from_uint8(torch.full((5, 3, SIZE, SIZE), 100, dtype=torch.uint8))
    sheet = draw_samples([dict(real=real, generated=generated, name='a')])
    for level in (200, 100):
        assert ((sheet == level).all(-1)).sum() >= 5 * SIZE * SIZE
    assert draw_samples([]) is None and draw_samples([dict(code=real)]) is None


def test_tensorboard_has_scalars_and_images(tmp_path):
    events = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    visualizer = Visualizer(vis_backends=[dict(type='TensorboardVisBackend')], save_dir=str(tmp_path))
    validate(SampleImageHook(), Runner(visualizer), [[pair(0.0)]])
    visualizer.add_scalar('loss', 0.5, 3)
    visualizer.close()
    found = events.EventAccumulator(str(tmp_path / 'vis_data'))
    found.Reload()
    assert found.Tags()['images'] == ['val/samples'] and found.Tags()['scalars'] == ['loss']
    assert found.Images('val/samples')[0].step == 7


def test_weights_and_biases_gets_the_images(tmp_path, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    visualizer = Visualizer(vis_backends=[dict(type='WandbVisBackend')], save_dir=str(tmp_path))
    recorder = Recorder()
    for target in (visualizer, recorder):
        validate(SampleImageHook(), Runner(target), [[pair(0.0)]])
    visualizer.close()
    image, = tmp_path.glob('vis_data/wandb/offline-run-*/files/media/images/val/samples_*.png')
    assert np.array_equal(np.asarray(Image.open(image).convert('RGB')), recorder.images[0][1])
