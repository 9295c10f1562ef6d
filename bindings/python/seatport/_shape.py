"""How the generated classes look: their names, texts, comparison and documentation."""

from typing import Any

from ._native import shape

# The kinds of error after which the same call may succeed later. One of `Storage` says so itself.
_LATER = ("PoolFull", "PortWaitTimedOut", "Contended", "EventsTrimmed")


def mend(generated: Any, module: str) -> None:
    """Gives the generated classes the shape that the package documents."""
    for name, fields in shape.RECORDS.items():
        _mend_value(getattr(generated, name), name, module, fields)
    for name, variants in shape.VARIANTS.items():
        whole = getattr(generated, name)
        for before, after, fields in variants:
            variant = getattr(whole, before)
            _mend_value(variant, f"{name}.{after}", module, fields)
            setattr(variant, "__match_args__", tuple(fields))
            setattr(whole, after, variant)
    for name, kinds in shape.ERRORS.items():
        base = getattr(generated, name)
        base.__str__ = _error_text
        for kind, fields in kinds.items():
            error = getattr(base, kind)
            error.__repr__ = _repr
            error.__reduce__ = _reduce
            setattr(error, "__match_args__", tuple(fields))
            _rename(error, f"{name}.{kind}", module)
            _document(error, fields)
    generated.SeatportError.retry = False
    for kind in _LATER:
        getattr(generated.SeatportError, kind).retry = True
    for name, methods in shape.HIDDEN.items():
        owner = getattr(generated, name)
        for method in methods:
            setattr(owner, f"_{method}", getattr(owner, method))
            delattr(owner, method)
    for name in generated.__all__:
        if name not in shape.RECORDS and name != "InternalError":
            getattr(generated, name).__module__ = module


def _mend_value(cls: Any, name: str, module: str, fields: dict[str, str]) -> None:
    _rename(cls, name, module)
    _document(cls, fields)
    cls.__eq__ = _eq
    cls.__hash__ = None
    cls.__str__ = cls.__repr__ = _repr


def _rename(cls: Any, name: str, module: str) -> None:
    cls.__name__, cls.__qualname__, cls.__module__ = name.rpartition(".")[2], name, module


def _document(cls: Any, fields: dict[str, str]) -> None:
    if fields:
        told = "\n".join(f"- `{name}`: {meaning}".replace("\n", "\n  ") for name, meaning in fields.items())
        cls.__doc__ = f"{(cls.__doc__ or '').strip()}\n\n{told}\n"


def _eq(self: object, other: object) -> bool:
    # What is generated looks for its fields in whatever it is compared with.
    return vars(self) == vars(other) if type(self) is type(other) else NotImplemented


def _repr(self: object) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
    return f"{type(self).__qualname__}({fields})"


def _reduce(self: object) -> tuple[type, tuple[object, ...]]:
    return type(self), tuple(vars(self).values())


def _error_text(self: Any) -> str:
    """The text for people, which each error has under one of these names."""
    for name in ("detail", "problem"):
        if hasattr(self, name):
            return str(getattr(self, name))
    reason = self.reason
    code = "" if reason.code is None else f" ({reason.code})"
    return f"{reason.kind.name.lower().replace('_', ' ')}{code}"
