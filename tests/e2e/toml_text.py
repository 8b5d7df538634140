# SPDX-License-Identifier: Apache-2.0
"""A dict of tables as a TOML file: the daemon's configuration as the tests write it."""

import json
import re


def _toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items()) + " }"
    raise TypeError(f"no TOML for {value!r}")


def _toml_key(key):
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_value(key)


def to_toml(sections):
    """{"section": {"key": value}} as TOML; None leaves a key out."""
    lines = []
    for section, keys in sections.items():
        if not isinstance(keys, dict):
            raise TypeError(f"[{section}] is not a table")
        lines.append(f"[{_toml_key(section)}]")
        lines += [f"{_toml_key(k)} = {_toml_value(v)}" for k, v in keys.items() if v is not None]
        lines.append("")
    return "\n".join(lines)


def merged(base, over):
    """`base` with the tables of `over` laid over it; neither is changed."""
    out = {k: dict(v) if isinstance(v, dict) else v for k, v in base.items()}
    for section, keys in (over or {}).items():
        if isinstance(keys, dict) and isinstance(out.get(section), dict):
            out[section] = {**out[section], **keys}
        else:
            out[section] = keys
    return out
