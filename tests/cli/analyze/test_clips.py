"""``leokit analyze clips``: folders of clips side by side."""

import json

import numpy as np
import pytest
import torch
import support.tiny_extractors  # noqa: F401  registers TinyLandmarks
from support.calling import call_command

COMMAND = 'analyze clips'
COLORS = ['--content', 'ColorStatistics', '--motion', 'ColorStatistics', '--size', 16, '--num-frames', 8, '--device',
          'cpu']


@pytest.fixture
def folders(clips, tmp_path, monkeypatch):
    """Folders ``still`` and ``moving`` with two clips of the same names and first frames."""
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    for number, name in enumerate('ab'):
        frames = np.random.default_rng(number).integers(0, 255, (10, 16, 16, 3), dtype=np.uint8)
        for folder, shown in (('still', frames[:1].repeat(10, 0)), ('moving', frames)):
            (tmp_path / folder).mkdir(exist_ok=True)
            np.save(tmp_path / folder / f'{name}.npy', shown)
    return tmp_path


def test_a_table_with_paired_differences(folders):
    status, said = call_command(COMMAND, f'a={folders / "still"}', f'b={folders / "moving"}', *COLORS,
                                '--out', folders / 'out.json')
    assert status == 0 and '| a | 0 ± 0 |' in said and '| b - a, paired |' in said
    sets = json.loads((folders / 'out.json').read_text())['sets']
    assert sets['a']['a']['acd'] == 0 and sets['a']['a']['range'] == 0
    assert sets['a']['b']['sharpness'] == pytest.approx(1, rel=1e-6)
    assert sets['b']['a']['range'] > 0 and set(sets['b']) == {'a', 'b'}


@pytest.mark.parametrize('words, message', [
    (['a={0}/still', 'a={0}/moving'], 'each set needs its own label'),
    (['a={0}/still', '--num-frames', '7'], 'at least 8, got 7'),
    (['a={0}/still', '--num-frames', '8', '--motion', 'codes'], 'needs an animator')])
def test_what_cannot_be_compared(folders, words, message):
    status, said = call_command(COMMAND, *(word.format(folders) for word in words), '--device', 'cpu',
                                *([] if 'codes' in words else ['--motion', 'ColorStatistics']),
                                '--content', 'ColorStatistics')
    assert status == 2 and message in said


def test_clips_of_different_rates_are_refused(clips, tmp_path):
    for folder, fps in (('one', 25), ('two', 15)):
        (tmp_path / folder).mkdir()
        clips.write(tmp_path / folder / 'a.mp4', clips.frames(10), rate=fps)
    status, said = call_command(COMMAND, f'a={tmp_path / "one"}', f'b={tmp_path / "two"}', *COLORS)
    assert status == 2 and 'different frame rates (15, 25)' in said
    # 20 frames at 25 per second are 12 at 15 per second
    clips.write(tmp_path / 'one' / 'b.mp4', clips.frames(20), rate=25)
    status, said = call_command(COMMAND, f'a={tmp_path / "one"}', f'b={tmp_path / "two"}', *COLORS, '--common-fps', 15,
                                '--out', tmp_path / 'out.json')
    assert status == 0
    assert {label: list(clips) for label, clips in json.loads((tmp_path / 'out.json').read_text())['sets'].items()} == {
        'a': ['b'], 'b': ['a']}  # 10 frames at 25 per second are 6


def test_stored_features_are_used_again_and_new_clips_are_added(folders, monkeypatch):
    from leokit.feature_extractors.color import ColorStatistics
    arguments = (*COLORS, '--cache-dir', folders / 'features', '--out', folders / 'out.json')
    assert call_command(COMMAND, f'a={folders / "still"}', *arguments)[0] == 0
    first = json.loads((folders / 'out.json').read_text())['sets']['a']
    seen = []

    def forward(self, images):
        seen.append(len(images))
        return torch.ones(len(images), self.dim)
    monkeypatch.setattr(ColorStatistics, 'forward', forward)
    assert call_command(COMMAND, f'a={folders / "still"}', *arguments)[0] == 0
    assert json.loads((folders / 'out.json').read_text())['sets']['a'] == first and not seen
    assert call_command(COMMAND, f'a={folders / "still"}', f'b={folders / "moving"}', *arguments)[0] == 0
    assert seen == [8, 8]  # content and motion are the same features here
    # another length is another clip
    assert call_command(COMMAND, f'a={folders / "still"}', *arguments, '--num-frames', 9)[0] == 0
    assert seen == [8, 8, 9, 9]


def test_tables_are_written_between_the_marks_of_a_page(folders):
    page = folders / 'page.md'
    page.write_text('# Title\n\n<!-- colors -->\nold\n<!-- /colors -->\n\nText.\n')
    words = (COMMAND, f'a={folders / "still"}', *COLORS, '--page', page, '--section')
    status, said = call_command(*words, 'colors')
    text = page.read_text()
    assert status == 0 and text.startswith('# Title\n\n<!-- colors -->\n| ') and 'old' not in text
    assert text.endswith('|\n<!-- /colors -->\n\nText.\n') and '| a | 0 ± 0 |' in text
    status, said = call_command(*words, 'faces')
    assert status == 2 and 'no lines <!-- faces --> and <!-- /faces -->' in said and page.read_text() == text
    assert call_command(*words[:-2], folders / 'new.md', '--section', 'faces')[0] == 0
    assert (folders / 'new.md').read_text().startswith('<!-- faces -->\n| ')
