"""Warp operators: feature, flow and mask to the warped feature."""

from leokit.warp_operators.bilinear_warp import BilinearWarp, bilinear_sample_reference

__all__ = ['BilinearWarp', 'bilinear_sample_reference']
