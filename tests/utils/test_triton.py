"""Kernels need a compiler and headers besides Triton, which images of containers often lack."""

import pytest

from leokit.utils import triton
from leokit.utils.triton import triton_obstacle


@pytest.fixture
def complete(monkeypatch, tmp_path):
    (tmp_path / 'Python.h').touch()
    monkeypatch.delenv('CC', raising=False)
    monkeypatch.delenv('TRITON_INTERPRET', raising=False)
    monkeypatch.setattr(triton, 'IS_INSTALLED', True)
    monkeypatch.setattr(triton.shutil, 'which', lambda name: '/usr/bin/gcc' if name == 'gcc' else None)
    monkeypatch.setattr(triton.sysconfig, 'get_paths', lambda scheme: dict(include=str(tmp_path)))
    return tmp_path


def test_a_complete_machine(complete):
    assert triton_obstacle() is None


def test_without_triton(complete, monkeypatch):
    monkeypatch.setattr(triton, 'IS_INSTALLED', False)
    assert triton_obstacle() == 'Triton is not installed'


def test_without_a_compiler(complete, monkeypatch):
    monkeypatch.setattr(triton.shutil, 'which', lambda name: None)
    assert 'install gcc, or set CC' in triton_obstacle()
    monkeypatch.setenv('TRITON_INTERPRET', '1')  # which compiles nothing
    assert triton_obstacle() is None
    monkeypatch.delenv('TRITON_INTERPRET')
    monkeypatch.setenv('CC', '/opt/bin/cc')
    assert triton_obstacle() is None


def test_without_headers(complete):
    (complete / 'Python.h').unlink()
    assert f'{complete}/Python.h: install python3-dev' in triton_obstacle()
