"""What the pictures of a classification show is what they were given."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from oracles import oracle
from scipy import stats

from mlx.core.errors import DataError
from mlx.plots.confusion import plot_confusion
from mlx.plots.curves import plot_learning_curves, plot_roc
from mlx.plots.entropy import plot_entropy_histogram
from mlx.plots.panels import similarity_entropy_panels
from mlx.plots.reliability import calibrated_band, plot_reliability
from mlx.plots.similarity import plot_similarity_entropy, statistics_text
from mlx.plots.style import figure
from mlx.plots.text import DASH, MINUS, RHO
from mlx.plots.trend import fit_trend
from mlx.results.evaluation_tables import ReliabilityBins, RocCurves


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_confusion_cell_shows_its_count_and_its_share_of_the_actual_class():
    ax = plot_confusion([[8, 2], [0, 5]], ["cat", "dog"])
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "8\n80 %", (1, 0): "2\n20 %", (1, 1): "5\n100 %"}
    assert ax.get_ylabel() == "true class"
    assert ax.get_xlabel() == "predicted class"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]
    assert ax.yaxis_inverted()


def test_a_class_without_samples_has_no_rate_in_the_confusion_matrix():
    ax = plot_confusion([[0, 0], [1, 3]], ["none", "some"])
    assert {t.get_position(): t.get_text() for t in ax.texts}[(0, 0)] == "0"


@pytest.mark.parametrize(
    ("n", "count", "name", "width", "written"),
    [(5, 40, "cat", 3.3, "40\n100 %"), (7, 40, "a long name", 3.3, "40\n100"), (10, 40, "3", 3.3, "40\n100"),
     (10, 4000, "3", 5.0, "4000\n100 %")],
)  # fmt: skip
def test_a_confusion_matrix_is_one_column_wide_where_its_numbers_have_room(n, count, name, width, written):
    ax = plot_confusion(np.eye(n, dtype=int) * count, [f"{name}{k}" for k in range(n)])
    assert ax.figure.get_size_inches()[0] == pytest.approx(width)
    assert ax.texts[0].get_text() == written


@pytest.mark.parametrize(("n", "written"), [(12, "9\n100 %"), (20, "9"), (21, None), (100, None)])
def test_cells_of_a_large_confusion_matrix_hold_only_what_is_legible(n, written):
    ax = plot_confusion(9 * np.eye(n, dtype=int), [f"class {k}" for k in range(n)])
    assert set(texts(ax)) == ({written} if written else set())
    assert len(ax.figure.axes) == (1 if written else 2), "a color bar stands in for numbers"


def test_a_confusion_table_of_another_size_than_the_names_is_an_error():
    with pytest.raises(DataError, match=r"expected shape \(3, 3\) for 3 classes, found \(2, 2\)"):
        plot_confusion([[1, 0], [0, 1]], ["a", "b", "c"])


def test_the_trend_is_the_least_squares_line_with_the_band_that_statsmodels_gives():
    sm, rng = oracle("statsmodels.api"), np.random.default_rng(0)
    x = rng.uniform(0.3, 0.9, 40)
    y = 2 - 1.7 * x + rng.normal(0, 0.2, 40)
    trend = fit_trend(x, y)
    assert (trend.slope, trend.intercept) == pytest.approx(np.polyfit(x, y, 1), rel=1e-10)
    fitted = sm.OLS(y, sm.add_constant(x)).fit()
    mean = fitted.get_prediction(sm.add_constant(trend.x)).summary_frame(alpha=0.05)
    np.testing.assert_allclose(trend.low, mean["mean_ci_lower"], rtol=1e-9)
    np.testing.assert_allclose(trend.high, mean["mean_ci_upper"], rtol=1e-9)


@pytest.mark.parametrize("x", [[0.1, 0.2], [0.5, 0.5, 0.5], [np.nan, 0.1, 0.2]])
def test_there_is_no_trend_without_three_points_that_differ(x):
    assert fit_trend(x, np.arange(len(x))) is None


def test_the_scatter_draws_every_sample_and_the_trend_of_all(classification):
    s = classification().samples
    ax = plot_similarity_entropy(s.similarity, s.entropy, s.correct, statistics="r = 0")
    correct, wrong = (part.get_offsets() for part in ax.collections[:2])
    np.testing.assert_allclose(correct, s.loc[s.correct, ["similarity", "entropy"]])
    np.testing.assert_allclose(wrong, s.loc[~s.correct, ["similarity", "entropy"]])
    (line,) = [line for line in ax.lines if line.get_label() == "_trend"]
    slope = np.diff(line.get_ydata()[[0, -1]]) / np.diff(line.get_xdata()[[0, -1]])
    assert slope == pytest.approx(np.polyfit(s.similarity, s.entropy, 1)[0])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [f"correct ({s.correct.sum()})", f"wrong ({(~s.correct).sum()})"]
    assert "r = 0" in texts(ax)
    assert ax.get_ylabel() == "entropy (nats)"
    assert "cosine similarity" in ax.get_xlabel()


def test_a_thinned_scatter_says_so_and_keeps_the_trend_of_all_points(classification):
    s = classification(900).samples
    ax = plot_similarity_entropy(s.similarity, s.entropy, s.correct, max_points=100)
    assert sum(len(part.get_offsets()) for part in ax.collections[:2]) == 100
    assert ax.get_title(loc="right") == "100 of 900 points drawn"
    (line,) = [line for line in ax.lines if line.get_label() == "_trend"]
    assert line.get_ydata()[0] == pytest.approx(fit_trend(s.similarity, s.entropy).fit[0])


def test_the_statistics_are_written_with_interval_and_permutation_p():
    known = statistics_text(-0.618, -0.7, -0.52, p=0.001, spearman=0.5, n=200)
    assert known == f"r = {MINUS}0.62 [{MINUS}0.70, {MINUS}0.52]   {RHO} = 0.50\np = 0.001   n = 200"
    unknown = statistics_text(np.nan, np.nan, np.nan, p=np.nan, spearman=np.nan)
    assert unknown == f"r = {DASH}\n{RHO} = {DASH}   p unknown"


def test_every_predicted_class_has_a_panel_and_one_without_statistics_says_why(classification):
    inputs = classification(unpredicted=2)
    made = similarity_entropy_panels(inputs.samples, inputs.classes)
    panels = [ax for ax in made.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in panels] == list(inputs.class_names)
    assert texts(panels[2]) == ["never predicted"]
    own = inputs.samples[inputs.samples.y_pred == 0]
    assert panels[0].get_title(loc="right") == f"{(~own.correct).sum()}/{len(own)} wrong"
    (line,) = panels[0].lines
    slope = np.diff(line.get_ydata()[[0, -1]]) / np.diff(line.get_xdata()[[0, -1]])
    assert slope == pytest.approx(np.polyfit(own.similarity, own.entropy, 1)[0])
    assert f"r = {MINUS}{abs(inputs.classes[0].pearson):.2f}" in texts(panels[0])[0]
    assert len({ax.get_xlim() for ax in panels}) == len({ax.get_ylim() for ax in panels}) == 1


@pytest.mark.slow
def test_of_many_classes_the_24_with_the_most_mistakes_have_a_panel(classification):
    inputs = classification(900, [f"class {k}" for k in range(60)], images=False)
    made = similarity_entropy_panels(inputs.samples, inputs.classes)
    shown = [ax.get_title(loc="left") for ax in made.axes if ax.get_visible()]
    wrong = inputs.samples[~inputs.samples.correct].groupby("y_pred").size().sort_values(ascending=False)
    assert len(shown) == 24
    assert shown[0] == f"class {wrong.index[0]}"
    assert any(text.get_text().startswith("24 of 60 predicted classes") for text in made.texts)


def test_the_entropy_histograms_are_shares_of_their_group_with_medians_and_bound():
    entropy, correct = np.array([0.1, 0.1, 0.3, 1.0, 1.2]), np.array([True, True, True, False, False])
    ax = plot_entropy_histogram(entropy, correct, n_classes=4)
    for stairs in ax.patches:
        assert sum(stairs.get_data()[0]) == pytest.approx(1)
    assert sorted(line.get_xdata()[0] for line in ax.lines) == pytest.approx([0.1, 1.1, np.log(4)])
    assert texts(ax) == ["ln 4 = 1.39"]
    assert ax.get_xlabel() == "entropy (nats)"


def test_learning_curves_mark_the_epoch_of_the_lowest_validation_loss(classification):
    history = classification().training.history
    loss, accuracy = (plot_learning_curves(history, quantity=quantity) for quantity in ("loss", "accuracy"))
    best = history.epoch[history.val_loss.idxmin()]
    assert loss.get_title(loc="left").startswith(f"best epoch {best}: validation loss")
    for ax in (loss, accuracy):
        assert best in [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), history.val_loss)
    assert accuracy.get_ylabel() == "accuracy (share correct)"
    assert accuracy.get_xlabel() == "epoch (passes over the training samples)"


def test_a_model_without_epochs_has_two_points_with_their_values():
    ax = plot_learning_curves(pd.DataFrame({"epoch": [1], "loss": [0.25], "val_loss": [0.5]}))
    assert [line.get_xdata()[0] for line in ax.lines] == [0.25, 0.5]
    assert texts(ax) == ["0.250", "0.500"]


def test_a_history_without_validation_is_drawn():
    ax = plot_learning_curves(pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]}))
    assert ax.get_title(loc="left") == "best epoch 2: loss 1.00"


def test_roc_curves_carry_the_area_under_them():
    missing = np.full(3, np.nan)
    roc = RocCurves(np.zeros(3, int), missing, np.array([0, 0.5, 1]), np.array([0, 1, 1.0]), missing)
    ax = plot_roc(roc, class_names=["cat", "dog"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cat  0.750"]


def test_of_many_roc_curves_only_the_worst_are_named(classification):
    inputs = classification(600, [f"class {k}" for k in range(30)], images=False)
    legend = plot_roc(inputs.evaluation.roc, class_names=inputs.class_names).get_legend().get_texts()
    assert len(legend) == 7
    assert legend[-1].get_text().endswith("others, between")


def test_the_band_of_a_calibrated_model_has_scipys_quantiles():
    count, chance = (side.ravel() for side in np.meshgrid([1.0, 7, 400], [0, 1e-9, 0.03, 0.5, 0.97, 1]))
    low, high = calibrated_band(chance, count)
    np.testing.assert_allclose(low * count, np.maximum(stats.binom.ppf(0.025, count, chance), 0))
    np.testing.assert_allclose(high * count, stats.binom.ppf(0.975, count, chance))


def test_reliability_bins_have_wilson_intervals_and_empty_ones_are_left_out():
    columns = ([0, 1], [0, 0.5], [0.5, 1], [0, 10], [np.nan, 0.8], [np.nan, 0.8])
    ax = plot_reliability(ReliabilityBins(*map(np.array, columns)))
    (segment,) = ax.collections[0].get_segments()
    assert segment[:, 1] == pytest.approx([0.4901625, 0.9433178], abs=1e-6)  # Wilson interval of 8 in 10


def test_a_plot_draws_into_the_axes_it_is_given_and_leaves_the_style_of_others_alone():
    before = dict(mpl.rcParams)
    ax = figure().add_subplot()
    assert plot_entropy_histogram([0.1, 0.2], [True, False], n_classes=3, ax=ax) is ax
    assert dict(mpl.rcParams) == before
