"""The JSON Schema of a configuration: what pydantic knows, and which parameters go with which name."""

from typing import Any

from mlx.config import ExperimentConfig
from mlx.core.settings import Settings
from mlx.datasets.catalogue import DATASETS
from mlx.models.catalogue import MODELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def experiment_schema() -> dict[str, Any]:
    """Return the schema of one experiment (draft 2020-12).

    ``params`` of dataset and model are checked by the name beside them. Names are listed as the catalogues
    write them; the program takes them in any case.
    """
    schema = ExperimentConfig.model_json_schema()
    definitions = schema["$defs"]
    _choose_params(definitions, "DatasetSettings", {name: spec.params for name, spec in DATASETS.items()})
    _choose_params(definitions, "ModelSettings", {name: spec.params for name, spec in MODELS.items()})
    return {"$schema": DIALECT, **schema, "title": "MLX experiment"}


def _choose_params(definitions: dict[str, Any], section: str, schemas: dict[str, type[Settings]]) -> None:
    """Let the name in `section` choose the schema of its ``params``."""
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
