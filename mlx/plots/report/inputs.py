"""What a report is made from: results of the evaluation and the residuals analysis, images, and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from mlx.core.column_descriptions import ColumnDescription
from mlx.plots.columns import ColumnSummary
from mlx.plots.factor_names import plain_text
from mlx.plots.report.recorded_samples import OtherSamples, RecordedOutputs
from mlx.plots.settings import ReportSettings
from mlx.plots.text import set_apart
from mlx.results.classification_residuals import ClassificationResiduals, ClassSummary
from mlx.results.evaluation import ClassificationEvaluation, RegressionEvaluation
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.regression_residuals import REGRESSION_SAMPLES, RegressionResiduals
from mlx.results.tests import TestResult, first_test

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was studied, and how the numbers were made.

    Attributes
    ----------
    name
        Name of the experiment: the title of the page.
    description
        One or two sentences under the title; may be empty.
    source
        Where the data are from; may be empty.
    inputs
        The files and folders that they were read from, by the key that names them, with size and hash.
    split_method
        How the data were divided into parts; None if unknown.
    split
        The same in words with the sizes, and what it lets a model see of the test samples; empty if unknown.
    configuration_name
        As the configuration names itself; may be empty.
    configuration, environment
        Sections of the configuration and versions of the software, nested or flat.
    commit
        Of the code, where it is recorded.
    record
        File with the date of the run, relative to the page; may be empty.
    """

    name: str
    description: str = ""
    source: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    split_method: str | None = None
    split: Sequence[str] = ()
    configuration_name: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""
    record: str = ""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a model was trained.

    Attributes
    ----------
    history
        One row per epoch (a single row for a model without epochs): epoch, loss, val_loss, and optionally other
        quantities as a pair ``q``, ``val_q`` (accuracy first).
    metrics
        Content of ``metrics/training.json``.
    dynamics
        One row per training sample, of a classifier that was trained by epochs; None where it was not recorded.
    """

    history: DataFrame
    metrics: Mapping[str, Any] = field(default_factory=dict)
    dynamics: DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class RawSamples:
    """All raw samples, which the column ``index`` of the samples table counts.

    Attributes
    ----------
    inputs
        Images (n, h, w, c), or rows of a table (n, n_features); may be memory-mapped. None where they are unknown.
    targets
        Their labels, or target values, (n,).
    columns
        Of a table with named features; its inputs may have gaps and codes of categories.
    numbers
        What the column ``index`` calls each of them, (n,), in any order; None where these are the rows themselves.
    """

    inputs: Array | None
    targets: Array
    columns: Sequence[ColumnDescription] = ()
    numbers: Array | None = None

    def has(self, number: int) -> bool:
        """Whether the sample of this number is among them."""
        return self.numbers is None or bool((self.numbers == number).any())

    def known(self, index: Array) -> Array:
        """Whether each of the samples that the column ``index`` names, (m,), is among them."""
        return np.ones(len(index), bool) if self.numbers is None else np.isin(index, self.numbers)

    def rows(self, index: Array) -> Array:
        """Return the rows of samples that the column ``index`` names, (m,), each of which is among them."""
        if self.numbers is None:
            return index
        order = np.argsort(self.numbers)
        found: Array = order[np.searchsorted(self.numbers, index, sorter=order)]
        return found

    @property
    def images(self) -> Array | None:
        """The inputs where they are images."""
        return self.inputs if self.inputs is not None and self.inputs.ndim == 4 else None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the reports of both tasks are made from; figures and tables of what is None are left out.

    Attributes
    ----------
    training, raw
        None for arrays that were recorded elsewhere, but for their images, if they are recorded, too.
    outputs
        Of the test samples; None where they were not recorded.
    others
        Samples of the other parts; None where none were recorded.
    texts
        Of samples that are texts, by the number that the column ``index`` has; None of other samples.
    columns
        Those of a table, and those with a role; empty for other samples.
    settings
        The section ``report`` of the configuration.
    """

    provenance: Provenance
    training: Training | None = None
    raw: RawSamples | None = None
    outputs: RecordedOutputs | None = None
    others: OtherSamples | None = None
    texts: Mapping[int, str] | None = None
    columns: Sequence[ColumnSummary] = ()
    settings: ReportSettings

    @property
    def images(self) -> Array | None:
        """The raw samples where they are images."""
        return None if self.raw is None else self.raw.images

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts of the data that have samples on the page, the test part first."""
        return ("test", *(() if self.others is None else self.others.sizes()))

    @property
    def dataset(self) -> str:
        """Name of the dataset in the configuration; empty for recorded arrays."""
        return str(self.provenance.configuration.get("dataset", {}).get("name", ""))

    def plain(self, text: str) -> str:
        """Return a factor, or conditions on factors, in words."""
        return set_apart(plain_text(text, self.dataset))

    def has_picture(self, samples: DataFrame) -> Array:
        """Whether the page can show each sample of a table by an image or a text, (n_samples,)."""
        numbers = samples["index"].to_numpy()
        if self.images is not None and self.raw is not None:
            return self.raw.known(numbers)
        return np.isin(numbers, list(self.texts or ()))

    def image_rows(self, samples: DataFrame) -> Array:
        """Return the rows of `images` that rows of the samples table are about."""
        assert self.raw is not None, "there are images"
        return self.raw.rows(samples["index"].to_numpy())


@dataclass(frozen=True, kw_only=True)
class ClassificationReport(Report):
    """What the report of a classification is made from.

    Attributes
    ----------
    residuals
        Of its matrices the overview of the first layer is shown.
    """

    task: ClassVar[Literal["classification"]] = "classification"

    class_names: tuple[str, ...]
    evaluation: ClassificationEvaluation
    residuals: ClassificationResiduals

    @cached_property
    def samples(self) -> DataFrame:
        """One row per test sample, with the columns of every layer."""
        return self.residuals.sample_frame()

    @property
    def layer(self) -> str:
        """Name of the first layer, which the headline is about."""
        return next(iter(self.residuals.layers))

    @property
    def classes(self) -> list[ClassSummary]:
        """Predicted classes in the first layer."""
        return [one for one in self.residuals.classes if one.layer == self.layer]

    @property
    def residuals_metrics(self) -> Mapping[str, Any]:
        """Content of ``metrics/residuals.json``."""
        return self.residuals.headline

    def correlation(self, statistic: Statistic) -> TestResult:
        """Return the test of similarity and entropy over all samples in the first layer."""
        found = first_test(self.residuals.tests, Question.SIMILARITY_ENTROPY, statistic, scope=Scope.POOLED)
        assert found is not None, "every analysis makes this test"
        return found


@dataclass(frozen=True, kw_only=True)
class RegressionReport(Report):
    """What the report of a regression is made from."""

    task: ClassVar[Literal["regression"]] = "regression"
    class_names: ClassVar[tuple[str, ...]] = ()

    evaluation: RegressionEvaluation
    residuals: RegressionResiduals

    @cached_property
    def samples(self) -> DataFrame:
        """One row per test sample."""
        return REGRESSION_SAMPLES.frame(self.residuals.samples)

    @property
    def residuals_metrics(self) -> Mapping[str, Any]:
        """Content of ``metrics/residuals.json``."""
        return self.residuals.summary.as_metrics()


AnyReport = ClassificationReport | RegressionReport
