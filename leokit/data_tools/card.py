"""A data card: what a publication or a shared dataset has to state about its data, in Markdown."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from leokit.data_tools.integrity import DataCheck
from leokit.data_tools.statistics import DISTRIBUTIONS
from leokit.datasets.preparation import SETTINGS_FILE
from leokit.utils.tables import escape_markdown, markdown_table

TO_FILL = 'To be stated.'


def data_card(statistics: dict[str, Any], check: DataCheck, *, title: str, license: str | None = None,
              origin: str | None = None, preparation: dict[str, Any] | None = None, figure: str | None = None) -> str:
    """Write a data card; what the data do not tell is left to be stated.

    Args:
        statistics (dict): Of :func:`~leokit.data_tools.statistics.data_statistics`.
        check (DataCheck): Of :func:`~leokit.data_tools.integrity.check_data`.
        title (str): Name of the dataset.
        license (str, optional): License, terms of use.
        origin (str, optional): Where the videos come from.
        preparation (dict, optional): Settings of the preparation, as ``leokit prepare`` recorded them.
        figure (str, optional): Picture of the distributions, a path relative to the card.

    Returns:
        str: Markdown.
    """
    parts = {'all': statistics, **(statistics['splits'] if len(statistics['splits']) > 1 else {})}
    totals = markdown_table(['split', 'videos', 'identities', 'frames', 'hours'], [
        [name, str(part['videos']), str(part['identities']), str(part['frames']), f'{part["hours"]:.3g}']
        for name, part in parts.items()])
    spread = markdown_table(['', 'min', 'median', 'mean', 'max'], [
        [label, *(f'{statistics[key][name]:.4g}' for name in ('min', 'median', 'mean', 'max'))]
        for key, label in DISTRIBUTIONS.items() if key in statistics])
    listed = {key: ', '.join(f'{name} ({count})' for name, count in statistics[key].items())
              for key in ('frame_rates', 'sizes')}
    problems = check.problems() or ['None found.']
    sections = [
        f'# {escape_markdown(title)}', f'Data card written on {date.today().isoformat()} by `leokit data card`.',
        '## Composition', totals, spread,
        f'Frames per second (number of videos): {listed["frame_rates"]}. Sizes in pixels: {listed["sizes"]}.',
        *([f'![Distributions]({figure})'] if figure else []),
        '## Identification',
        'SHA-256 over names, identities, splits and contents of all videos: '
        f'`{check.hash or "not computed, as videos are missing"}`. `leokit data check` computes it.',
        '## Origin', escape_markdown(origin) if origin else TO_FILL,
        '## License and consent',
        (escape_markdown(license) if license else TO_FILL) + ' The videos show people: state whether and how they '
        'agreed, and how a person can have a video removed.',
        '## Preparation', _settings(preparation) if preparation else TO_FILL,
        '## Known problems', '\n'.join(f'- {problem.splitlines()[0].rstrip(":")}' if problem != 'None found.'
                                       else problem for problem in problems),
        '## Uses', 'Intended uses, and uses that are excluded: ' + TO_FILL[0].lower() + TO_FILL[1:]]
    return '\n\n'.join(sections) + '\n'


def find_preparation(folder: Path) -> dict[str, Any] | None:
    """The settings that ``leokit prepare`` recorded in a folder of clips, if there are any."""
    path = folder / SETTINGS_FILE
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _settings(preparation: dict[str, Any]) -> str:
    rows = [[escape_markdown(str(key)), escape_markdown(str(value))] for key, value in preparation.items()]
    return markdown_table(['setting', 'value'], rows)
