import shutil
from pathlib import Path

import pytest
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from dartune.errors import ConfigError, ModelError
from dartune.prompts import AFFIXES, load_template
from dartune.world import PROMPT_SUFFIX, packaged_model


def test_every_template_holds_the_query_and_nothing_else_of_it() -> None:
    for name in AFFIXES:
        assert load_template(name).render("1 + 1 ?").count("1 + 1 ?") == 1


def test_the_worlds_template_reads_as_its_models_were_trained() -> None:
    template = load_template("world")
    prompt, completion = template.render("1 + 1 ?"), template.completion(" 1 + 1 = 2 .\n")
    assert prompt + completion == "1 + 1 ?" + PROMPT_SUFFIX + "1 + 1 = 2 ."


def test_an_unknown_template_names_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="expected one of alpaca, deepseekmath, boxed, plain, world, chat, got 'alpca'"
    ):
        load_template("alpca")


@pytest.mark.parametrize(("adds_bos", "prompt"), [(False, "<bos><user>2 ?<assistant>"), (True, "<user>2 ?<assistant>")])
def test_the_chat_template_is_the_models_own_and_has_the_first_token_once(
    tmp_path: Path, adds_bos: bool, prompt: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged_model("base-a"), folder)
    with pytest.raises(ModelError, match="no chat template"):
        load_template("chat", model=str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder, bos_token="<bos>")
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    if adds_bos:
        first = ("<bos>", tokenizer.bos_token_id)
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[first])
    tokenizer.save_pretrained(folder)
    assert load_template("chat", model=str(folder)).render("2 ?") == prompt


def test_a_model_without_a_readable_tokenizer_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged_model("base-a"), folder)
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded"):
        load_template("chat", model=str(folder))
