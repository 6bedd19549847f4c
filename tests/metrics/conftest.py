"""Fixtures of the tests here."""

from support.metric_fixtures import reference, tiny_image, tiny_video  # noqa: F401
