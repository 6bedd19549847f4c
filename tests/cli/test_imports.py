import gc
import subprocess
import sys

import pytest

from leokit.cli import imports


@pytest.mark.parametrize('enabled', [True, False])
def test_the_collection_is_as_before_after_a_pause_and_an_error(enabled):
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), imports.collection_paused():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_modules_are_imported_without_collections_and_frozen_once():
    code = """
import gc, sys
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
from leokit.cli.imports import import_libraries
collections.clear()
import_libraries('torch._dynamo')
print('torch._dynamo' in sys.modules, collections, gc.isenabled(), gc.get_freeze_count() > 100_000)
gc.unfreeze()
import_libraries('torch._dynamo')
print(gc.get_freeze_count())
"""
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.stdout.splitlines() == ['True [] True True', '0'], result.stderr
