"""Tiny models on disk, shared by the tests of the tools."""

import pytest

from support.tiny_runs import write_models


@pytest.fixture(scope='session')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))
