"""What a model's name stands for."""

import json
from pathlib import Path

import pytest

from dartune.errors import ModelError
from dartune.models import model_digest, resolve_model


def write_model(folder: Path, *, weights: bytes = b"weights") -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_a_folder_is_itself_and_a_hub_id_is_left_alone(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    assert resolve_model(str(folder)) == str(folder)
    assert resolve_model("owner/model") == "owner/model"
    assert resolve_model("gpt2") == "gpt2"


@pytest.mark.parametrize("name", ["./absent", "/absent/model", "~/absent", "a/b/c", ""])
def test_a_path_that_does_not_exist_is_no_hub_id(name: str) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        resolve_model(name)


def test_an_unknown_world_model_names_the_known() -> None:
    with pytest.raises(ModelError, match="expected one of teacher-a"):
        resolve_model("world:nobody")


def test_incomplete_folders_are_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"m: no weights; expected model\.safetensors"):
        resolve_model(str(folder))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}))
    (folder / "one.safetensors").write_bytes(b"1")
    with pytest.raises(ModelError, match=r"two\.safetensors: a shard that .* names is missing"):
        resolve_model(str(folder))
    (folder / "two.safetensors").write_bytes(b"2")
    assert resolve_model(str(folder)) == str(folder)
    index.write_text("[]")
    with pytest.raises(ModelError, match="expected a weight_map"):
        resolve_model(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        resolve_model(str(folder))
    with pytest.raises(ModelError, match="got a file"):
        resolve_model(str(index))


def test_the_digest_follows_content_not_place(tmp_path: Path) -> None:
    one, two, other = (
        model_digest(str(write_model(tmp_path / name, weights=weights)))
        for name, weights in (("a", b"w"), ("b", b"w"), ("c", b"x"))
    )
    assert one == two != other
    assert model_digest("owner/model") == "owner/model"
