"""The ``report`` section of the configuration."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlx.core.settings import Settings

Format = Literal["png", "pdf"]


def _each_once(formats: list[Format]) -> list[Format]:
    if len(set(formats)) < len(formats):
        raise ValueError(f"expected each format once, found {', '.join(formats)}")
    return formats


class ReportSettings(Settings):
    """How the pictures of the report are drawn.

    Parameters
    ----------
    dpi
        Resolution of the PNG files in dots per inch; most figures are 3.3 in (one column) wide. The page shows them at
        150 pixels per inch.
    formats
        Files written of each figure, ``plots/*.png`` and ``pdf/*.pdf``; the page has its pictures in any case.
    images_per_class
        Images shown of each class in ``samples``.
    samples_shown
        Images in each group (most uncertain, most confidently wrong) of ``uncertain_samples``.
    max_points
        Points drawn in a scatter; beyond it an evenly spaced part is drawn, and the plot says so. Trend lines and
        statistics always use all points.
    page_megabytes
        Largest size of ``report.html``. More of it holds images and columns of more samples.
    """

    dpi: int = Field(default=300, ge=50, le=600)
    formats: Annotated[list[Format], AfterValidator(_each_once)] = Field(["png"], min_length=1)
    images_per_class: int = Field(default=8, ge=1, le=20)
    samples_shown: int = Field(default=8, ge=1, le=40)
    max_points: int = Field(default=2000, ge=100, le=100_000)
    page_megabytes: float = Field(default=5, ge=2, le=25)
