"""Data flows one way, and the web process stays light."""

import ast
import functools
import pathlib
import re
import subprocess
import sys

import pytest

import analysis

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("attacks", "stimuli", "studyserver", "analysis")
ALLOWED = {
    "attacks": set(),
    "analysis": set(),
    "stimuli": {"attacks"},
    "studyserver": {"attacks", "stimuli", "analysis"},
}
FORBIDDEN_LIBRARIES = {
    "attacks": {"django", "av"},
    "analysis": {"django", "torch", "av", "pyiqa"},
    "stimuli": {"django", "pyiqa", "torchvision"},
    "studyserver": {"torch", "av", "pyiqa", "torchvision"},
}


@functools.cache
def parsed(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@functools.cache
def imports(path: pathlib.Path) -> list:
    """(module, name or None, line) of every absolute import in a file."""
    return list(_imports(parsed(path).body))


def _imports(nodes: list):
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield node.module, alias.name, node.lineno
        # An import is a statement: expressions, most of a tree, hold none.
        for inside in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _imports(getattr(node, inside, []))


def sources(package: str):
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_the_design_allows(package):
    wrong = []
    for path in sources(package):
        for module, _, line in imports(path):
            top = module.split(".")[0]
            ours = top in PACKAGES and top != package and top not in ALLOWED[package]
            if ours or top in FORBIDDEN_LIBRARIES[package]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ("stimuli", "studyserver"))
def test_other_packages_are_used_through_their_public_names(package):
    public = {
        "attacks",
        "attacks.metrics",
        "stimuli",
        "analysis",
        "attacks.errors",
        "stimuli.errors",
        "analysis.errors",
    }
    wrong = []
    for path in sources(package):
        for module, _, line in imports(path):
            top = module.split(".")[0]
            if top in PACKAGES and top != package and module not in public:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_public_names_of_the_analysis_have_a_user():
    """Other packages import nothing else of it, and what they do not import is there for readers of the docs."""
    imported = {
        name
        for package in ("stimuli", "studyserver")
        for path in sources(package)
        for module, name, _ in imports(path)
        if module == "analysis"
    }
    assert imported <= set(analysis.__all__)
    docs = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    unused = set(analysis.__all__) - imported - set(re.findall(r"\w+", docs))
    assert not unused, f"neither imported by another package nor in the docs: {sorted(unused)}"


def test_few_modules_read_and_write_video():
    users = {
        str(path.relative_to(ROOT))
        for folder in (*PACKAGES, "training", "benchmarks")
        for path in sources(folder)
        for module, _, _ in imports(path)
        if module.split(".")[0] == "av"
    }
    # Benchmarks hold the loop that a user would write without this project, and make clips to be played.
    benchmarks = {"benchmarks/scoring_speed.py", "benchmarks/playback.py"}
    # delivered_file is for the web process, which has no torch.
    assert users - benchmarks == {"stimuli/video.py", "stimuli/delivered_file.py"}


def test_metric_libraries_are_imported_only_inside_functions():
    """pyiqa and torchvision load only when such a metric is asked for."""
    wrong = []
    for package in PACKAGES:
        for path in sources(package):
            for node in parsed(path).body:
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                wrong += [
                    f"{path.relative_to(ROOT)}: {n}" for n in names if n.split(".")[0] in {"pyiqa", "torchvision"}
                ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        pytest.param(
            "import studyserver.wsgi; import studyserver.urls",
            ("torch", "torchvision", "av", "pyiqa", "pandas"),
            marks=pytest.mark.slow,
        ),
        (
            "import attacks, attacks.metrics; attacks.list_attacks(); attacks.metrics.list_metrics()",
            ("torch", "django"),
        ),
        ("import stimuli; stimuli.read_manifest", ("torch", "av", "django")),
        ("import stimuli; stimuli.inspect_delivered", ("torch", "django")),
        pytest.param("import analysis; analysis.read_votes", ("torch", "django"), marks=pytest.mark.slow),
        ("import analysis; analysis.choose_pairs, analysis.clips_needed", ("pandas", "scipy", "django")),
    ],
)
def test_light_entry_points_stay_light(statement, absent):
    code = f"{statement}\nimport sys; print([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_no_module_is_called_utils():
    names = {path.stem for package in PACKAGES for path in sources(package)}
    assert not names & {"utils", "helpers", "misc", "common"}
