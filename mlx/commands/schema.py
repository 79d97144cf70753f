"""`mlx schema`: the JSON Schema of a configuration or of a study file, for editors."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.core.settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"

NAME = "schema"
HELP = "print the JSON Schema of a configuration or a study, with which editors complete and check params.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--study", action="store_true", help="of a study file, in place of a configuration")
    parser.add_argument("--output", type=Path, help="file to write instead of standard output")


def run(chosen: argparse.Namespace) -> str:
    """Return the schema, or the file that it was written to."""
    import json

    schema = study_schema() if chosen.study else experiment_schema()
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


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file (draft 2020-12), whose ``base`` is a file or an experiment in part."""
    from mlx.studies.settings import StudySettings

    schema, experiment = StudySettings.model_json_schema(), experiment_schema()
    base = {key: value for key, value in experiment.items() if key not in {"$schema", "$defs", "required", "title"}}
    schema["$defs"] = experiment["$defs"] | schema.get("$defs", {}) | {"Base": base}
    schema["properties"]["base"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Base"}]}
    return {"$schema": DIALECT, **schema, "title": "MLX study"}


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
