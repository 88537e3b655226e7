"""The parameters: params.yaml, overridden by `key=value` arguments such as `train.lr=0.3`."""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

Params = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Reads `1e-5` as a number, as YAML 1.2 does; PyYAML by itself takes it for text."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def load(arguments: list[str]) -> Params:
    """The parameters of this run. An argument that fits none of them ends the program."""
    params: Params = yaml.load(Path("params.yaml").read_text(), Loader)
    for argument in arguments:
        key, _, text = argument.partition("=")
        *sections, name = key.split(".")
        section: Any = params
        for part in sections:
            section = section.get(part) if isinstance(section, dict) else None
        if not isinstance(section, dict) or isinstance(section.get(name, {}), dict):
            sys.exit(f"{argument}: params.yaml has no parameter {key}")
        value = yaml.load(text, Loader)
        if not isinstance(value, int | float):
            sys.exit(f"{argument}: {key} takes a number, or true or false")
        section[name] = value
    return params
