"""A synthesized voice whose loudness opens the mouth of SyntheticFaces, so that the truth is known.

    python -m projects.audio_control.sound_track data/synthetic_faces_128

adds the sound to the videos of a dataset. The voice is a sum of harmonics of a fundamental with vibrato, plus breath
noise; pitch, timbre and share of noise differ between videos, and only the amplitude follows the mouth. A quiet
background noise is always there.
"""

import argparse
import tempfile
import wave
from pathlib import Path

import numpy as np

from leokit.synthetic_faces import SyntheticTruth, load_truth
from leokit.utils import UserError, progress_bar
from leokit.utils.hashing import stable_number
from leokit.video import open_video
from leokit.video.sound import copy_sound, sound_problem

RATE = 16_000  # samples per second
NUM_HARMONICS = 12
BACKGROUND = 0.002  # amplitude of the noise that is always there
VOICE = 0.25  # amplitude of the voice at a wide open mouth


def voice(mouth_open: np.ndarray, fps: float, seed: int) -> np.ndarray:
    """The sound of a clip.

    Args:
        mouth_open (np.ndarray): Opening of the mouth in [0, 1], shape (T,).
        fps (float): Frames per second.
        seed (int): Seed of the voice.

    Returns:
        np.ndarray: Samples in [-1, 1] at :data:`RATE`, float32, shape (T * RATE / fps,).
    """
    random = np.random.default_rng(seed)
    time = np.arange(round(len(mouth_open) * RATE / fps)) / RATE
    pitch = random.uniform(90, 240) * (1 + 0.03 * np.sin(2 * np.pi * random.uniform(3, 6) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tilt, breath = random.uniform(0.5, 1.5), random.uniform(0.05, 0.4)
    harmonics = np.arange(1, NUM_HARMONICS + 1)
    weights = random.uniform(0.3, 1, NUM_HARMONICS) / harmonics ** tilt
    tone = weights / np.sqrt((weights ** 2).sum() / 2) @ np.sin(harmonics[:, None] * phase)  # of unit power
    sound = np.sqrt(1 - breath) * tone + np.sqrt(breath) * random.normal(size=len(time))
    envelope = np.interp(time * fps, np.arange(len(mouth_open)), np.clip(mouth_open, 0, 1))
    samples = VOICE * envelope * sound + BACKGROUND * random.normal(size=len(time))
    return np.clip(samples, -1, 1).astype(np.float32)


def voice_of(truth: SyntheticTruth, name: str, fps: float) -> np.ndarray:
    """The sound of one video of a dataset; see :func:`voice`."""
    mouth = truth.motion[truth.index(name)][:, truth.motion_names.index('mouth_open')]
    return voice(mouth, fps, stable_number(name, 0))


def write_wave(path: Path, samples: np.ndarray) -> None:
    """Write samples in [-1, 1] as 16-bit sound."""
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype('<i2').tobytes())


def add_sound(dataset: str | Path) -> int:
    """Add its voice to every silent video of a dataset; return how many were silent."""
    truth, count = load_truth(dataset), 0
    files = [Path(dataset) / 'videos' / f'{name}.mp4' for name in truth.names]
    with tempfile.TemporaryDirectory() as folder, progress_bar(len(files), 'adding sound', unit='video') as bar:
        sound = Path(folder) / 'voice.wav'
        for name, file in zip(truth.names, files):
            if sound_problem(file, 'a.mp4') == f'{file} has none':
                with open_video(file) as video:
                    fps = video.fps
                write_wave(sound, voice_of(truth, name, fps))
                problem = copy_sound(sound, file)
                if problem:
                    raise UserError(f'{file} got no sound: {problem}')
                count += 1
            bar.update(1)
    return count


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('dataset')
    args = parser.parse_args()
    print(f'{args.dataset}: {add_sound(args.dataset)} videos got a voice')
