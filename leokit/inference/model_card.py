"""The model card of a model folder: facts as YAML front matter, then prose, as the Hugging Face Hub reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from leokit.utils.model_folder import LEO_KIND

TASK = 'image-to-video'
FACTS = ('size', 'crop', 'face_crop', 'transfer_mode', 'fps', 'color', 'value_range')


def model_card(index: Mapping[str, Any], *, license_name: str = 'apache-2.0', datasets: Sequence[str] = (),
               results: Mapping[str, float] | None = None, text: str = '') -> str:
    """The text of a model card.

    Args:
        index (Mapping): Content of ``config.json``.
        license_name (str): License of the weights, as the hub names it.
        datasets (Sequence[str]): Names of the training data.
        results (Mapping, optional): Values by metric, for ``model-index``.
        text (str): Prose after the facts.
    """
    name, data = index['name'], list(datasets) or ['unknown']
    lines = ['---', 'library_name: leokit', f'license: {license_name}', f'pipeline_tag: {TASK}', 'tags:',
             '- leokit', '- human-video-generation',
             *(['datasets:', *(f'- {each}' for each in datasets)] if datasets else []),
             'model-index:', f'- name: {_quoted(name)}', '  results:']
    if results:
        lines += ['  - task:', f'      type: {TASK}', '    dataset:', f'      name: {_quoted(data[0])}',
                  f'      type: {_quoted(data[0])}', '    metrics:']
        for metric, value in results.items():
            lines += [f'    - type: {_quoted(metric)}', f'      value: {float(value)!r}']
    else:
        lines[-1] += ' []'
    lines += ['---', '', f'# {name}', '', *_facts(index), '', *_usage(index), '', text.strip()]
    return '\n'.join(lines).rstrip() + '\n'


def _facts(index: Mapping[str, Any]) -> list[str]:
    rows = [('models', ', '.join(entry['meta']['model'] for entry in index['parts'].values()))]
    rows += [(key, index[key]) for key in FACTS if key in index]
    return ['| | |', '| --- | --- |', *(f'| {key} | {value} |' for key, value in rows)]


def _usage(index: Mapping[str, Any]) -> list[str]:
    kind, name = index['kind'], index['name']
    if kind == LEO_KIND:
        commands = [f'leokit animate {name} --source portrait.png --driving talk.mp4 --out animated.mp4']
        if {'motion_diffusion', 'start_code', 'start_frame'} <= set(index['parts']):
            commands.insert(0, f'leokit generate {name} --unconditional 4 --num-frames 32 --out generated')
        return ['```bash', *commands, '```']
    return ['```python', 'import leokit', '', f"model = leokit.load('{name}')", '```']


def _quoted(text: str) -> str:
    return "'" + str(text).replace("'", "''") + "'"
