"""Devices by name."""

import torch

from leokit.utils.errors import UserError

DEVICES = ('cpu', 'cuda')


def check_device(device: str | torch.device) -> torch.device:
    """Parse a device and check that this machine has it."""
    try:
        target = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"the device {device!r} is unknown; use 'cpu', 'cuda' or 'cuda:0'") from error
    if target.type not in DEVICES:
        reason = ' (it has no float64, which noise schedules and motion statistics need)' * (target.type == 'mps')
        raise UserError(f"the device {str(device)!r} is not supported{reason}; use 'cpu', 'cuda' or 'cuda:0'")
    if target.type == 'cuda':
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise UserError(f'the device {str(device)!r} was requested, but torch finds no CUDA here; use \'cpu\', or '
                            f'install a CUDA build of torch')
        if (target.index or 0) >= count:
            raise UserError(f'the device {str(device)!r} was requested, but there are only {count}; '
                            f"use 'cuda:0' to 'cuda:{count - 1}'")
    return target
