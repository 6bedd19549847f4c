"""How well the mouth of generated videos follows their sound, on held-out identities.

    python -m projects.audio_control.evaluate work_dirs/lmdm_audio --codes data/synthetic_faces_128_codes \
        --ground-truth data/synthetic_faces_128 --controls data/synthetic_faces_128_sound.npz
"""

import numpy as np
import torch

from leokit.analysis import ControlReport
from leokit.datasets import Controls
from leokit.metrics.control_error import control_error
from leokit.utils.tables import markdown_table
from projects.control_evaluation import control_reports


def loudness_table(report: ControlReport, controls: Controls) -> str:
    """Correlation of loudness, the root of the power in all bands, with the opening of the mouth."""
    frames = report.asked.shape[1]
    power = np.stack([np.exp(controls.sequences[name][:frames]).sum(axis=1) for name in report.names])
    loudness = torch.from_numpy(np.sqrt(power))[..., None]  # (B, T, 1)
    rows = [['truth', *_cells(loudness, report.asked)]]
    rows += [[source, *_cells(loudness, realized)] for source, realized in report.realized.items()]
    return markdown_table(['mouth_open of', 'correlation with loudness', 'with that of another video'], rows)


def _cells(loudness: torch.Tensor, mouth: torch.Tensor) -> list[str]:
    errors = control_error(loudness, mouth)
    return [f'{errors.correlation.item():.3f}', f'{errors.chance.item():.3f}']


if __name__ == '__main__':
    for report, controls in control_reports(__doc__.partition('\n')[0], ['mouth_open']):
        print(f'\n{loudness_table(report, controls)}')
