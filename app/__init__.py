"""The innovation register: what the NHS in England learnt in the pandemic, kept or retired."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("innovation-register")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.0.0"
