"""The web page of ``leokit app``: the trained models in a browser, safe to put on a server.

Every tab is one file in :mod:`leokit.app.tabs`: a function that does the work and knows nothing of Gradio, and one that
lays out the tab. Gradio is an extra, so only :mod:`leokit.app.page`, :mod:`leokit.app.layout` and the tabs import it at
the top.
"""

from leokit.app.context import AppContext
from leokit.app.limits import Limits
from leokit.app.models import AppModels, load_models

__all__ = ['AppContext', 'AppModels', 'Limits', 'load_models']
