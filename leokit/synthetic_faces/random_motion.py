"""Random motion of synthetic faces: smooth random processes with the structure of nodding and of talking.

All behaviors share slow drift of the pose, blinks, and gaze that partly compensates the rotation of the head. Nodding
adds bouts of pitch oscillations, which the height of the head follows. Talking adds phrases of syllables in the mouth,
small synchronous beats of the head, and brows that rise at the start of a phrase.
"""

import numpy as np

from leokit.synthetic_faces.motion_parameters import BEHAVIORS, MOTION_NAMES, MOTION_PARAMETERS, NEUTRAL_MOTION

MOTION_STREAM = 2  # separates the random numbers of motions from those of identities with the same seed

# Slow drift: standard deviation (in the parameter's unit) and highest frequency in Hz.
_DRIFT = {
    'yaw': (12.0, 0.45), 'pitch': (5.0, 0.4), 'roll': (4.5, 0.4), 'tx': (0.045, 0.35), 'ty': (0.025, 0.35),
    'scale': (0.028, 0.3), 'smile': (0.18, 0.35), 'brow': (0.12, 0.5), 'gaze_x': (0.28, 0.7), 'gaze_y': (0.2, 0.7),
}
_NUM_WAVES = 5  # sine waves per drift process
KNEE = 0.8  # fraction of the half range of a parameter that is not compressed
BLINK_RATE = 0.45  # per second
BLINK_CLOSE, BLINK_OPEN = 0.10, 0.18  # durations in seconds


def sample_motion(num_frames: int, *, seed: tuple[int, ...] | int = 0, behavior: str | None = None,
                fps: float = 25.0) -> tuple[np.ndarray, str]:
    """Sample the motion of one clip.

    Args:
        num_frames (int): Number of frames T.
        seed (tuple[int, ...] | int): Seed of the motion.
        behavior (str, optional): One of ``BEHAVIORS``. Default: random (40 % nodding, 40 % talking, 20 % mixed).
        fps (float): Frame rate.

    Returns:
        tuple[np.ndarray, str]: Motion parameters, float32 of shape (T, len(MOTION_NAMES)), and the behavior.
    """
    if num_frames < 1 or fps <= 0:
        raise ValueError(f'num_frames and fps must be positive, got {num_frames} and {fps}')
    if behavior not in (None, *BEHAVIORS):
        raise ValueError(f'behavior must be one of {BEHAVIORS} or None, got {behavior!r}')
    key = seed if isinstance(seed, tuple) else (seed,)
    rng = np.random.default_rng((MOTION_STREAM, *key))
    sampled = str(rng.choice(BEHAVIORS, p=[0.4, 0.4, 0.2]))  # always, so that the following numbers do not change
    behavior = behavior or sampled
    times = np.arange(num_frames) / fps
    columns = dict(zip(MOTION_NAMES, np.tile(np.array(NEUTRAL_MOTION)[:, None], (1, num_frames))))
    for name, (std, frequency) in _DRIFT.items():
        columns[name] = columns[name] + std * _drift(rng, times, frequency)
    if behavior in ('nodding', 'mixed'):
        _add_nodding(columns, rng, times)
    if behavior in ('talking', 'mixed'):
        _add_talking(columns, rng, times)
    _add_blinks(columns, rng, times)
    # the eyes keep their target while the head turns
    columns['gaze_x'] = columns['gaze_x'] - 0.012 * columns['yaw']
    columns['gaze_y'] = columns['gaze_y'] - 0.012 * columns['pitch']
    limited = [_soft_limit(columns[name], range_.low, range_.high) for name, range_ in MOTION_PARAMETERS.items()]
    return np.stack(limited, axis=1).astype(np.float32), behavior  # (T, parameters)


def _drift(rng: np.random.Generator, times: np.ndarray, highest: float) -> np.ndarray:
    """A smooth process of unit variance: sine waves of random frequency, phase and weight."""
    frequencies = rng.uniform(0.05, highest, _NUM_WAVES)
    phases = rng.uniform(0, 2 * np.pi, _NUM_WAVES)
    weights = rng.normal(size=_NUM_WAVES)
    waves = np.sin(2 * np.pi * frequencies * times[:, None] + phases)  # (T, waves)
    return waves @ weights * np.sqrt(2 / _NUM_WAVES)


def _window(times: np.ndarray, start: float, end: float, ramp: float) -> np.ndarray:
    """Window that is 1 between start and end, with cosine ramps of the given duration inside it."""
    rise = np.clip((times - start) / ramp, 0, 1)
    fall = np.clip((end - times) / ramp, 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


def _active_intervals(rng: np.random.Generator, times: np.ndarray, on: tuple[float, float],
               off: tuple[float, float]) -> list[tuple[float, float]]:
    """Start and end of random intervals of activity, separated by rest; the clip may begin within the first one."""
    start = times[0] - rng.uniform(0, on[1])
    intervals = []
    while start <= times[-1]:
        end = start + rng.uniform(*on)
        intervals.append((start, end))
        start = end + rng.uniform(*off)
    return intervals


def _add_nodding(columns: dict[str, np.ndarray], rng: np.random.Generator, times: np.ndarray) -> None:
    frequency, depth = rng.uniform(0.9, 1.7), rng.uniform(7.0, 13.0)
    phase = rng.uniform(0, 2 * np.pi)
    bouts = _active_intervals(rng, times, on=(1.4, 3.2), off=(0.2, 0.7))
    envelope = sum(rng.uniform(0.75, 1.15) * _window(times, start, end, 0.35) for start, end in bouts)
    angle = 2 * np.pi * frequency * times + phase
    # a nod is faster downwards than upwards
    nod = envelope * (np.sin(angle + 0.35 * np.sin(angle)) + 0.25)
    columns['pitch'] = columns['pitch'] + depth * nod
    columns['ty'] = columns['ty'] + 0.0022 * depth * nod
    columns['scale'] = columns['scale'] + 0.0008 * depth * nod
    columns['smile'] = columns['smile'] + rng.uniform(0.0, 0.5) * envelope
    columns['brow'] = columns['brow'] - 0.25 * nod


def _add_talking(columns: dict[str, np.ndarray], rng: np.random.Generator, times: np.ndarray) -> None:
    rate, loudness = rng.uniform(2.4, 3.8), rng.uniform(0.65, 1.0)
    beat = rng.uniform(2.5, 5.0)
    for start, end in _active_intervals(rng, times, on=(0.9, 2.2), off=(0.25, 0.6)):
        phrase = _window(times, start, end, 0.16)
        count = int(np.ceil((end - start) * rate)) + 1
        centers = start + (np.arange(count) + rng.uniform(-0.18, 0.18, count)) / rate
        heights = rng.uniform(0.35, 1.0, count)
        # syllables: adjacent bumps of about half a period, (T, syllables)
        syllables = np.exp(-0.5 * ((times[:, None] - centers) * rate / 0.27) ** 2)
        opened = loudness * phrase * (syllables @ heights)
        columns['mouth_open'] = columns['mouth_open'] + opened
        # rounded and spread vowels
        columns['smile'] = columns['smile'] + phrase * (syllables @ rng.normal(0.05, 0.2, count))
        # a beat of the head on stressed syllables
        stress = phrase * (np.exp(-0.5 * ((times[:, None] - centers - 0.06) * rate / 0.6) ** 2) @ heights ** 2)
        columns['pitch'] = columns['pitch'] + beat * (stress - 0.5 * phrase)
        columns['ty'] = columns['ty'] + 0.0020 * beat * stress
        columns['brow'] = columns['brow'] + rng.uniform(0.2, 0.8) * np.exp(-0.5 * ((times - start - 0.25) / 0.2) ** 2)


def _add_blinks(columns: dict[str, np.ndarray], rng: np.random.Generator, times: np.ndarray) -> None:
    moment = times[0] - 0.3 + rng.exponential(1 / BLINK_RATE)
    while moment < times[-1] + BLINK_CLOSE:
        close = np.clip((times - moment) / BLINK_CLOSE + 1, 0, 1)
        reopen = np.clip(1 - (times - moment) / BLINK_OPEN, 0, 1)
        shape = np.where(times < moment, close, reopen)
        columns['blink'] = np.maximum(columns['blink'], shape * shape * (3 - 2 * shape))
        columns['gaze_y'] = columns['gaze_y'] + 0.3 * shape
        moment += 0.5 + rng.exponential(1 / BLINK_RATE)


def _soft_limit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Keep a process within its range without a kink: linear up to ``KNEE``, compressed by tanh beyond.

    A range that begins at 0 is compressed at its upper end only, so that zero remains exactly zero.
    """
    low = -high if low == 0 else low
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    scaled = (values - middle) / half
    excess = np.maximum(np.abs(scaled) - KNEE, 0)
    bent = KNEE + (1 - KNEE) * np.tanh(excess / (1 - KNEE))
    return middle + half * np.where(excess > 0, np.sign(scaled) * bent, scaled)
