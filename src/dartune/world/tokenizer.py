"""The word-level tokenizer of the world, as a Hugging Face fast tokenizer.

One token for each space-separated word, so a prompt and its completion tokenise independently:
`encode(prompt) + encode(completion) == encode(prompt + completion)`, and `decode(encode(text)) == text`.
"""

from typing import TYPE_CHECKING

from dartune.errors import MissingExtra
from dartune.world.wording import SEPARATOR, VOCABULARY

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, EOS, UNKNOWN = "<pad>", "<eos>", "<unk>"
TOKENS: tuple[str, ...] = (PAD, EOS, UNKNOWN, *VOCABULARY)
"""Every token; its index is its id."""

PROMPT_SUFFIX = f" {SEPARATOR} "
"""A world prompt is `query.text + PROMPT_SUFFIX`; a completion is the solution, ended by the end token."""


def world_tokenizer() -> "PreTrainedTokenizerFast":
    """The tokenizer of every world model.

    Raises:
        MissingExtra: transformers is not installed.
    """
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra("transformers", "hf") from error
    words = Tokenizer(models.WordLevel({token: i for i, token in enumerate(TOKENS)}, unk_token=UNKNOWN))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="left",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )
