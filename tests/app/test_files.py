"""The private folder: who sees what, and when it is deleted."""

import os
import stat
import time

import pytest

from leokit.app.files import PrivateFiles
from leokit.utils import UserError


def result(files, key, name='a.mp4'):
    path = files.visitor(key).new_file(name)
    path.write_bytes(b'1234')
    return path


def upload(files, key, name, sha='abc'):
    path = files.root / sha / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b'12')
    files.note_upload(key, path)
    return path


def test_only_this_user_can_read_it(files):
    assert stat.S_IMODE(files.root.stat().st_mode) == 0o700


def test_without_a_place_for_files_there_is_a_sentence(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='no place for temporary files .*; set TMPDIR'):
        PrivateFiles(root=tmp_path / 'file' / 'private')


def test_results_have_folders_of_their_own(files):
    one, two, again = result(files, 'one'), result(files, 'two'), result(files, 'one')
    assert len({path.parent for path in (one, two, again)}) == 3
    assert one.parents[1] == again.parents[1] != two.parents[1]
    assert len(one.parents[1].name) == 32  # 128 random bits


@pytest.mark.parametrize('path', ['/etc/passwd', '../outside', 'a\0b', '', '{root}/../x', '{root}', '{root}/link'])
def test_paths_outside_are_not_held(files, path):
    (files.root / 'link').symlink_to('/etc/hostname')
    assert not files.holds(path.format(root=files.root))


def test_own_paths_are_held(files):
    assert files.holds(result(files, 'one')) and files.holds(upload(files, 'one', 'a b.png'))


def test_a_visitor_who_leaves_takes_everything_along(files):
    kept = result(files, 'two')
    gone = [result(files, 'one'), upload(files, 'one', 'mine.png')]
    shared = upload(files, 'one', 'shared.png')
    files.note_upload('two', shared)  # the same file, uploaded by both
    job = files.visitor('one').start('animate')
    files.forget('one')
    assert job.is_set() and kept.exists() and shared.exists() and not any(path.exists() for path in gone)
    files.forget('two')
    assert not kept.exists() and not shared.exists() and not shared.parent.exists()
    files.forget('two')  # a page may close twice


def test_old_files_are_swept_but_not_the_examples(tmp_path):
    files = PrivateFiles(keep_minutes=1, root=tmp_path / 'private')
    old, new = result(files, 'one', 'old.mp4'), result(files, 'one', 'new.mp4')
    files.examples.mkdir()
    example = files.examples / 'portrait.png'
    example.write_bytes(b'1')
    for path in (old, example):
        os.utime(path, (time.time() - 61, time.time() - 61))
    files.sweep()
    assert not old.exists() and new.exists() and example.exists()
    files.visitor('one').last_seen -= 61
    files.sweep()
    assert not new.exists()
    files.close()
    assert not files.root.exists()


def test_sweeping_runs_by_itself(tmp_path):
    files = PrivateFiles(keep_minutes=0, root=tmp_path / 'private')
    path = result(files, 'one')
    files.sweep_regularly(0.02)
    for _ in range(200):
        if not path.exists():
            break
        time.sleep(0.02)
    files.close()
    assert not path.exists()


def test_used_bytes(files):
    result(files, 'one'), upload(files, 'one', 'a.png')
    assert files.used_bytes() == 6


def test_messages_do_not_show_where_files_are(files):
    path = result(files, 'one')
    assert files.without_paths(f'cannot read {path}; see {path}') == 'cannot read a.mp4; see a.mp4'


def test_a_new_job_of_a_tab_cancels_the_one_before(files):
    visitor = files.visitor('one')
    first, other, second = visitor.start('long'), visitor.start('edit'), visitor.start('long')
    assert first.is_set() and not other.is_set() and not second.is_set()
