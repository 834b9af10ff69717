"""Validates the connector's metadata and the manifest against published schemas.

Takes the root of the repository. Prints `ok` or `FAIL` for each check, and exits with 1 if any failed.
"""

import importlib.resources
import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import ConnectorMetadataDefinitionV0

# The oldest common version that has all fields of the manifest, and the newest known one.
KUBERNETES = ("1.30", "1.37")


def metadata_by_model(metadata):
    ConnectorMetadataDefinitionV0.model_validate(metadata)


def without_ids(schema):
    """Removes `$id`s left over from merged files: all references are relative to the whole schema."""
    if isinstance(schema, dict):
        return {key: without_ids(value) for key, value in schema.items() if key != "$id" or not isinstance(value, str)}
    return [without_ids(value) for value in schema] if isinstance(schema, list) else schema


def metadata_by_schema(metadata):
    files = importlib.resources.files("airbyte_connector_models.metadata.v0")
    schema = without_ids(json.loads((files / "ConnectorMetadataDefinitionV0.json").read_text()))
    validator = jsonschema.validators.validator_for(schema)
    checked = validator(schema, format_checker=validator.FORMAT_CHECKER)
    errors = [f"{error.json_path}: {error.message}" for error in checked.iter_errors(metadata)]
    if errors:
        raise ValueError("; ".join(errors))


def checks(root):
    metadata = yaml.safe_load((root / "connector/orb/metadata.yaml").read_text())
    yield "metadata.yaml by Airbyte's model", lambda: metadata_by_model(metadata)
    yield "metadata.yaml by Airbyte's JSON Schema", lambda: metadata_by_schema(metadata)
    for file in sorted((root / "deploy").glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            for version in KUBERNETES:
                name = f"{manifest['kind']} of {file.name} by the schema of Kubernetes {version}"
                yield name, lambda m=manifest, v=version: kubernetes_validate.validate(m, v, strict=True)


def main():
    failed = 0
    for name, check in checks(pathlib.Path(sys.argv[1])):
        try:
            check()
        except Exception as error:  # Each validator has its own error types.
            failed += 1
            print(f"FAIL {name}: {error}")
        else:
            print(f"ok   {name}")
    sys.exit(failed > 0)


main()
