"""The version of leokit."""

__version__ = '0.2.0'
