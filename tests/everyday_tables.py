"""Tables as people have them, made for the tests: gaps, mixed types, rare categories, dates, ids, names."""

from collections.abc import Callable

import numpy as np
import pandas as pd

Table = pd.DataFrame


def penguins(n: int = 140, seed: int = 0) -> Table:
    """Three species by measurements, with a few gaps in measurements and sex."""
    rng = np.random.default_rng(seed)
    species = rng.choice(["Adelie", "Chinstrap", "Gentoo"], n, p=[0.45, 0.2, 0.35])
    size = np.select([species == "Adelie", species == "Chinstrap"], [0.0, 0.6], 2.0)
    table = pd.DataFrame(
        {
            "species": species,
            "island": np.where(species == "Gentoo", "Biscoe", rng.choice(["Biscoe", "Dream", "Torgersen"], n)),
            "bill_length_mm": (39 + 4 * size + rng.normal(0, 2, n)).round(1),
            "flipper_length_mm": (190 + 12 * size + rng.normal(0, 6, n)).round(),
            "body_mass_g": (3700 + 600 * size + rng.normal(0, 300, n)).round(-1),
            "sex": rng.choice(["female", "male"], n),
            "year": rng.choice([2007, 2008, 2009], n),
        }
    )
    table.loc[[3, 70], ["bill_length_mm", "flipper_length_mm", "body_mass_g"]] = np.nan
    return _with_gaps(table, rng, sex=0.05)


def titanic(n: int = 180, seed: int = 0) -> Table:
    """Who survived, with names, tickets, ids, and many gaps in age and cabin."""
    rng = np.random.default_rng(seed)
    sex, pclass = rng.choice(["male", "female"], n, p=[0.65, 0.35]), rng.choice([1, 2, 3], n, p=[0.25, 0.2, 0.55])
    survived = rng.random(n) < 0.15 + 0.5 * (sex == "female") + 0.2 * (pclass == 1)
    table = pd.DataFrame(
        {
            "PassengerId": np.arange(1, n + 1),
            "Survived": survived.astype(int),
            "Pclass": pclass,
            "Name": [f"Doe {k}, {'Mr' if s == 'male' else 'Mrs'}. J" for k, s in enumerate(sex)],
            "Sex": sex,
            "Age": rng.normal(30, 13, n).clip(0.5).round(1),
            "SibSp": rng.poisson(0.5, n),
            "Ticket": [f"A/5 {k * 37}" for k in range(n)],
            "Fare": rng.lognormal(3, 1, n).round(4),
            "Cabin": [f"C{k % 90}" for k in range(n)],
            "Embarked": rng.choice(["S", "C", "Q"], n, p=[0.75, 0.2, 0.05]),
        }
    )
    return _with_gaps(table, rng, Age=0.2, Cabin=0.77, Embarked=0.02)


def credit(n: int = 220, seed: int = 0) -> Table:
    """The rate of a credit, with dates, truth values, rare purposes, an empty column, and no rate for some."""
    rng = np.random.default_rng(seed)
    purposes = ["car", "house", "study", "boat", "wedding", "other"]
    purpose = rng.choice(purposes, n, p=[0.5, 0.3, 0.1, 0.05, 0.03, 0.02])
    income, owner = rng.lognormal(10.5, 0.5, n).round(2), rng.random(n) < 0.4
    table = pd.DataFrame(
        {
            "id": [f"{k:08x}" for k in rng.permutation(n)],
            "opened": (pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1500, n), "D")).strftime(
                "%Y-%m-%d"
            ),
            "purpose": purpose,
            "income": income,
            "owner": pd.array(owner, "boolean"),
            "grade": rng.choice(list("ABCDE"), n),
            "notes": [None] * n,
            "rate": (12 - np.log(income) / 2 - owner + (purpose == "boat") + rng.normal(0, 0.7, n)).round(2),
        }
    )
    return _with_gaps(table, rng, opened=0.1, purpose=0.1, income=0.15, owner=0.1, rate=0.02)


def _with_gaps(table: Table, rng: np.random.Generator, **shares: float) -> Table:
    for name, share in shares.items():
        table.loc[rng.random(len(table)) < share, name] = pd.NA if name == "owner" else None
    return table


TABLES: dict[str, tuple[Callable[[], Table], str]] = {
    "penguins": (penguins, "species"),
    "titanic": (titanic, "Survived"),
    "credit": (credit, "rate"),
}
"""By name: what makes the table, and its target."""
