"""`mlx schema`: the JSON Schema of a configuration, for editors."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.core.settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"

NAME = "schema"
HELP = "print the JSON Schema of the configuration, with which editors complete and check params.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--output", type=Path, help="file to write instead of standard output")


def run(chosen: argparse.Namespace) -> str:
    """Return the schema, or the file that it was written to."""
    import json

    schema = experiment_schema()
    if chosen.output is None:
        return json.dumps(schema, indent=2, ensure_ascii=False)
    from mlx.core.artifacts import write_json

    write_json(chosen.output, schema)
    return str(chosen.output)


def experiment_schema() -> dict[str, Any]:
    """Return the JSON Schema of one experiment (draft 2020-12).

    The schema of ``params`` depends on the name of the dataset or model beside it. Names are in lower case, although
    `mlx` accepts any case.
    """
    from mlx.config import ExperimentConfig
    from mlx.datasets.catalogue import DATASETS
    from mlx.models.catalogue import MODELS

    schema = ExperimentConfig.model_json_schema()
    definitions = schema["$defs"]
    _choose_params(definitions, "DatasetSettings", {name: spec.params for name, spec in DATASETS.items()})
    _choose_params(definitions, "ModelSettings", {name: spec.params for name, spec in MODELS.items()})
    return {"$schema": DIALECT, **schema, "title": "MLX experiment"}


def _choose_params(definitions: dict[str, Any], section: str, schemas: "dict[str, type[Settings]]") -> None:
    """Make the schema of ``params`` in `section` depend on the name."""
    for parameters in schemas.values():
        own = parameters.model_json_schema()
        definitions |= own.pop("$defs", {})
        definitions[parameters.__name__] = own
    definitions[section]["properties"]["name"] = {"enum": sorted(schemas), "type": "string"}
    definitions[section]["allOf"] = [
        {
            "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
            "then": {"properties": {"params": {"$ref": f"#/$defs/{parameters.__name__}"}}},
        }
        for name, parameters in sorted(schemas.items())
    ]
