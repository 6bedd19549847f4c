import torch
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from leokit.noise_schedulers import FlowMatchingScheduler
from leokit.utils.modules import device_of, unwrap_model


def test_device_of():
    assert device_of(nn.Linear(1, 1, device='meta')) == torch.device('meta')
    assert device_of(nn.ReLU()) == torch.device('cpu')
    assert device_of(FlowMatchingScheduler(4).to('meta')) == torch.device('meta')  # has buffers only


def test_wrapped_models(monkeypatch):
    model = nn.Sequential(nn.Linear(1, 1))
    assert unwrap_model(model) is model

    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module
    monkeypatch.setitem(MODEL_WRAPPERS.module_dict, 'Wrapper', Wrapper)
    assert unwrap_model(Wrapper(model)) is model
