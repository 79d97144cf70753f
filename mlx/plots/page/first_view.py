"""The top of the page: the answer in a paragraph with what to do next, beside it mistakes to look at."""

from __future__ import annotations

import re

from mlx.plots.page.escaping import safe
from mlx.plots.page.glossary import with_definitions
from mlx.plots.page.mistakes import confusions, surest_mistakes
from mlx.plots.page.next_steps import NextStep, next_steps
from mlx.plots.page.summary import paragraph
from mlx.plots.report.inputs import AnyReport


def first_view(report: AnyReport) -> str:
    """Build the body."""
    listed = "\n".join(f"<li>{_link(step)}</li>" for step in next_steps(report))
    next_list = f'<h2 id="next-steps">Next</h2>\n<ol class="next">\n{listed}\n</ol>' if listed else ""
    answer = _subdued(with_definitions(safe(paragraph(report)), report.task))
    shown = "\n".join(filter(None, (surest_mistakes(report), confusions(report))))
    return f'<div class="answer">\n<div>\n<p>{answer}</p>\n{next_list}\n</div>\n<div>\n{shown}\n</div>\n</div>'


def _subdued(html: str) -> str:
    """Mark what is in parentheses, the numbers behind a statement, so that a glance finds the statements."""
    return re.sub(r"\([^()]*\)", lambda found: f'<span class="aside">{found[0]}</span>', html)


def _link(step: NextStep) -> str:
    numbers = f' data-samples="{",".join(map(str, step.samples))}"' if step.samples else ""
    numbers = f' data-select="{safe(step.query)}"' if step.query else numbers
    return f'<a href="#{step.section}"{numbers}>{safe(step.text)}</a>'
