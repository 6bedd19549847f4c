"""Constants on a device are made once, outside of inference mode, and stay where CUDA graphs read them."""

import torch

from leokit.utils.device_constant import device_constant

CPU = torch.device('cpu')


def test_it_has_the_numbers_the_type_and_the_device():
    found = device_constant(((1.0, 2.0), (3.0, -4.0)), CPU, torch.float64)
    assert torch.equal(found, torch.tensor([[1.0, 2.0], [3.0, -4.0]], dtype=torch.float64)) and found.device == CPU


def test_a_constant_of_inference_mode_can_be_part_of_a_training():
    with torch.inference_mode():
        found = device_constant((2.5, 3.5), CPU)
    weight = torch.ones(2, requires_grad=True)
    (weight * found).sum().backward()
    assert weight.grad.tolist() == [2.5, 3.5]


def test_other_constants_do_not_release_one_that_a_graph_may_read():
    address = device_constant((0.25, 7.0), CPU).data_ptr()
    kept = [device_constant((number, 7.5), CPU) for number in range(1000)]
    assert device_constant((0.25, 7.0), CPU).data_ptr() == address and len(kept) == 1000
