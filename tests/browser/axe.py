"""What axe-core finds wrong with a page: contrast, names, roles, and order."""

from pathlib import Path

import pytest

AXE = Path(__file__).parents[1] / "page" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page):
    """Return a line for each part of the page that breaks a rule: the rule, and the HTML of the part."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm ci --prefix tests/page")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
