"""Documents lead where they say, versions agree, and a wheel contains what the library needs."""

import ast
import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

import lib_facefix
from lib_facefix import registry
from lib_facefix.registry import Registry

ROOT = Path(lib_facefix.__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/LICENSES.md")]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def links_of(text):
    """Return the targets of the links outside code."""
    return LINK.findall(CODE.sub("", FENCED.sub("", text)))


def anchors_of(text):
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    plain = (unicodedata.normalize("NFKC", heading).strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def find_broken(page, root):
    """Return the relative links of a page that lead to no file below `root`, or to no heading."""
    broken = []
    for link in links_of(page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        file = (page.parent / target).resolve() if target else page
        found = file.exists() and file.is_relative_to(root)
        if not found or (anchor and anchor not in anchors_of(file.read_text("utf-8"))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(page):
    assert find_broken(page, ROOT) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_the_pages_of_the_web_site_link_only_to_one_another(page):
    assert find_broken(page, ROOT / "docs") == []


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "b.md").write_text("# The two `words`, and more\n```\n# no heading\n```\n", "utf-8")
    page = tmp_path / "a.md"
    page.write_text(
        "[1](b.md) [2](c.md) [3](b.md#the-two-words-and-more) [4](b.md#no-heading) [5](#own) `[6](d.md)`\n# Own\n"
        "![7](../a.png) [8](https://example.org/c.md)\n",
        "utf-8",
    )
    assert find_broken(page, tmp_path) == ["c.md", "b.md#no-heading", "../a.png"]


def test_the_documents_show_every_picture_of_theirs():
    shown = {(page.parent / link).resolve() for page in DOCUMENTS for link in links_of(page.read_text("utf-8"))}
    pictures = [path for path in sorted((ROOT / "docs").glob("*.*")) if path.suffix in {".png", ".jpg", ".webp"}]
    assert [path.name for path in pictures if path not in shown] == []


def test_every_picture_has_a_text_for_those_who_do_not_see_it():
    pages = {page.name: re.findall(r"!\[\s*\]\([^)]+\)", page.read_text("utf-8")) for page in DOCUMENTS}
    assert {name: pictures for name, pictures in pages.items() if pictures} == {}


def test_every_page_is_in_the_navigation_of_the_web_site():
    named = re.findall(r"^ +- .+: ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_the_version_is_the_same_everywhere():
    cited = (ROOT / "CITATION.cff").read_text("utf-8")
    heading = re.search(r"^## \[(\d.+)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None
    assert f"\nversion: {lib_facefix.__version__}\n" in cited
    assert heading.groups() == (lib_facefix.__version__, re.search(r"^date-released: (.+)$", cited, re.MULTILINE)[1])


def test_the_version_is_written_as_the_build_reads_it():
    tree = ast.parse((ROOT / "lib_facefix" / "__init__.py").read_text("utf-8"))
    [value] = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"]
    assert isinstance(value, ast.Constant)
    assert re.fullmatch(r"\d+\.\d+\.\d+", value.value)


def test_a_wheel_contains_all_that_the_library_needs_and_nothing_else():
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="needs hatchling, which builds wheels")
    packed = {file.distribution_path for file in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    files = {path for path in (ROOT / "lib_facefix").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert packed == {path.relative_to(ROOT).as_posix() for path in files}
    registries = [one for one in vars(registry).values() if isinstance(one, Registry)]
    models = {name for one in registries for info in one for name in info.assets}
    assert len(models) >= 6
    assert {f"lib_facefix/assets/{name}" for name in models} <= packed
    assert {"lib_facefix/py.typed", "lib_facefix/server/page/index.html", "lib_facefix/assets/LICENSES.md"} <= packed


def test_an_sdist_contains_everything_but_the_workflows():
    sdist = pytest.importorskip("hatchling.builders.sdist", reason="needs hatchling, which builds packages")
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs a clone, to know which files belong to it")
    packed = {file.distribution_path for file in sdist.SdistBuilder(str(ROOT)).recurse_included_files()}
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    kept = {path for path in listed if not path.startswith((".ci/", ".github/")) and (ROOT / path).exists()}
    assert kept <= packed
    assert [path for path in packed if path.startswith((".ci/", ".github/", "build/", ".venv"))] == []


def test_the_entry_for_the_index_of_extensions_has_what_the_index_asks_for():
    """Its checks, and the tags that it knows: validate.py and tags.json of the index."""
    entry = json.loads((ROOT / "packaging" / "webui-extension-index.json").read_text("utf-8"))
    assert list(entry) == ["name", "url", "description", "tags"]
    assert entry["name"] == "FaceFix"
    assert re.fullmatch(r"https://[^ ]+\.git", entry["url"])
    assert entry["description"].endswith(".")
    assert set(entry["tags"]) <= {"script", "tab", "UI related", "editing", "manipulations", "extras"}


def test_a_release_is_published_without_stored_secrets_after_it_was_tried():
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert "secrets." not in workflow
    assert re.search(r"^  publish:\n(?:    .*\n)*?    needs: \[build, try\]$", workflow, re.MULTILINE)
    assert workflow.count("id-token: write") == 1


def test_the_description_on_a_package_index_has_no_link_that_would_break_there():
    core = pytest.importorskip("hatchling.metadata.core", reason="needs hatchling, which builds wheels")
    pytest.importorskip("hatch_fancy_pypi_readme")
    from hatchling.plugin.manager import PluginManager

    text = core.ProjectMetadata(str(ROOT), PluginManager()).core.readme
    assert "# FaceFix\n" in text
    assert "See docs/serve.md." in text  # the words of a link stay
    assert [link for link in links_of(text) if not link.startswith("https://")] == []
    assert "](docs/" not in text
    assert not re.search(r"^\*[^*]", text, re.MULTILINE)  # no caption without its picture
