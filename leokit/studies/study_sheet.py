"""Contact sheet of a study whose test generates videos: the same clips from every variant."""

from pathlib import Path
from typing import Sequence

from leokit.studies.runs import Run
from leokit.studies.study import Study
from leokit.utils.indices import evenly_spaced_indices
from leokit.video import open_video
from leokit.visualization import contact_sheet, save_png

CLIPS = 4
COLUMNS = 12  # frames of a clip, evenly spaced


def write_study_sheet(study: Study, runs: Sequence[Run], path: str | Path) -> bool:
    """Show clips of the tests (mp4 files below ``test``), one row per clip and variant.

    Of each variant, the first finished run with clips is shown, at clips that all of these runs have.

    Args:
        study (Study): The study; rows are in the order of its variants.
        runs (Sequence[Run]): Its runs.
        path (str | Path): Output file.

    Returns:
        bool: False, and no file, if there are no common clips.
    """
    clips_by_run: dict[str, dict[str, Path]] = {}
    for variant in study.variants:
        for run in (run for run in runs if run.variant.name == variant.name and run.state == 'done'):
            clips = {file.stem: file for file in sorted((run.folder / 'test').rglob('*.mp4'))}
            if clips:
                clips_by_run[run.name] = clips
                break
    common = sorted(set.intersection(*map(set, clips_by_run.values()))) if clips_by_run else []
    if not common:
        return False
    rows, titles = [], []
    for index in evenly_spaced_indices(len(common), CLIPS):
        for name, clips in clips_by_run.items():
            with open_video(clips[common[index]]) as video:
                rows.append(list(video.read(evenly_spaced_indices(len(video), COLUMNS))))
            titles.append(f'{common[index]}  {name}')
    save_png(path, contact_sheet(rows, row_titles=titles))
    return True
