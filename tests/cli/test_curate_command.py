import json
from pathlib import Path

import pytest

from dartune.cli.main import run
from fake_recipe import write_recipe

MORE = 'exports = ["dart", "verl"]\nprocess = { check = "equations", action = "report" }\n'


@pytest.mark.timeout(30)
def test_curation_by_a_recipe_and_a_name_that_the_hub_cannot_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("huggingface_hub")
    recipe, out = str(write_recipe(tmp_path, more=MORE)), str(tmp_path / "run")
    assert run(["sample", recipe, "--out", out, "--quiet"]) == 0
    capsys.readouterr()
    assert run(["curate", recipe, "--out", out, "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)["uniform"]
    folder = Path(out) / "sets" / "uniform"
    assert (folder / "dart" / "train.parquet").exists()
    assert manifest["n_prompts"] == 100
    assert sum(level["n_unsound"] for level in manifest["levels"]) == manifest["n_unsound"]
    assert run(["curate", recipe, "--out", out, "--push-to-hub", "no/such/name"]) == 2
    assert "--push-to-hub: expected owner/name, got 'no/such/name'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("curation.pick=longest", "curation.pick"),
        ("curation.process.check=nothing", "curation.process.check"),
        ("curation.decontamination.n=1", "curation.decontamination.n"),
        ("curation.pass_rates.least=2", "curation.pass_rates.least"),
    ],
)
def test_settings_that_cannot_be_are_bad_input(
    setting: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["curate", str(write_recipe(tmp_path)), "--out", str(tmp_path / "run"), "--set", setting]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
