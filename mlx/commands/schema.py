"""`mlx schema`: the JSON Schema of a configuration, for editors."""

import argparse
from pathlib import Path

NAME = "schema"
HELP = "print the JSON Schema of the configuration, by which editors complete and check params.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--output", type=Path, help="file to write instead of standard output")


def run(chosen: argparse.Namespace) -> str:
    """Return the schema, or where it is."""
    import json

    from mlx.runs.schema import experiment_schema

    schema = experiment_schema()
    if chosen.output is None:
        return json.dumps(schema, indent=2, ensure_ascii=False)
    from mlx.core.artifacts import write_json

    write_json(chosen.output, schema)
    return str(chosen.output)
