"""The names of models: families and their members, in any case, and what is wrong with others."""

import pytest

from mlx.models import ModelSettings


@pytest.mark.parametrize(
    ("name", "architecture", "found"),
    [
        ("resnet18", "resnet", ("resnet18", "resnet")),
        ("ResNet18", "ResNet", ("resnet18", "resnet")),
        ("resnet", "resnet18", ("resnet18", "resnet")),
        ("efficientnet_b0", "efficientnet", ("efficientnet_b0", "efficientnet")),
        ("EfficientNet", "EfficientNet_B0", ("efficientnet_b0", "efficientnet")),
        ("mobilenet", None, ("mobilenet", None)),
        ("mobilenet", "mobilenet", ("mobilenet", "mobilenet")),
        ("mobilenet", "mobilenet_v2", ("mobilenet_v2", "mobilenet")),
        ("CNN", None, ("cnn", None)),
    ],
)
def test_a_family_and_its_member_name_one_network(
    name: str, architecture: str | None, found: tuple[str, str | None]
) -> None:
    settings = ModelSettings(name=name, architecture=architecture, params={"num_classes": 10, "dropout": 0.2})
    assert (settings.name, settings.architecture) == found
    assert settings.params["num_classes"] == 10


@pytest.mark.parametrize(
    ("name", "architecture", "message"),
    [
        ("resnet", None, "expected one of resnet18, .*, found nothing"),
        ("resnet", "resnet20", "expected one of resnet18, .*, found 'resnet20'; did you mean 'resnet"),
        ("resnet18", "vgg", "expected resnet, the family of resnet18, or nothing, found 'vgg'"),
        ("cnn", "resnet", "expected none, as cnn has no variants, found 'resnet'"),
        ("resnett", None, "did you mean 'resnet'"),
    ],
)
def test_what_does_not_belong_together_is_refused(name: str, architecture: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSettings(name=name, architecture=architecture)


def test_keras_has_no_weights_of_the_shallow_residual_networks() -> None:
    assert ModelSettings(name="resnet18", params={"pretrained": False}).params["pretrained"] is False
    with pytest.raises(ValueError, match="pretrained"):
        ModelSettings(name="resnet18", params={"pretrained": True})
