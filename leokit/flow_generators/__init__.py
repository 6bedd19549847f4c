"""Flow generators: map a latent and source features to flow maps, masks and the frame."""

from leokit.flow_generators.lia_flow_generator import FlowFrame, LIAFlowGenerator
from leokit.flow_generators.liax_flow_generator import LIAXFlowGenerator

__all__ = ['FlowFrame', 'LIAFlowGenerator', 'LIAXFlowGenerator']
