"""Devices that a machine does not have are refused in one sentence."""

import pytest
import torch

from leokit.cli.options import choose_device
from leokit.utils import UserError
from leokit.utils.devices import check_device


def test_devices(monkeypatch):
    assert check_device('cpu') == torch.device('cpu')
    with pytest.raises(UserError, match="the device 'gpu' is unknown"):
        check_device('gpu')
    for device in ('mps', 'meta', 'xpu:0'):
        with pytest.raises(UserError, match=f'the device .{device}. is not supported.*; use .cpu.'):
            check_device(device)
    with pytest.raises(UserError, match='unknown'):
        check_device('')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match="'cuda' was requested, but torch finds no CUDA here; use 'cpu'"):
        check_device('cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert check_device('cuda') == torch.device('cuda') and check_device('cuda:1').index == 1
    with pytest.raises(UserError, match="'cuda:2' was requested, but there are only 2; use 'cuda:0' to 'cuda:1'"):
        check_device('cuda:2')


def test_commands_check_the_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert choose_device(None) == choose_device('cpu') == 'cpu'
    with pytest.raises(UserError, match="'cuda:1' was requested, but torch finds no CUDA here"):
        choose_device('cuda:1')
