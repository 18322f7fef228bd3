"""The innovation register: what the NHS in England learnt in the pandemic, kept or retired."""


def __getattr__(name: str) -> str:
    """``__version__``, when somebody asks for it: to find it takes as long as the process that
    writes an export takes for all else that it imports."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("innovation-register")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0.0.0"
