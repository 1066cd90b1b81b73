"""The documents tell the truth: their code runs, their links lead somewhere, their commands exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from dartune.cli.main import app
from dartune.recipes import load_recipe

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("src/**/*.md")])
NAMED = [pytest.param(path, id=str(path.relative_to(REPOSITORY))) for path in DOCUMENTS]


def blocks(kind: str) -> list[Any]:
    """The fenced blocks of a kind, in all documents."""
    found = []
    for path in DOCUMENTS:
        for number, text in enumerate(re.findall(rf"^```{kind}\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)):
            found.append(pytest.param(text, id=f"{path.name}-{number}"))
    return found


def anchors(path: Path) -> set[str]:
    """The fragment of each heading, as GitHub makes it."""
    titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(text: str) -> list[list[str]]:
    """Words of every `dartune ...` between backquotes or at the start of a line of a shell block."""
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = re.findall(r"`dartune ([^`]+)`", outside) + re.findall(r"^dartune ([^#\n]+)", shell, re.M)
    return [line.split() for line in lines]


def fault(words: list[str]) -> str | None:
    """What is wrong with a command line, or None: an unknown command, subcommand or option."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            return f"dartune {' '.join(words)}: no command {name!r}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"dartune {' '.join(words)}: no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("code", blocks("python run"))
def test_python_runs(code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", blocks("toml recipe"))
def test_recipes_are_valid(text: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(text, "utf-8")
    assert load_recipe(tmp_path / "recipe.toml").methods


@pytest.mark.parametrize("path", NAMED)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@pytest.mark.parametrize("path", NAMED)
def test_commands_exist(path: Path) -> None:
    assert [problem for words in command_lines(path.read_text("utf-8")) if (problem := fault(words))] == []


@pytest.mark.parametrize("words", ["nosuch", "pool nosuch", "run demo --nosuch", "queries check x --colum a=b"])
def test_a_command_that_does_not_exist_is_found(words: str) -> None:
    assert fault(words.split())


def test_the_readme_names_every_command() -> None:
    named = {words[0] for words in command_lines((REPOSITORY / "README.md").read_text("utf-8"))}
    command: Any = typer.main.get_command(app)
    assert named == set(command.commands)


@pytest.mark.parametrize("path", NAMED)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"(?:^|`|cpu )make ([a-z]+)(?:`|$| )", path.read_text("utf-8"), re.M)) <= targets
