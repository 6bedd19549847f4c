"""The contact sheet of a study whose test renders: the same clips, made by every variant."""

from pathlib import Path
from typing import Sequence

from leokit.studies.runs import Run
from leokit.studies.study import Study
from leokit.utils.indices import evenly_spaced_indices
from leokit.video import open_video
from leokit.visualization import contact_sheet, save_png

CLIPS = 4
COLUMNS = 12  # frames of a clip, evenly spread


def write_study_sheet(study: Study, runs: Sequence[Run], path: str | Path) -> bool:
    """Put clips that the tests left (mp4 files below ``test``) below each other, a row a variant.

    Of each variant the first finished run that rendered is shown, at clips that all of these have.

    Args:
        study (Study): The study; its order is that of the rows.
        runs (Sequence[Run]): Its runs.
        path (str | Path): The PNG file to write.

    Returns:
        bool: Whether there was anything to show.

    Raises:
        UserError: If a clip cannot be read, or the file cannot be written.
    """
    shown: dict[str, dict[str, Path]] = {}
    for variant in study.variants:
        for run in (run for run in runs if run.variant.name == variant.name and run.state == 'done'):
            clips = {file.stem: file for file in sorted((run.folder / 'test').rglob('*.mp4'))}
            if clips:
                shown[run.name] = clips
                break
    common = sorted(set.intersection(*map(set, shown.values()))) if shown else []
    if not common:
        return False
    rows, titles = [], []
    for index in evenly_spaced_indices(len(common), CLIPS):
        for name, clips in shown.items():
            with open_video(clips[common[index]]) as video:
                rows.append(list(video.read(evenly_spaced_indices(len(video), COLUMNS))))
            titles.append(f'{common[index]}  {name}')
    save_png(path, contact_sheet(rows, row_titles=titles))
    return True
