"""Appearance of a synthetic face: all parameters that do not move, sampled from (seed, identity number).

The number of identities is unlimited; identity ``k`` does not depend on the other ones.
"""

from typing import Iterable

import numpy as np

# Separates the random numbers of identities from those of motions with the same seed.
IDENTITY_STREAM = 1

_SCALARS = (
    # head outline: half width, height above and below the center, narrowing towards the chin, squareness of the jaw
    'face_width', 'face_top', 'face_bottom', 'taper', 'squareness', 'ears', 'ear_size', 'blush',
    'eye_spacing', 'eye_y', 'eye_width', 'eye_height', 'eye_slant', 'iris_size', 'lashes', 'lid',
    'brow_y', 'brow_length', 'brow_thickness', 'brow_arch', 'brow_slant',
    'nose_y', 'nose_width', 'nose_tone', 'freckles',
    'mouth_y', 'mouth_width', 'mouth_curve', 'lip_upper', 'lip_lower',
    # hair cap: opacity, extra radius at the sides and above, front hairline, limits of the sides
    'hair', 'hair_volume', 'hair_top', 'hairline', 'hairline_curve', 'swoop', 'parting', 'strands', 'strand_count',
    'hair_side', 'hair_side_end', 'curls', 'curl_count', 'gloss',
    # hair behind the head: opacity, half width, lower end; bun: radius, height
    'back_hair', 'back_width', 'back_end', 'bun', 'bun_y',
    'beard', 'beard_width', 'mustache', 'glasses', 'glasses_width', 'glasses_height', 'glasses_round', 'glasses_rim',
    'shoulder_width', 'shoulder_y', 'neck_width', 'collar', 'collar_v', 'stripes',
    'background_angle', 'background_stripes', 'background_frequency', 'background_discs', 'disc_x', 'disc_y',
    'disc_radius', 'light',
)
_COLORS = ('skin', 'hair_color', 'brow_color', 'iris', 'lips', 'glasses_color', 'cloth', 'trim', 'background',
            'background_far')
APPEARANCE_NAMES = _SCALARS + tuple(f'{name}_{channel}' for name in _COLORS for channel in 'rgb')

_SKIN_TONES = np.array([
    (0.98, 0.86, 0.78), (0.95, 0.79, 0.68), (0.91, 0.72, 0.58), (0.83, 0.62, 0.46), (0.70, 0.49, 0.34),
    (0.55, 0.36, 0.24), (0.42, 0.27, 0.18), (0.33, 0.21, 0.15)])
_HAIR_COLORS = np.array([
    (0.09, 0.07, 0.07), (0.17, 0.11, 0.08), (0.30, 0.18, 0.11), (0.45, 0.28, 0.15), (0.63, 0.42, 0.20),
    (0.86, 0.70, 0.40), (0.93, 0.84, 0.62), (0.62, 0.25, 0.10), (0.74, 0.36, 0.14), (0.62, 0.62, 0.63),
    (0.88, 0.88, 0.88), (0.35, 0.12, 0.16), (0.20, 0.30, 0.50), (0.70, 0.35, 0.52)])
_HAIR_WEIGHTS = np.array([16, 16, 14, 12, 9, 8, 4, 5, 4, 5, 3, 2, 1, 1]) / 100
_IRIS_COLORS = np.array([
    (0.24, 0.14, 0.08), (0.36, 0.21, 0.10), (0.45, 0.32, 0.14), (0.35, 0.45, 0.25), (0.25, 0.50, 0.42),
    (0.28, 0.48, 0.70), (0.42, 0.58, 0.72), (0.45, 0.50, 0.53)])

# Half width, height above, height below, taper, squareness; each varies by up to _FACE_VARIATION.
_FACE_SHAPES = {
    'oval': (0.425, 0.53, 0.53, 0.34, 0.05),
    'round': (0.475, 0.51, 0.47, 0.22, 0.12),
    'long': (0.395, 0.55, 0.60, 0.30, 0.15),
    'jaw': (0.435, 0.52, 0.54, 0.16, 0.55),
    'heart': (0.455, 0.54, 0.52, 0.50, 0.00),
}
_FACE_VARIATION = np.array([0.018, 0.02, 0.025, 0.05, 0.05])

# Ranges of the hair parameters, some of which a style overrides. Widths of back hair are relative to the face.
_HAIR_DEFAULTS = dict(
    hair=(1, 1), hair_volume=(0.03, 0.06), hair_top=(0.06, 0.11), hairline=(-0.36, -0.30), hairline_curve=(0.02, 0.12),
    swoop=(0, 0), parting=(-0.5, 0.5), strands=(0, 0.012), strand_count=(5, 11), hair_side=(0.10, 0.19),
    hair_side_end=(0.0, 0.12), curls=(0, 0), gloss=(0.0, 0.9), back_hair=(0, 0), back_width=(1.12, 1.28),
    back_end=(0.45, 0.62), bun=(0, 0))
# Probability of each style, and the ranges that it overrides.
_HAIR_STYLES = {
    'bald': (0.07, dict(hair=(0, 0))),
    'crop': (0.08, dict(hair_volume=(0.01, 0.015), hair_top=(0.02, 0.03), hair_side=(0.08, 0.14), gloss=(0, 0.2),
                        strands=(0, 0))),
    'short': (0.11, dict(hair_top=(0.07, 0.13))),
    'side': (0.12, dict(swoop=(-0.5, 0.5), hair_top=(0.09, 0.15))),
    'fringe': (0.09, dict(hairline=(-0.23, -0.19), hairline_curve=(-0.04, -0.02), strands=(0.012, 0.03),
                          hair_side=(0.14, 0.22))),
    'bob': (0.10, dict(back_hair=(1, 1), hair_side=(0.22, 0.30), hair_side_end=(0.38, 0.46), hair_volume=(0.06, 0.08),
                       swoop=(-0.3, 0.3))),
    'long': (0.14, dict(back_hair=(1, 1), back_end=(0.8, 1.15), hair_side=(0.18, 0.28), hair_side_end=(0.5, 0.6),
                        hair_volume=(0.05, 0.07), swoop=(-0.45, 0.45))),
    'long_fringe': (0.08, dict(back_hair=(1, 1), back_end=(0.75, 1.1), hair_side=(0.20, 0.28), hair_side_end=(0.5, 0.6),
                               hair_volume=(0.05, 0.07), hairline=(-0.22, -0.20), hairline_curve=(-0.03, -0.01),
                               strands=(0.01, 0.025))),
    'bun': (0.07, dict(bun=(0.14, 0.20), hair_top=(0.04, 0.06))),
    'afro': (0.05, dict(hair_volume=(0.16, 0.24), hair_top=(0.18, 0.26), curls=(0.012, 0.012), gloss=(0, 0),
                        back_hair=(1, 1), back_width=(1.35, 1.35), back_end=(0.3, 0.3), hair_side_end=(0.25, 0.25))),
    'curly': (0.05, dict(hair_volume=(0.08, 0.12), hair_top=(0.12, 0.16), curls=(0.018, 0.026), gloss=(0.1, 0.3),
                         strands=(0.03, 0.03), hair_side_end=(0.12, 0.18))),
    'receding': (0.04, dict(hairline=(-0.48, -0.44), hairline_curve=(0.2, 0.2), hair_top=(0.02, 0.02),
                            hair_volume=(0.03, 0.03), hair_side=(0.12, 0.12))),
}


def sample_identities(numbers: Iterable[int], seed: int = 0) -> np.ndarray:
    """Sample the appearance of identities.

    Args:
        numbers (Iterable[int]): Identity numbers, each >= 0.
        seed (int): Seed of the dataset.

    Returns:
        np.ndarray: float32 of shape (identities, len(APPEARANCE_NAMES)); lengths in scene units, colors in [0, 1].
    """
    rows = [_sample_one(np.random.default_rng((seed, IDENTITY_STREAM, number))) for number in numbers]
    table = [[appearance[name] for name in APPEARANCE_NAMES] for appearance in rows]
    return np.array(table, dtype=np.float32).reshape(-1, len(APPEARANCE_NAMES))


def _sample_one(rng: np.random.Generator) -> dict[str, float]:
    appearance: dict[str, float] = {}
    _sample_head(appearance, rng)
    _sample_features(appearance, rng)
    _sample_hair(appearance, rng)
    _sample_extras(appearance, rng)
    _sample_surroundings(appearance, rng)
    return appearance


def _set_color(appearance: dict[str, float], name: str, color: np.ndarray) -> None:
    appearance.update({f'{name}_{channel}': float(value) for channel, value in zip('rgb', np.clip(color, 0, 1))})


def _hue(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> np.ndarray:
    """A color of random hue, with saturation and value sampled from the given ranges."""
    offset = 6 * rng.random() + np.array([0.0, 4.0, 2.0])
    pure = np.clip(np.abs(offset % 6 - 3) - 1, 0, 1)
    return rng.uniform(*value) * (1 - rng.uniform(*saturation) * (1 - pure))


def _sample_head(appearance: dict[str, float], rng: np.random.Generator) -> None:
    shape = _FACE_SHAPES[rng.choice(list(_FACE_SHAPES))] + _FACE_VARIATION * rng.uniform(-1, 1, 5)
    appearance.update(zip(('face_width', 'face_top', 'face_bottom', 'taper', 'squareness'), np.maximum(shape, 0)))
    # skin between two neighboring tones of the table
    tone = rng.uniform(0, len(_SKIN_TONES) - 1)
    step, fraction = int(tone), tone % 1
    skin = _SKIN_TONES[step] * (1 - fraction) + _SKIN_TONES[step + 1] * fraction
    _set_color(appearance, 'skin', skin + rng.uniform(-0.025, 0.025, 3))
    appearance['ear_size'] = rng.uniform(0.075, 0.115)
    appearance['blush'] = rng.choice([0.0, 0.25, 0.5])
    appearance['freckles'] = float(rng.random() < 0.08)
    lip_tint = np.array([rng.uniform(0.6, 0.82), rng.uniform(0.12, 0.32), rng.uniform(0.2, 0.42)])
    natural = skin * np.array([0.86, 0.62, 0.62])
    _set_color(appearance, 'lips', natural + (lip_tint - natural) * rng.choice([0.1, 0.35, 0.8], p=[0.5, 0.3, 0.2]))


def _sample_features(appearance: dict[str, float], rng: np.random.Generator) -> None:
    width = appearance['face_width']
    appearance.update(
        eye_spacing=width * rng.uniform(0.43, 0.50), eye_y=rng.uniform(-0.07, 0.0),
        eye_width=width * rng.uniform(0.28, 0.34), eye_height=rng.uniform(0.068, 0.098),
        eye_slant=rng.uniform(-0.20, 0.16), iris_size=rng.uniform(0.062, 0.076),
        lashes=rng.uniform(0.010, 0.026), lid=rng.uniform(0.0, 0.8))
    _set_color(appearance, 'iris', _IRIS_COLORS[rng.integers(len(_IRIS_COLORS))] + rng.uniform(-0.04, 0.04, 3))
    appearance.update(
        brow_y=appearance['eye_y'] - rng.uniform(0.155, 0.20),
        # the limit keeps the brows apart
        brow_length=min(appearance['eye_width'] * rng.uniform(1.05, 1.35), 0.8 * appearance['eye_spacing']),
        brow_thickness=rng.uniform(0.014, 0.030), brow_arch=rng.uniform(0.0, 0.06), brow_slant=rng.uniform(-0.10, 0.16),
        nose_y=rng.uniform(0.13, 0.19), nose_width=rng.uniform(0.055, 0.095), nose_tone=rng.uniform(0.3, 0.9),
        mouth_y=rng.uniform(0.29, 0.33), mouth_width=width * rng.uniform(0.36, 0.48),
        mouth_curve=rng.uniform(0.0, 0.035), lip_upper=rng.uniform(0.024, 0.046), lip_lower=rng.uniform(0.034, 0.062))


def _sample_hair(appearance: dict[str, float], rng: np.random.Generator) -> None:
    style = rng.choice(list(_HAIR_STYLES), p=[share for share, _ in _HAIR_STYLES.values()])
    ranges = _HAIR_DEFAULTS | _HAIR_STYLES[style][1]
    appearance.update({name: rng.uniform(*ranges[name]) for name in _HAIR_DEFAULTS})
    appearance['curl_count'] = float(rng.integers(14, 22))
    appearance['back_width'] *= appearance['face_width']
    # the bun touches the head
    appearance['bun_y'] = -appearance['face_top'] - appearance['hair_top'] - 0.45 * appearance['bun']
    appearance['ears'] = 1 - appearance['back_hair']
    color = _HAIR_COLORS[rng.choice(len(_HAIR_COLORS), p=_HAIR_WEIGHTS)] + rng.uniform(-0.03, 0.03, 3)
    _set_color(appearance, 'hair_color', color)
    _set_color(appearance, 'brow_color', color * rng.uniform(0.5, 0.8))


def _sample_extras(appearance: dict[str, float], rng: np.random.Generator) -> None:
    bearded = rng.random() < 0.28 and appearance['back_hair'] == 0
    appearance['beard'] = rng.choice([0.3, 0.95]) if bearded else 0.0
    appearance['beard_width'] = rng.choice([0.17, 1.0]) if bearded else 1.0
    shaven = appearance['beard'] < 0.5 and (appearance['back_hair'] > 0 or rng.random() < 0.94)
    appearance['mustache'] = 0.0 if shaven else 0.95
    appearance['glasses'] = float(rng.random() < 0.22)
    appearance.update(
        # the limit keeps the lenses apart
        glasses_width=min(appearance['eye_width'] * rng.uniform(1.3, 1.6), 0.88 * appearance['eye_spacing']),
        glasses_height=rng.uniform(0.10, 0.14),
        glasses_round=rng.uniform(0.3, 1.0), glasses_rim=rng.uniform(0.010, 0.02))
    dark = rng.uniform(0.05, 0.2) * np.ones(3)
    _set_color(appearance, 'glasses_color', dark if rng.random() < 0.65 else _hue(rng, (0.4, 0.8), (0.3, 0.7)))


def _sample_surroundings(appearance: dict[str, float], rng: np.random.Generator) -> None:
    appearance.update(
        shoulder_width=rng.uniform(0.72, 0.95), shoulder_y=rng.uniform(0.70, 0.78), neck_width=rng.uniform(0.19, 0.25),
        collar=rng.uniform(0.02, 0.10), collar_v=float(rng.random() < 0.45) * rng.uniform(0.1, 0.24),
        stripes=float(rng.random() < 0.25))
    cloth = _hue(rng, (0.1, 0.75), (0.2, 0.9))
    _set_color(appearance, 'cloth', cloth)
    tonal = rng.random() < 0.6
    _set_color(appearance, 'trim', cloth * rng.uniform(0.5, 0.75) if tonal else _hue(rng, (0.0, 0.6), (0.7, 1.0)))
    far = _hue(rng, (0.08, 0.42), (0.5, 0.95))
    _set_color(appearance, 'background_far', far)
    _set_color(appearance, 'background', far * rng.uniform(0.6, 0.85) + rng.uniform(-0.08, 0.08, 3))
    pattern = rng.choice(['plain', 'stripes', 'discs'], p=[0.4, 0.25, 0.35])
    appearance.update(
        background_angle=rng.uniform(0, 2 * np.pi), background_stripes=0.12 * (pattern == 'stripes'),
        background_frequency=rng.uniform(5, 12), background_discs=rng.uniform(0.08, 0.2) * (pattern == 'discs'),
        disc_x=rng.uniform(-0.9, 0.9), disc_y=rng.uniform(-0.9, 0.0), disc_radius=rng.uniform(0.2, 0.45),
        light=rng.uniform(-0.6, 0.6))
