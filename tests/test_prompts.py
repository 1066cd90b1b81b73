from pathlib import Path

import pytest

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
    with pytest.raises(ConfigError, match="expected one of alpaca, deepseekmath, plain, world, chat, got 'alpca'"):
        load_template("alpca")


def test_the_chat_template_is_the_models_own_without_its_first_token(tmp_path: Path) -> None:
    import shutil

    from transformers import AutoTokenizer

    folder = tmp_path / "model"
    shutil.copytree(packaged_model("base-a"), folder)
    with pytest.raises(ModelError, match="no chat template"):
        load_template("chat", model=str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder, bos_token="<bos>")
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    assert load_template("chat", model=str(folder)).render("2 ?") == "<user>2 ?<assistant>"
