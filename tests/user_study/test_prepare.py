"""A prepared study is blind, reproducible, and never overwrites another one's key."""

import base64
import json
import re
from dataclasses import replace

import pytest

from leokit.user_study import StudyKey, StudyOptions, prepare_study
from leokit.utils import UserError

from user_study.studies import METHODS, make_folders, moving_frames, write_video


def embedded_videos(page):
    found = re.findall(r'<script type="text/plain" id="video-(\w+)">(.*?)</script>', page)
    return {name: base64.b64decode(text) for name, text in found}


def test_no_name_is_in_the_page(study, folders):
    everything = study.page.encode() + b''.join(embedded_videos(study.page).values())
    for word in [*METHODS, 'results_of', 'clip_', str(folders[METHODS[0]].parent), '.mp4']:
        assert word.encode() not in everything.lower(), word


def test_page_reveals_neither_checks_nor_methods(study):
    data = json.loads(re.search('id="study">(.*?)</script>', study.page)[1])
    assert all(trial.keys() == {'id', 'videos'} for trial in data['trials'])
    checks = [i for i, trial in enumerate(study.key.trials) if trial.is_check]
    assert checks != [9, 10]  # the checks are not simply the last trials
    assert [trial['id'] for trial in data['trials']] == [trial.id for trial in study.key.trials]


def test_all_videos_of_the_trials_are_embedded_once(study):
    videos = embedded_videos(study.page)
    assert set(videos) == {video for trial in study.key.trials for video in trial.videos} == set(study.key.videos)
    assert len(set(videos.values())) == len(videos)


def test_the_key_has_the_origin_of_videos(study, folders):
    for trial in study.key.trials:
        if trial.is_check:
            degraded = next(video for video in trial.videos if video != trial.right_answer)
            assert study.key.videos[degraded] == dict(spoilt=trial.check_kind, made_from=trial.right_answer)
        else:
            for video, method, name in zip(trial.videos, trial.methods, trial.names):
                origin = study.key.videos[video]
                assert origin == dict(method=method, name=name, file=str(folders[method] / f'{name}.mp4'))
    assert [trial.check_kind for trial in study.key.trials if trial.is_check] in (
        ['noise', 'shuffled'], ['shuffled', 'noise'])


def test_same_input_same_study_other_seed_other_study(study, folders, options):
    assert prepare_study(folders, options).key == study.key
    assert prepare_study(folders, replace(options, seed=4)).key.page_hash != study.key.page_hash


def test_the_seed_alone_does_not_determine_the_layout(study, folders, options, tmp_path):
    others = make_folders(tmp_path)
    write_video(others[METHODS[0]] / 'clip_0.mp4', moving_frames(seed=77, length=12))  # another size
    assert [form[:3] for form in prepare_study(others, options).key.forms] != [form[:3] for form in study.key.forms]


def test_differences_that_unblind_are_reported(folders, tmp_path):
    write_video(tmp_path / 'other' / 'clip_0.mp4', moving_frames(length=12, height=64, width=64), fps=30)
    chosen = {'one': folders[METHODS[0]], 'two': tmp_path / 'other'}
    options = StudyOptions(question='Which?', pairs_per_rater=1, attention_checks=0)
    text = '\n'.join(prepare_study(chosen, options).remarks)
    assert 'matched by 1 common names of 6 and 1' in text
    assert all(f'different {what} in 1 pairs' in text for what in ('sizes', 'frame rates', 'lengths'))
    assert 'different sizes' not in '\n'.join(prepare_study(chosen, replace(options, height=32)).remarks)


def test_another_key_is_not_overwritten(study, folders, options, tmp_path):
    page, key = tmp_path / 'page.html', tmp_path / 'page.key.json'
    study.write(page, key)
    study.write(page, key)  # the same study again does no harm
    other = prepare_study(folders, replace(options, seed=4))
    with pytest.raises(UserError, match='key of another study'):
        other.write(page, key)
    assert page.read_text() == study.page and StudyKey.load(key).page_hash == study.key.page_hash
    other.write(page, key, overwrite=True)
    assert StudyKey.load(key).page_hash == other.key.page_hash
    with pytest.raises(UserError, match='cannot both be'):
        study.write(page, page)


@pytest.mark.parametrize('change, message', [
    (dict(question='  '), 'question is empty'),
    (dict(pairs_per_rater=0), '--pairs-per-rater 0'),
    (dict(pool=3), '--pool 3 is smaller'),
    (dict(pool=1000), 'allow 18 different pairs'),
    (dict(attention_checks=-1), '--attention-checks -1'),
    (dict(height=2), '--height 2'),
    (dict(attention_checks=10**6), 'must be at most 100'),
    (dict(question='\udcff'), 'question has characters that are not UTF-8'),
    (dict(seed=-1), '--seed -1'),
])
def test_bad_settings_are_refused(folders, options, change, message):
    with pytest.raises(UserError, match=message):
        prepare_study(folders, replace(options, **change))


def test_one_folder_is_refused(folders, options):
    with pytest.raises(UserError, match='two or more folders'):
        prepare_study({METHODS[0]: folders[METHODS[0]]}, options)


def test_an_unreadable_video_is_named(folders, options, tmp_path):
    (tmp_path / 'clip_0.mp4').write_bytes(b'junk' * 1000)
    with pytest.raises(UserError, match='clip_0.mp4'):
        prepare_study({'good': folders[METHODS[0]], 'bad': tmp_path},
                      replace(options, pairs_per_rater=1, pool=None))
