"""Pictures of regressions, of tables and of images show what they were given."""

import numpy as np
import pytest
from scipy import stats

from mlx.core.errors import DataError
from mlx.plots.images import as_rgb, plot_sample_cards, plot_sample_grid
from mlx.plots.regression import plot_residual_histogram, plot_residual_qq, plot_residuals_fitted
from mlx.plots.report.samples import choose_cards, choose_grid
from mlx.plots.settings import ReportSettings
from mlx.plots.table import plot_class_scatter, plot_target_histogram
from mlx.plots.text import MINUS
from mlx.plots.thinning import evenly_spaced


def test_residuals_are_drawn_over_fitted_values_with_units(regression):
    s = regression().samples
    ax = plot_residuals_fitted(s.y_pred, s.residual)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), s[["y_pred", "residual"]])
    assert ax.get_ylabel() == "residual (target units)"
    assert ax.get_xlabel() == "predicted value (target units)"


def test_the_quantile_plot_pairs_ordered_residuals_with_normal_quantiles():
    e = np.array([3.0, -1, 0.5, 2, -4])
    ax = plot_residual_qq(e)
    points = ax.collections[1].get_offsets()
    np.testing.assert_allclose(points[:, 0], stats.norm.ppf((np.arange(5) + 0.5) / 5))
    np.testing.assert_allclose(points[:, 1], np.sort((e - e.mean()) / e.std(ddof=1)))
    band = ax.collections[0].get_paths()[0].vertices
    assert stats.norm.ppf(stats.beta(1, 5).ppf(0.025)) == pytest.approx(band[:, 1].min())


def test_the_residual_histogram_counts_every_sample(regression):
    s = regression().samples
    ax = plot_residual_histogram(s.residual)
    assert sum(bar.get_height() for bar in ax.patches) == len(s)
    assert ax.get_title(loc="left").startswith(f"mean {s.residual.mean():.4f}".replace("-", MINUS))


@pytest.mark.parametrize("residual", [[], [0.5], [2.0, 2.0, 2.0]])
def test_residuals_without_spread_are_drawn_without_a_warning(residual):
    for draw in (plot_residual_histogram, plot_residual_qq):
        assert draw(residual).get_xlabel()
    assert plot_residuals_fitted(residual, residual).get_xlabel()


def test_classes_of_a_table_stand_in_the_plane_of_the_first_principal_components():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4)) * [1, 5, 1, 1], rng.integers(0, 2, 50)
    ax = plot_class_scatter(X, y, ["a", "b"])
    drawn = np.concatenate([part.get_offsets() for part in ax.collections])
    Z = (X - X.mean(0)) / X.std(0)
    expected = Z @ np.linalg.svd(Z)[2][:2].T
    np.testing.assert_allclose(np.abs(drawn), np.abs(np.concatenate([expected[y == 0], expected[y == 1]])))
    assert "% of variance" in ax.get_xlabel()


@pytest.mark.parametrize("shape", [(30, 1), (30, 2), (1, 5), (3, 40)])
def test_a_table_of_any_shape_is_drawn(shape):
    assert plot_class_scatter(np.ones(shape), np.zeros(shape[0], int), ["a", "b"]).get_xlabel()


def test_of_many_classes_in_a_table_the_largest_have_a_color():
    y = np.arange(90) % 30
    ax = plot_class_scatter(np.random.default_rng(0).normal(size=(90, 3)), y, [f"c{k}" for k in range(30)])
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(legend) == 14
    assert legend[-1] == "17 others"


def test_targets_are_counted():
    ax = plot_target_histogram([1.0, 2, 2, np.nan])
    assert sum(bar.get_height() for bar in ax.patches) == 3


def test_the_sample_grid_has_a_row_for_each_class_with_its_images():
    images = np.zeros((4, 8, 8, 1), np.uint8)
    images[3] = 255
    ax = plot_sample_grid(images, [0, 0, 1, 2], ["a", "b", "c"], images_per_class=2)
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    canvas = ax.images[0].get_array()
    for row, column, value in [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 1), (2, 0, 1), (2, 1, 1)]:
        assert (canvas[9 * row : 9 * row + 8, 9 * column : 9 * column + 8] == value).all(), "missing ones are white"


def test_a_grid_of_a_hundred_classes_says_how_many_it_shows():
    ax = plot_sample_grid(np.zeros((100, 4, 4, 3)), np.arange(100), [str(k) for k in range(100)])
    shown = [text.get_text() for text in ax.texts]
    assert shown == [str(k) for k in range(36)] + ["the first 36 of 100 classes"]


def test_images_of_any_kind_become_rgb_between_0_and_1():
    assert as_rgb(np.full((1, 2, 2, 1), 51, np.uint8)).tolist() == np.full((1, 2, 2, 3), np.float32(0.2)).tolist()
    stretched = as_rgb(np.linspace(-3, 3, 12).reshape(1, 2, 2, 3))
    assert (stretched.min(), stretched.max()) == (0, 1)
    for shape in [(2, 5, 5), (2, 5, 5, 2), (2, 5, 5, 4), (1, 300, 200, 3)]:
        rgb = as_rgb(np.ones(shape))
        assert rgb.shape[3] == 3
        assert max(rgb.shape[1:3]) <= 128


def test_what_is_no_image_is_an_error():
    with pytest.raises(DataError, match=r"expected shape \(m, h, w, channels\), found \(3, 4\)"):
        as_rgb(np.ones((3, 4)))


def test_a_card_carries_its_text_under_its_image_and_stands_in_its_group():
    titles = ["a\n→ b\n0.10 nats", "b\n→ b\n0.20 nats", "c\n→ a\n0.30 nats"]
    ax = plot_sample_cards(np.ones((3, 8, 8, 1)), titles, groups=["one", "one", "two"], wrong=[1, 0, 1])
    lines = [title.split("\n") for title in titles]
    assert [text.get_text() for text in ax.texts] == ["one", *lines[0], *lines[1], "two", *lines[2]]
    colors = [text.get_color() for text in ax.texts if text.get_text().endswith("nats")]
    assert colors[0] == colors[2] != colors[1]


def test_the_first_images_of_each_class_are_chosen_in_row_order():
    y = np.array([1, 0, 1, 1, 0, 2])
    settings = ReportSettings(images_per_class=2)
    assert choose_grid(y, task="classification", images=True, settings=settings).tolist() == [0, 1, 2, 4, 5]
    many = choose_grid(np.zeros(5000), task="regression", images=False, settings=settings)
    assert (len(many), many[0], many[-1]) == (2000, 0, 4999)


def test_cards_show_the_most_uncertain_and_the_most_confidently_wrong(classification):
    s = classification().samples
    groups, rows = choose_cards(s, ReportSettings(samples_shown=3))
    assert s.entropy.iloc[rows[:3]].tolist() == s.entropy.nlargest(3).tolist()
    wrong = s[~s.correct]
    assert s.confidence.iloc[rows[3:6]].tolist() == wrong.confidence.nlargest(3).tolist()
    assert s.similarity.iloc[rows[6:]].tolist() == s.similarity.nsmallest(3).tolist()
    assert groups == ("Most uncertain",) * 3 + ("Most confidently wrong",) * 3 + ("Least typical of their class",) * 3


def test_evenly_spaced_rows_are_distinct_and_reach_both_ends():
    rows = evenly_spaced(1000, 300)
    assert (rows[0], rows[-1], len(set(rows.tolist()))) == (0, 999, 300)
    assert evenly_spaced(3, 300).tolist() == [0, 1, 2]
