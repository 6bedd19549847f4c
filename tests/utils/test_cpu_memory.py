"""Freed memory is reused unless the user has configured the allocator."""

import os
import subprocess
import sys

import pytest

from leokit.utils import cpu_memory
from leokit.utils.cpu_memory import disable_malloc_trim

# page faults when a tensor of 64 MiB is allocated and freed repeatedly, after a warm-up, and without the setting
FAULTS = '''
import resource, threading, torch
from leokit.utils.cpu_memory import enable_malloc_trim, disable_malloc_trim
kept = disable_malloc_trim()

def faults(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.zeros(size)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

for _ in range(3):
    torch.zeros(2**24)
counts = [faults(2**24)]

def in_a_thread():
    faults(2**25)
    counts.append(faults(2**25))  # 128 MiB: a heap of a thread's own holds 64

thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
if kept:
    enable_malloc_trim()
    counts.append(faults(2**26))  # larger than what lies free in the heap
print(kept, *counts)
'''
CHOSEN = ('GLIBC_TUNABLES', 'LD_PRELOAD')


def faults(**variables):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith('MALLOC_') and name not in CHOSEN}
    answer = subprocess.run([sys.executable, '-c', FAULTS], env=environment | variables, check=True,
                            text=True, capture_output=True).stdout.split()
    return answer[0] == 'True', *map(int, answer[1:])


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='needs the C library of Linux')
def test_memory_is_reused_without_page_faults():
    kept, few, few_in_a_thread, many_again = faults()
    changed, many, many_in_a_thread = faults(MALLOC_ARENA_TEST='8')
    assert kept and not changed and many_again > many / 2
    assert few < many / 10  # 131,072 pages of 4 KiB, unless the kernel deals out larger ones
    assert few_in_a_thread < many_in_a_thread / 10  # of 262,144


@pytest.mark.parametrize('name', ['MALLOC_TRIM_THRESHOLD_', *CHOSEN])
def test_settings_of_the_user_are_not_changed(monkeypatch, name):
    monkeypatch.setattr(cpu_memory.ctypes, 'CDLL', lambda _: pytest.fail('the allocator was touched'))
    monkeypatch.setenv(name, 'x')
    assert not disable_malloc_trim()


def test_without_glibc_nothing_happens(monkeypatch):
    for name in [name for name in os.environ if name.startswith('MALLOC_') or name in CHOSEN]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(cpu_memory.ctypes, 'CDLL', lambda _: object())
    assert not disable_malloc_trim()


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='the peak can be reset on Linux only')
def test_the_peak_is_measured_since_the_reset():
    script = ('import torch; from leokit.utils.cpu_memory import reset_peak_memory, peak_memory\n'
              'x = torch.ones(2**26); del x; high = peak_memory(); reset_peak_memory()\n'
              'low = peak_memory(); y = torch.ones(2**25)\n'
              'print(high - low, peak_memory() - low)')
    out = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True).stdout
    fell, rose = map(int, out.split())
    assert fell > 2**27 and 2**26 < rose < 2**28
