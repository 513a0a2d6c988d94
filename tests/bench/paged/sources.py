"""Where the traces come from, and under which licence a table may be made of them."""

from typing import Final

SOURCES: Final = {
    "azure-conv-2023": """\
Lengths of the requests of the Azure LLM inference trace 2023, conversation (19,366 requests).
Source: github.com/Azure/AzurePublicDataset, data/AzureLLMInferenceTrace_conv.csv,
commit b469a113cedca53ddc3bdea71a143dc4b7d8700c. Microsoft, licence CC-BY 4.0. Cite: Patel et al.,
Splitwise: Efficient generative LLM inference using phase splitting, ISCA 2024.
Changed: grouped into cells of 256 by 256 tokens, weight (requests) and mean lengths of each.
Made by: python -m tests.bench.paged AzureLLMInferenceTrace_conv.csv --table azure-conv-2023""",
    "servegen-deepseek-r1": """\
Lengths of the requests of a day to a reasoning model (DeepSeek-R1), of 73 clients.
Source: github.com/alibaba/ServeGen, data/reason/deepseek-r1/,
commit f891d1189eb32b3868dfc443800c4150548c282a. Alibaba, licence Apache-2.0. Cite: ServeGen:
Workload Characterization and Generation of Large Language Model Serving in Production,
arXiv 2505.09999.
Changed: distributions of prompts and answers joined by one random number for both, as ServeGen's
generator does, and grouped into cells of 256 by 256 tokens, weight (requests a day) and mean
lengths of each.
Made by: python -m tests.bench.paged deepseek-r1.tar.gz --table servegen-deepseek-r1""",
}
"""By the trace's name: the comment at the head of its table."""
