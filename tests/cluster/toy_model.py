"""Writes a random model that a CPU serves fast and whose KV cache is VibeThinker-1.5B's own.

Run by `model.py` with the engine's packages. Usage: python3 toy_model.py DIRECTORY
"""

import importlib
import sys
from typing import Any

torch: Any = importlib.import_module("torch")
tokenizers: Any = importlib.import_module("tokenizers")
transformers: Any = importlib.import_module("transformers")

SEED = 20260101
CONTEXT_TOKENS = 4096
VOCABULARY = 512
HIDDEN = 256
END, BEGIN_TURN, END_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# What the byte pairs are learned from: prose, mathematics and code, as the model's users send.
TEXT = (
    "Let x be a real number such that x^2 + 3x + 2 = 0. Find all values of x and explain why.",
    "First we factor the polynomial, then we check each root in the original equation.",
    "Write a function that returns the longest increasing subsequence of a list of integers.",
    "def solve(numbers: list[int]) -> int:\n    return max(numbers, default=0)\n",
    "The answer is therefore the number of pairs for which the sum is even and the product odd.",
    "You are a careful assistant who thinks step by step and answers in one short sentence.",
)
# One dimension of the residual stream carries this constant, so that a row of the output layer
# can hold a bias: Qwen2's output layer has none of its own.
CONSTANT = 4.0
WEIGHT_DEVIATION = 0.05
# Makes the end of a turn about 1 in 4,000 tokens: most answers run to max_tokens, some stop.
END_BIAS = -0.35
# Tokens that are not printable ASCII are never drawn, or streams would hold back half letters.
NEVER_BIAS = -4.0


def main() -> None:
    """Write tokenizer and weights into the directory named on the command line."""
    directory = sys.argv[1]
    tokenizer = train_tokenizer()
    tokenizer.save_pretrained(directory)
    make_model(tokenizer).save_pretrained(directory)


def train_tokenizer() -> Any:
    """Return a byte-level BPE tokenizer of VOCABULARY tokens with a ChatML template."""
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, BEGIN_TURN, END_TURN],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXT, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END_TURN,
        pad_token=END,
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT_TOKENS,
    )


def make_model(tokenizer: Any) -> Any:
    """Return the model: 28 layers with 2 KV heads of 128, which is 28,672 bytes a token."""
    config = transformers.Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        # The least that layers take: what costs time is then attention, as with long sequences.
        intermediate_size=64,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.convert_tokens_to_ids(END),
        eos_token_id=tokenizer.convert_tokens_to_ids(END_TURN),
        dtype="bfloat16",
    )
    torch.manual_seed(SEED)
    model = transformers.Qwen2ForCausalLM(config)
    with torch.no_grad():
        shape_output(model, tokenizer)
    return model.to(torch.bfloat16)


def shape_output(model: Any, tokenizer: Any) -> None:
    """Set the chances of tokens: the end seldom, what is not printable ASCII never."""
    embedding, output = model.model.embed_tokens.weight, model.lm_head.weight
    embedding.normal_(std=WEIGHT_DEVIATION)
    embedding[:, 0] = CONSTANT
    output.normal_(std=WEIGHT_DEVIATION)
    for token in range(VOCABULARY):
        text = tokenizer.decode([token])
        drawn = all(" " <= letter <= "~" or letter == "\n" for letter in text)
        output[token, 0] = 0.0 if drawn else NEVER_BIAS
    for never in (END, BEGIN_TURN):
        output[tokenizer.convert_tokens_to_ids(never), 0] = NEVER_BIAS
    output[tokenizer.convert_tokens_to_ids(END_TURN), 0] = END_BIAS


if __name__ == "__main__":
    main()
