"""The mutation tool: what it changes, and that it tells noticed from unnoticed faults."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'dev' / 'mutate.py'


@pytest.fixture
def operators(monkeypatch):
    monkeypatch.syspath_prepend(TOOL.parent)
    import mutation_operators
    return mutation_operators


def variants(operators, source):
    """The lines that mutations make of one line."""
    encoded = source.encode()
    return {mutation.apply(encoded).decode() for mutation in operators.find_mutations(encoded)
            if operators.is_fault(encoded, mutation)}


@pytest.mark.parametrize('source, expected', [
    ('y = (a + b) * c', {'y = (a - b) * c', 'y = (a) * c', 'y = (a + b) / c', 'y = (a + b)', 'y = c'}),
    ('y = a < b', {'y = a <= b'}), ('y = a is not None', {'y = a is None'}), ('y = a and b', {'y = a or b'}),
    ('y = -x', {'y = x'}), ('y = not x', {'y = x'}), ('y = True', {'y = False'}),
    ('y = 3', {'y = 4', 'y = 2'}), ('y = 0.5', {'y = 1.0'}), ('y = 1e-06', {'y = 0.001'}), ('y = 0', {'y = 1'}),
    ("f(mode='bilinear')", {"f(mode='nearest')", 'pass'}),
    ('def f(x=2): pass', {'def f(x=3): pass', 'def f(x=1): pass'}),
    ('y = x.mean(-1)', {'y = x.sum(-1)', 'y = x', 'y = x.mean(-2)', 'y = x.mean(1)'}),
    ('y = torch.sqrt(x)', {'y = (x)'}),
    ('y = randn(3, generator=g)', {'y = randn(4, generator=g)', 'y = randn(2, generator=g)', 'y = randn(3)'}),
    ('y = f(a, b)', {'y = f(b, a)'}), ('y = zip(a, b)', set()),
    ('y += x', {'pass', 'y -= x'}), ('if x: pass', {'if not (x): pass'}),
    ("'''Text 3.'''", set()), ('x: Shape[3]', set()), ("raise ValueError(f'{x + 1}')", set()), ('warn(1 + 2)', set())])
def test_mutations_of_a_line(operators, source, expected):
    # names whose exchange is another mutation of the same text
    found = {line for line in variants(operators, source) if 'var(' not in line and 'rand(' not in line}
    assert found == expected


def test_places_are_bytes(operators):
    assert variants(operators, "x = 'ä', 'µ', a + b") == {"x = 'ä', 'µ', a - b", "x = 'ä', 'µ', a"}


@pytest.fixture
def project(tmp_path):
    """A repository with a function that is tested and one that is not."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'dev').mkdir()
    for path in TOOL.parent.glob('*'):
        if path.is_file():
            (tmp_path / 'tools' / 'dev' / path.name).write_bytes(path.read_bytes())
    for folder in ('leokit/nn', 'tests/nn'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'leokit' / '__init__.py').touch()
    (tmp_path / 'leokit' / 'nn' / '__init__.py').touch()
    (tmp_path / 'leokit' / 'nn' / 'grid.py').write_text('def double(x):\n    return x + x\n\n\n'
                                                        'def untested(x):\n    return x < 1\n')
    (tmp_path / 'tests' / 'nn' / 'test_grid.py').write_text(
        'from leokit.nn.grid import double\n\n\ndef test_double():\n    assert double(2) == 4\n')
    (tmp_path / 'leokit' / 'nn' / 'kernels.py').write_text('def triple(x):\n    return x * 3\n')
    (tmp_path / 'tests' / 'nn' / 'test_kernels.py').write_text(
        'import pytest\nfrom leokit.nn.kernels import triple\n\n\n@pytest.mark.slow\ndef test_triple():\n'
        '    assert triple(2) == 6\n')
    (tmp_path / 'setup.cfg').write_text('[tool:pytest]\npythonpath = .\naddopts = --import-mode=importlib\n')
    subprocess.run(['git', 'init', '-q'], cwd=tmp_path, check=True)
    return tmp_path


def test_noticed_and_unnoticed_faults(project):
    planted = [dict(module='leokit/nn/grid.py', before='    return x + x', after='    return x - x'),
               dict(module='leokit/nn/grid.py', before='    return x < 1', after='    return x <= 1'),
               dict(module='leokit/nn/grid.py', before='    return x + x', after='    while True: pass'),
               dict(module='leokit/nn/kernels.py', before='    return x * 3', after='    return x / 3')]
    (project / 'given.json').write_text(json.dumps(planted))
    # without the libraries of leokit, which need not be imported here
    code = ('import sys, runpy, mutation_rooms; mutation_rooms.TESTED_SLOWLY = ("leokit/nn/kernels.py",); '
            'import mutation_runner; mutation_runner.PRELOADED = ("pytest",); mutation_runner.LEAST = 5.0; '
            'sys.argv[:] = ["mutate.py", "--again", "given.json", "--out", "out.json"]; '
            f'runpy.run_path({str(project / "tools" / "dev" / "mutate.py")!r}, run_name="__main__")')
    done = subprocess.run([sys.executable, '-c', code], cwd=project, capture_output=True, text=True, timeout=120,
                          env={'PATH': '/usr/bin:/bin', 'PYTHONPATH': str(project / 'tools' / 'dev')}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((project / 'out.json').read_text())
    assert [entry['status'] for entry in results] == ['killed', 'survived', 'timeout', 'killed']
    assert results[0]['test'].endswith('test_grid.py::test_double')
    assert results[3]['test'].endswith('test_kernels.py::test_triple')  # marked slow
    assert '3 of 4 noticed' in done.stdout
    assert (project / 'leokit' / 'nn' / 'grid.py').read_text().startswith('def double(x):\n    return x + x\n')


def test_a_small_room_gives_each_of_its_faults_once(project):
    done = subprocess.run([sys.executable, 'tools/dev/mutate.py', '--rooms', 'nn', '--number', '99', '--list'],
                          cwd=project, capture_output=True, text=True, timeout=60, check=True)
    assert sorted(entry['after'].strip() for entry in json.loads(done.stdout)) == sorted([
        'return x - x', 'return x', 'return x <= 1', 'return x < 2',
        'return x / 3', 'return x', 'return 3', 'return x * 4', 'return x * 2'])
