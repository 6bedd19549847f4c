import cv2
import numpy as np
import pytest
from studies.stand_ins import write_study

from leokit.studies import load_study, plan_runs, write_study_sheet
from leokit.video import VideoWriter

GRAY = {'good': 200, 'bad one': 50}


@pytest.fixture
def study(tmp_path):
    study = load_study(write_study(tmp_path)[0])
    return study, plan_runs(study, tmp_path / 'work')


def render(run, clips, done=True):
    for clip in clips:
        with VideoWriter(run.folder / 'test' / 'generated' / f'{clip}.mp4', 25) as writer:
            writer.write(np.full((5, 32, 32, 3), GRAY[run.variant.name], np.uint8))
    if done:
        run.metrics_file.write_text('{}')


def test_a_row_for_every_variant_and_common_clip(study, tmp_path):
    study, runs = study
    first = {run.variant.name: run for run in runs if run.seed == 1}
    render(first['good'], ['a', 'b', 'c'])
    render(first['bad one'], ['b', 'c', 'd'])
    assert write_study_sheet(study, runs, tmp_path / 'sheet.png')
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    column = sheet[:, -16, 0].astype(int)  # through the last frame of every row
    assert sheet.shape[0] >= 4 * 32
    seen = [int(value) for value in column if abs(value - 200) < 4 or abs(value - 50) < 4]
    bands = [round(value / 50) for at, value in enumerate(seen) if at == 0 or abs(value - seen[at - 1]) > 100]
    assert bands == [4, 1, 4, 1]


def test_without_finished_tests_there_is_no_sheet(study, tmp_path):
    study, runs = study
    render(runs[0], ['a'], done=False)
    assert not write_study_sheet(study, runs, tmp_path / 'sheet.png') and not (tmp_path / 'sheet.png').exists()
