"""The data of two runs, as their checkpoints and result files record them."""

import pytest
from support.calling import run_command

from leokit.data_tools.run_data import compare_runs
from leokit.evaluation.records import ResultRecord, Score, SetInfo, save_records
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint


def training(path, digest='a' * 64, identities=('anna', 'bert'), segment=(0.0, 1.0), part='train'):
    data = {part: dict(data_root='/data', segment=list(segment), identities=list(identities), manifest_hash=digest)}
    save_checkpoint(dict(meta=dict(data=data), state_dict={}), path)
    return path


def scores(path, digest, folder='/data'):
    real = SetInfo(folder, None, 3, 3, 0, digest)
    save_records(path, [ResultRecord('fvd', Score(1.0), {}, real=real)])
    return path


def test_trainings_on_the_same_data(tmp_path, capsys):
    first, second = training(tmp_path / 'a.pth'), training(tmp_path / 'b.pth')
    assert compare_runs(first, second) == []
    assert run_command('data check', '--runs', first, second) == 0
    assert 'used the same data' in capsys.readouterr().out


def test_other_people_and_other_parts_are_named(tmp_path):
    first = training(tmp_path / 'a.pth')
    second = training(tmp_path / 'b.pth', 'b' * 64, ('anna', 'carl', 'dora'), (0, 0.8))
    sentences = compare_runs(first, second)
    assert sentences[0].startswith('train: other data (aaaaaaaa of /data, bbbbbbbb of /data)')
    assert '1 identities are in the first only (bert)' in sentences[0] and 'second only (carl, dora)' in sentences[0]
    assert sentences[1] == 'train: other parts of the videos ([0.0, 1.0] and [0, 0.8])'
    assert run_command('data check', '--runs', first, second) == 1


def test_evaluations_are_compared_by_their_real_videos(tmp_path):
    first, second = scores(tmp_path / 'a.json', 'a' * 64), scores(tmp_path / 'b.json', 'b' * 64, '/other')
    assert compare_runs(first, first) == []
    assert compare_runs(first, second) == ['real videos: other data (aaaaaaaa of /data, bbbbbbbb of /other)']


def test_runs_that_cannot_be_compared_are_refused(tmp_path):
    first = training(tmp_path / 'a.pth')
    with pytest.raises(UserError, match='two runs of one kind'):
        compare_runs(first, training(tmp_path / 'b.pth', part='test'))
    save_checkpoint(dict(meta={}, state_dict={}), tmp_path / 'old.pth')
    with pytest.raises(UserError, match='older versions.*--same-as'):
        compare_runs(first, tmp_path / 'old.pth')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='holds no checkpoint'):
        compare_runs(first, tmp_path / 'empty')
