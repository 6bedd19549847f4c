"""Planted edits are where they are said to be, and what detectors find is counted."""

import numpy as np
import pytest
from support.calling import run_command

from leokit.benchmark.scene_cut_accuracy import SHOT, TRANSITION, Edit, measure_accuracy, plant_edits
from leokit.utils import UserError
from leokit.video import VideoIndex, write_manifest


@pytest.fixture(scope='module')
def people(tmp_path_factory, clips):
    folder = tmp_path_factory.mktemp('people')
    for number in range(2):
        clips.write(folder / f'{number}.mp4', clips.frames(110, 48, 96, seed=number))
    return folder


def test_edits_are_planted_at_known_frames(people, clips, monkeypatch):
    monkeypatch.setattr('leokit.benchmark.scene_cut_accuracy.fit_frames', lambda frames, side: frames)
    edits = {edit.kind: edit for edit in plant_edits(VideoIndex(people).videos[:2])}
    numbers = {kind: clips.numbers(edit.frames) for kind, edit in edits.items()}
    assert numbers['none'] == list(range(75)) and numbers['fast'] == list(range(0, 110, 3))
    assert numbers['cut'] == [*range(SHOT), *range(SHOT)] and edits['cut'].start == SHOT
    assert numbers['fast_cut'] == [*range(0, 75, 3), *range(0, 75, 3)] and edits['fast_cut'].start == 25
    jump = edits['jump']
    assert numbers['jump'][24] == 24 and 25 <= numbers['jump'][jump.start] - 25 <= 40
    fade = edits['fade']
    assert (fade.start, fade.end) == (25, 25 + TRANSITION) and numbers['fade'][fade.end:] == [*range(12, 50)]
    assert fade.frames[30:32].mean() < 0.2 * fade.frames[0].mean()


def test_found_and_false_detections_are_counted():
    frames = np.zeros((10, 8, 8, 3), np.uint8)
    edits = [Edit('cut', frames, 5, 6), Edit('cut', frames, 5, 6), Edit('none', frames)]
    answers = iter([[6], [2, 8], [4]])
    counts, milliseconds = measure_accuracy(iter(edits), dict(it=lambda frames, rate: next(answers)))
    assert counts['it', 'cut'] == (2, 1, 2, 20) and counts['it', 'none'] == (0, 0, 1, 10)
    assert milliseconds['it'] >= 0


def test_one_person_alone_is_refused(people):
    write_manifest(people / 'one.json', [dict(file=f'{number}.mp4', identity='anna') for number in range(2)])
    with pytest.raises(UserError, match='at least two identities'):
        run_command('bench scene-cuts', '--videos', people / 'one.json')


def test_command_compares_the_detectors(people, capsys):
    run_command('bench scene-cuts', '--videos', people)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['scene_cut', 'cut', '2', '2', '1.000'] in [line[:5] for line in lines]
