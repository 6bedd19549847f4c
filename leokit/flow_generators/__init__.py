"""Flow generators: map a latent and source features to flow maps, masks and the frame."""

from leokit.flow_generators.lia_flow_generator import FlowFrame, LIAFlowGenerator

__all__ = ['FlowFrame', 'LIAFlowGenerator']
