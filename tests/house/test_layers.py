"""Foreign keys named by a string point downward too: an import linter cannot see them."""

import tomllib

from django.apps import apps

from launcher.places import ROOT

LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
HEIGHT = {app.strip(): height for height, layer in enumerate(reversed(LAYERS)) for app in layer.split("|")}


def test_relations_point_downward_when_apps_refer_to_each_other() -> None:
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and field.related_model
        and (own := model._meta.app_label) in HEIGHT
        and (other := field.related_model._meta.app_label) in HEIGHT
        and own != other
        and HEIGHT[other] >= HEIGHT[own]
    ]

    assert upward == []


def test_every_app_has_a_layer_when_installed() -> None:
    ours = {
        config.label for config in apps.get_app_configs() if "." not in config.name and (ROOT / config.name).is_dir()
    }

    assert ours - HEIGHT.keys() == set()
