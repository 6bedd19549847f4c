"""The commands of docs/results/beside_leo.md, with the model in the package and drawn faces as the published clips."""

import json

from support.calling import run_command


def test_continue_first_frames_and_compare_in_pairs(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    run_command('synthetic-faces', '--out', tmp_path / 'faces', '--num-identities', 2, '--clips-per-identity', 2,
                '--num-frames', 8, '--size', 128)
    run_command('data', 'select', '--videos', tmp_path / 'faces', '--where', 'frames>=8', '--per-identity', 1,
                '--out', tmp_path / 'published.json')
    run_command('generate', 'leo_synthetic', '--videos', tmp_path / 'published.json', '--num-frames', 8,
                '--num-inference-steps', 3, '--device', 'cpu', '--out', tmp_path / 'ours')
    (tmp_path / 'page.md').write_text('# Page\n\n<!-- faces -->\n<!-- /faces -->\n')
    run_command('analyze', 'clips', f'published={tmp_path / "published.json"}', f'leokit={tmp_path / "ours"}',
                '--content', 'ColorStatistics', '--motion', 'ColorStatistics', '--num-frames', 8, '--device', 'cpu',
                '--out', tmp_path / 'clips.json', '--page', tmp_path / 'page.md', '--section', 'faces')
    result = json.loads((tmp_path / 'clips.json').read_text())
    assert result['identities']['leokit'] == result['identities']['published'] and len(result['sets']['leokit']) == 2
    row = next(line for line in (tmp_path / 'page.md').read_text().splitlines() if 'paired' in line)
    assert row.startswith('| leokit - published, paired | ') and row.endswith(' | 2 | 2 |')
