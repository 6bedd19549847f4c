"""Old names of registered types, their arguments, config keys and config values, and the names that replaced them.

Configs, checkpoints and result records written with the old names keep loading for one release: every config passes
through :func:`upgrade_config`, every config given to a registry of leokit through :func:`upgrade_component`. Each old
name that occurs causes one ``FutureWarning`` with the new name. ``CHANGELOG.md`` has the same table for readers.
"""

import ast
import json
import re
import warnings
from collections.abc import Mapping
from typing import Any

# Registered type -> its new name, or the new name with arguments that the old one implied.
TYPES: dict[str, str | dict[str, Any]] = {
    'DrawSampler': 'DeterministicSampler',
    'FrechetVideoDistance': dict(type='VideoDistances', metrics=('fvd',)),
    'KernelVideoDistance': dict(type='VideoDistances', metrics=('kvd',)),
    'LEOTest': 'LEOBenchmark',
    'NpyReader': 'ArrayReader',
    'SampleArrayReader': 'ArrayReader',
}
# Type (new name) -> old argument -> new argument.
ARGUMENTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(('DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler'),
                    dict(num_steps='num_inference_steps', spacing='timestep_spacing')),
    'MotionStatistics': dict(seams='window_boundaries'),
    **dict.fromkeys(('FaceIdentity', 'FaceLandmarks'), dict(side='resolution')),
    **dict.fromkeys(('AverageContentDistance', 'VideoDistances'), dict(remember_real='cache_real')),
    'PerceptualLoss': dict(min_side='min_resolution'),
    **dict.fromkeys(('LinearNoiseScheduler', 'CosineNoiseScheduler'), dict(num_steps='num_train_timesteps')),
    **dict.fromkeys(('MotionDiffusion', 'StartCodeDiffusion', 'StartFrameDiffusion'),
                    dict(prediction='prediction_type')),
    'History': dict(codes='context_frames'),
    'Overlap': dict(codes='overlap'),
}
# Top-level config key -> new key; references such as '$continuation' follow.
CONFIG_KEYS: dict[str, str] = {
    'continuation': 'long_video',
    'drawn_per_code': 'frames_per_code',
}
# New key of a config that has the old one -> the model's type and the argument that refers to the key today.
MODEL_REFERENCES: dict[str, tuple[str, str]] = {
    'long_video': ('MotionDiffusion', 'long_video'),
}
# Key of the conventions in a checkpoint's ``meta`` -> new key.
CONVENTIONS: dict[str, str] = {
    'num_steps': 'num_train_timesteps',
    'prediction': 'prediction_type',
}
# Value of a protocol, by section and key.
PROTOCOL_VALUES: dict[tuple[str, str], dict[str, str]] = {
    ('frames', 'aspect'): {'centre_crop': 'center_crop'},
}
# Name of a metric in result records and logs -> new name.
METRIC_NAMES: dict[str, str] = {
    'motion_spread': 'motion_dispersion',
    'motion_seam_jerk_ratio': 'motion_boundary_jerk_ratio',
    'motion/spread': 'motion/dispersion',
    'motion/real_spread': 'motion/real_dispersion',
    'motion/spread_ratio': 'motion/dispersion_ratio',
    'motion/seam_jerk_ratio': 'motion/boundary_jerk_ratio',
    'codes/spread_ratio': 'codes/std_ratio',
}
# Key of a benchmark scenario -> new key, and values of one by (new) key.
SCENARIO_KEYS: dict[str, str] = {'measures': 'metrics'}
SCENARIO_VALUES: dict[str, dict[str, str]] = {'first_frames': {'drawn': 'generated'}}
# Attribute of a long-video strategy in the settings of generated videos -> new attribute.
STRATEGY_ATTRIBUTES: dict[str, str] = {'codes': 'context_frames', 'held_back': 'pending_frames'}

_REFERENCE = re.compile(r'\$(\w+)|\$\{(\w+)\}')


def warn_renamed(kind: str, old: str, new: str) -> None:
    """Issue a FutureWarning; Python's default filter shows it once per name."""
    warnings.warn(f'the {kind} {old!r} was renamed to {new!r}; the old name works until the next release',
                  FutureWarning, stacklevel=2)


def upgrade_component(config: dict[str, Any]) -> dict[str, Any]:
    """Replace the old names in one component's config, not in those nested in it.

    If both the old and the new argument are given, the old one has precedence, because it can only be an override of a
    newer config.

    Returns:
        dict: The config itself if all its names are current, else a new dict.
    """
    kind = config.get('type')
    if not isinstance(kind, str):
        return config
    scope, _, name = kind.rpartition('.')
    upgraded = config
    if name in TYPES:
        new = TYPES[name]
        implied = dict(new) if isinstance(new, dict) else dict(type=new)
        warn_renamed('type', name, implied['type'])
        name = implied.pop('type')
        upgraded = {**implied, **config, 'type': f'{scope}.{name}' if scope else name}
    renamed = ARGUMENTS.get(name, {})
    if any(key in renamed for key in upgraded):
        result = {key: value for key, value in upgraded.items() if key not in renamed}
        for key in [key for key in upgraded if key in renamed]:
            warn_renamed(f'argument of {name}', key, renamed[key])
            result[renamed[key]] = upgraded[key]
        upgraded = result
    return upgraded


def upgrade_config(config: dict[str, Any]) -> dict[str, Any]:
    """A copy of a whole config (plain nested dicts and lists) with current names."""
    result = {key: _upgrade(value) for key, value in config.items() if key not in CONFIG_KEYS}
    for old in [key for key in config if key in CONFIG_KEYS]:
        new = CONFIG_KEYS[old]
        warn_renamed('config key', old, new)
        result[new] = _upgrade(_merged(result.get(new), config[old]))
        _refer(result.get('model'), new)
    return result


def upgrade_scenario(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the old names in the settings of a benchmark scenario; an old key wins over its replacement."""
    result = {key: value for key, value in values.items() if key not in SCENARIO_KEYS}
    for old, new in SCENARIO_KEYS.items():
        if old in values:
            warn_renamed('scenario key', old, new)
            result[new] = values[old]
    for key, renamed in SCENARIO_VALUES.items():
        value = result.get(key)
        if isinstance(value, str) and value in renamed:
            warn_renamed(f'scenario value of {key}', value, renamed[value])
            result[key] = renamed[value]
    return result


def upgrade_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Replace the old names in the settings that the benchmark stores next to generated videos (JSON values)."""
    result = dict(facts)
    if 'continuation' in result:
        strategy = result.pop('continuation')
        result['long_video'] = {STRATEGY_ATTRIBUTES.get(key, key): value for key, value in strategy.items()}
    if 'first_frames' in result:
        result['first_frames'] = SCENARIO_VALUES['first_frames'].get(result['first_frames'], result['first_frames'])
    for part, content in result.items():
        if isinstance(content, dict) and isinstance(content.get('model'), str):  # the text of a dict
            with warnings.catch_warnings():  # the user cannot rewrite these files
                warnings.simplefilter('ignore', FutureWarning)
                model = _upgrade(ast.literal_eval(content['model']))
            result[part] = dict(content, model=json.loads(json.dumps(model)) or {})
    return result


def _merged(base: Any, override: Any) -> Any:
    """Inheritance under two names: a config with an old key may inherit from one with the new key."""
    if not isinstance(base, dict) or not isinstance(override, dict):
        return override
    override = dict(override)
    other_type = override.get('type', base.get('type')) != base.get('type')
    return override if override.pop('_delete_', False) or other_type else {**base, **override}


def _refer(model: Any, key: str) -> None:
    """Pass a top-level key to the model, as loading did before the model had the argument."""
    kind, argument = MODEL_REFERENCES.get(key, (None, ''))
    if isinstance(model, dict) and str(model.get('type')).rpartition('.')[2] == kind:
        model.setdefault(argument, f'${key}')


def _upgrade(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _upgrade(item) for key, item in upgrade_component(value).items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_upgrade(item) for item in value)
    if isinstance(value, str) and '$' in value:
        return _REFERENCE.sub(_renamed_reference, value)
    return value


def _renamed_reference(match: re.Match) -> str:
    name = match[1] or match[2]
    return match[0].replace(name, CONFIG_KEYS[name]) if name in CONFIG_KEYS else match[0]
