"""Show what a default is worth, not the name of the constant that holds it: an extension of Griffe for mkdocstrings."""

from __future__ import annotations

from typing import Any

import griffe


class ShowDefaults(griffe.Extension):
    """Put the literal in place of the name, wherever a default is a constant of a module."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Resolve the defaults of every function, now that all modules are read."""
        show_defaults(pkg)


def show_defaults(parent: griffe.Module | griffe.Class) -> None:
    """Do so in a module or class and in what it holds."""
    for member in parent.members.values():
        if isinstance(member, griffe.Function):
            for parameter in member.parameters:
                parameter.default = literal_of(parameter.default, member.module)
        elif isinstance(member, (griffe.Module, griffe.Class)):
            show_defaults(member)


def literal_of(default: Any, module: griffe.Module) -> Any:
    """Give the value of a constant as the source has it; what is no constant, or none of ours, as it is."""
    constant = module.members.get(default.name) if isinstance(default, griffe.ExprName) else None
    try:
        value = constant.value if constant is not None else None
    except griffe.AliasResolutionError:
        return default
    return value if isinstance(value, str) else default
