"""The version of leokit."""

__version__ = '0.1.0'
