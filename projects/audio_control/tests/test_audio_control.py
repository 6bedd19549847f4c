"""The synthesized voice, its features, and the config."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.datasets import load_controls
from leokit.registry import MODELS
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth, write_synthetic_faces
from leokit.utils import UserError, load_config
from leokit.video import open_video
from projects.audio_control.log_mel import BANDS, RATE, WINDOW, log_mel, mel_filters, read_sound
from projects.audio_control.sound_track import BACKGROUND, VOICE, add_sound, voice, voice_of
from projects.audio_control.write_controls import write_sound_controls, write_true_controls

CONFIG = Path(__file__).parents[1] / 'configs' / 'lmdm_audio.py'


# ---- voice -----------------------------------------------------------------
@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('opening', [0.2, 0.5, 1.0])
def test_the_power_of_the_voice_is_that_of_the_opening(seed, opening):
    samples = voice(np.full(100, opening), 25.0, seed)
    assert len(samples) == 4 * RATE and samples.dtype == np.float32
    expected = math.sqrt((VOICE * opening) ** 2 + BACKGROUND ** 2)
    assert np.sqrt(np.mean(samples ** 2)) == pytest.approx(expected, rel=0.05)


def test_a_closed_mouth_leaves_the_background():
    samples = voice(np.r_[np.zeros(50), np.ones(50)], 25.0, 0)
    assert samples[:31 * RATE // 16].std() == pytest.approx(BACKGROUND, rel=0.05)
    assert samples[-RATE:].std() > 50 * BACKGROUND


def test_voices_differ_but_one_seed_is_one_voice():
    mouth = np.ones(25)
    first, again, other = voice(mouth, 25.0, 1), voice(mouth, 25.0, 1), voice(mouth, 25.0, 2)
    assert np.array_equal(first, again) and abs(np.corrcoef(first, other)[0, 1]) < 0.3


# ---- features --------------------------------------------------------------
@pytest.mark.parametrize('frequency', [200.0, 1000.0, 4000.0])
def test_a_tone_is_in_the_bands_around_it(frequency):
    time = torch.arange(2 * RATE) / RATE
    features = log_mel(0.5 * torch.sin(2 * math.pi * frequency * time), 25.0, 50)
    assert features.shape == (50, BANDS)
    mel = lambda f: 2595 * math.log10(1 + f / 700)  # noqa: E731
    position = (mel(frequency) - mel(60)) / (mel(7600) - mel(60)) * (BANDS + 1) - 1  # band whose center it is
    assert (features[2:-2].argmax(dim=1) - position).abs().max() < 1.2


def test_filters_form_a_partition_between_their_ends():
    filters = mel_filters()
    frequencies = torch.arange(WINDOW // 2 + 1) * RATE / WINDOW
    inside = (frequencies > 150) & (frequencies < 7000)
    assert torch.allclose(filters.sum(0)[inside], torch.ones(int(inside.sum())), atol=1e-4)
    assert not filters[:, frequencies < 60].any() and not filters[:, frequencies > 7600].any()


def test_features_are_in_step_with_their_frame():
    """A burst in the middle of frame 10 is loudest there; sound that ends early is silent afterwards."""
    samples = torch.zeros(RATE)
    middle = int(10.5 * RATE / 25)
    samples[middle - 80:middle + 80] = torch.randn(160, generator=torch.Generator().manual_seed(0))
    loudness = log_mel(samples, 25.0, 60).logsumexp(1)
    assert int(loudness.argmax()) == 10
    assert torch.allclose(loudness[30:], loudness[30:31].expand(30)) and loudness[30] == loudness.min()


def test_the_power_of_noise_is_that_of_its_bands():
    """White noise of variance s² has power s² at every frequency: the sum over all bands is s² times their widths."""
    noise = 0.1 * torch.randn(40 * RATE, generator=torch.Generator().manual_seed(0))
    power = log_mel(noise, 25.0, 1000).exp().mean(0)
    assert torch.allclose(power, 0.01 * mel_filters().sum(1), rtol=0.1)


# ---- videos ----------------------------------------------------------------
@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp('faces')
    plan = SyntheticFacesPlan(num_identities=2, clips_per_identity=1, num_frames=40, size=16)
    write_synthetic_faces(folder, plan, workers=0, show_progress=False)
    return folder


def test_the_sound_of_a_video_has_the_features_of_its_voice(dataset):
    truth = load_truth(dataset)
    with pytest.raises(UserError, match='has no sound'):
        read_sound(dataset / 'videos' / f'{truth.names[0]}.mp4')
    with open_video(dataset / 'videos' / f'{truth.names[0]}.mp4') as video:
        before = video.read(range(len(video)))
    assert add_sound(dataset) == 2 and add_sound(dataset) == 0
    with open_video(dataset / 'videos' / f'{truth.names[0]}.mp4') as video:
        assert np.array_equal(video.read(range(len(video))), before)
    assert write_sound_controls(dataset, dataset / 'read.npz') == 2
    assert write_true_controls(dataset, dataset / 'true.npz') == 2
    read, true = load_controls(dataset / 'read.npz'), load_controls(dataset / 'true.npz')
    mouth = truth.motion_names.index('mouth_open')
    for name in truth.names:
        assert len(read_sound(dataset / 'videos' / f'{name}.mp4')) == pytest.approx(len(voice_of(truth, name, 25.0)),
                                                                                  abs=2048)
        a, b = (torch.from_numpy(controls.sequences[name]).logsumexp(1) for controls in (read, true))
        assert a.shape == b.shape == (40,)
        opening = truth.motion[truth.index(name)][:, mouth]
        if opening.max() > 0.3:
            assert np.corrcoef(a, b)[0, 1] > 0.98
            loudness = np.sqrt(np.exp(true.sequences[name]).sum(1))
            assert np.corrcoef(loudness, opening)[0, 1] > 0.8
    assert max(truth.motion[:, :, mouth].max(1)) > 0.3  # a talking one is among them


def test_the_config_builds_the_documented_model():
    config = load_config(CONFIG)
    model = MODELS.build(config.model)
    assert type(model.conditioning.control_encoder).__name__ == 'ConvControlEncoder'
    assert model.conditioning.control_encoder.control_dim == BANDS
    assert config.train_dataloader.dataset.controls == config.controls
