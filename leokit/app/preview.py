"""The preview of the tab Manipulate: an image moved by the sliders, and images as HTML. Without Gradio."""

import base64
import html
import os
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from leokit.app.context import AppContext, real_number
from leokit.app.files import Visitor
from leokit.app.uploads import read_image_upload
from leokit.utils import UserError

MAX_AMOUNT = 1e3  # the motion space has no natural bound
HINT = '<p class="leokit-hint">Upload an image or choose an example, then move a slider.</p>'


def offsets_of(context: AppContext, amounts: Sequence[float]) -> dict[str, float]:
    """Offsets by direction, in the order of :meth:`AppContext.directions`; zeros are left out."""
    directions = context.directions()
    if len(amounts) != len(directions):
        raise UserError(f'there are {len(directions)} directions, got {len(amounts)} offsets; reload the page')
    checked = [real_number(amount, f'the offset along {direction}', -MAX_AMOUNT, MAX_AMOUNT)
               for direction, amount in zip(directions, amounts)]
    return {direction: amount for direction, amount in zip(directions, checked) if amount}


def preview(context: AppContext, visitor: Visitor, image: str | None, *amounts: float) -> str:
    """HTML of an uploaded image as the model sees it, and of the same image moved by the sliders.

    The newest image of a visitor and its encoding are remembered, so a slider costs one forward pass of the generator.
    """
    if not image:
        return HINT
    offsets = offsets_of(context, amounts)
    status = os.stat(image) if os.path.isfile(image) else None
    key = image, status and (status.st_size, status.st_mtime_ns)
    known = visitor.memory.get('source')
    if known is None or known[0] != key:
        known = key, context.face(read_image_upload(image, 'The image', context.limits), image)
        visitor.memory['source'] = known
    encoding = context.encode(visitor, key, known[1])
    motion = encoding.motion + context.models.leo.directions.offset(offsets).to(encoding.motion)
    moved = context.render(encoding, motion[:, None])[0]
    return figures({'Image': context.pixels(known[1]), 'Manipulated': moved}) + (
        f'<a class="leokit-link" download="manipulated.png" href="{data_uri(moved)}">Save the manipulated image</a>')


def figures(images: Mapping[str, np.ndarray]) -> str:
    """HTML of images, uint8 (H, W, 3), with captions, side by side. The images are within the HTML."""
    parts = ''.join(f'<figure><img alt="{html.escape(caption or "newest frame")}" src="{data_uri(image)}">'
                    f'<figcaption>{html.escape(caption)}</figcaption></figure>' for caption, image in images.items())
    return f'<div class="leokit-figures">{parts}</div>'


def data_uri(image: np.ndarray) -> str:
    """An image, uint8 (H, W, 3), as the address of a PNG that holds it."""
    content = cv2.imencode('.png', image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    return 'data:image/png;base64,' + base64.b64encode(content.tobytes()).decode()
