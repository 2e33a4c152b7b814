"""The SDKs whose calls ask a model, as Python names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sdk:
    """A package: classes that are clients, and what asks a model, both as dotted ends of names.

    `functions` ask when called on the package itself, `methods` on a client. `distinct` methods are so typical that they are
    taken for this SDK's also where the client comes from elsewhere; the others only in files that import the package.
    `models` are classes of which an instance stands for a configured model: where it is made is the call site.
    """

    name: str
    packages: tuple[str, ...]
    clients: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    distinct: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    model_prefixes: tuple[str, ...] = ()


_OPENAI_METHODS = frozenset(
    f"{noun}.{verb}"
    for noun in ("chat.completions", "beta.chat.completions", "completions", "responses", "embeddings")
    for verb in ("create", "stream", "parse")
)

SDKS: tuple[Sdk, ...] = (
    Sdk(
        "openai",
        ("openai",),
        clients=frozenset({"OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI", "Client", "AsyncClient"}),
        methods=_OPENAI_METHODS,
        functions=_OPENAI_METHODS
        | {"ChatCompletion.create", "ChatCompletion.acreate", "Completion.create", "Embedding.create"},
        distinct=frozenset({"chat.completions.create", "chat.completions.parse", "chat.completions.stream"}),
    ),
    Sdk(
        "anthropic",
        ("anthropic",),
        clients=frozenset(
            {"Anthropic", "AsyncAnthropic", "AnthropicBedrock", "AnthropicVertex", "Client", "AsyncClient"}
        ),
        methods=frozenset(
            {"messages.create", "messages.stream", "beta.messages.create", "beta.messages.stream", "completions.create"}
        ),
    ),
    Sdk(
        "google",
        ("google.genai", "google.generativeai", "vertexai"),
        clients=frozenset({"Client", "GenerativeModel"}),
        methods=frozenset(
            {
                "models.generate_content", "models.generate_content_stream", "aio.models.generate_content",
                "aio.models.generate_content_stream", "generate_content", "generate_content_async", "models.embed_content",
            }
        ),
        distinct=frozenset({"models.generate_content", "models.generate_content_stream", "generate_content_async"}),
    ),
    Sdk(
        "cohere",
        ("cohere",),
        clients=frozenset({"Client", "ClientV2", "AsyncClient", "AsyncClientV2"}),
        methods=frozenset({"chat", "chat_stream", "generate", "v2.chat", "v2.chat_stream", "embed"}),
    ),
    Sdk(
        "mistral",
        ("mistralai",),
        clients=frozenset({"Mistral", "MistralClient", "MistralAsyncClient"}),
        methods=frozenset(
            {"chat.complete", "chat.complete_async", "chat.stream", "chat.stream_async", "chat", "fim.complete"}
        ),
        distinct=frozenset({"chat.complete_async"}),
    ),
    Sdk(
        "litellm",
        ("litellm",),
        clients=frozenset({"Router"}),
        methods=frozenset({"completion", "acompletion", "embedding", "aembedding"}),
        functions=frozenset(
            {"completion", "acompletion", "text_completion", "responses", "aresponses", "embedding", "aembedding"}
        ),
    ),
    Sdk(
        "bedrock",
        ("boto3", "botocore", "aioboto3", "aiobotocore"),
        methods=frozenset({"invoke_model", "invoke_model_with_response_stream", "converse", "converse_stream"}),
        distinct=frozenset({"invoke_model", "invoke_model_with_response_stream", "converse_stream"}),
    ),
    Sdk(
        "ollama",
        ("ollama",),
        clients=frozenset({"Client", "AsyncClient"}),
        methods=frozenset({"chat", "generate", "embed"}),
        functions=frozenset({"chat", "generate", "embed"}),
    ),
    Sdk(
        "huggingface",
        ("huggingface_hub", "transformers"),
        clients=frozenset({"InferenceClient", "AsyncInferenceClient"}),
        methods=frozenset({"chat_completion", "chat.completions.create", "text_generation"}),
        models=frozenset({"pipeline"}),
    ),
    Sdk("langchain", ("langchain", "langchain_*"), model_prefixes=("Chat",), models=frozenset(
        {"OpenAI", "AzureOpenAI", "Ollama", "OllamaLLM", "Bedrock", "BedrockLLM", "init_chat_model"}
    )),
    Sdk("llamaindex", ("llama_index.llms", "llama_index_llms_*"), models=frozenset(
        {"OpenAI", "AzureOpenAI", "OpenAILike", "Anthropic", "Ollama", "MistralAI", "Gemini", "GoogleGenAI", "Cohere", "Bedrock",
         "BedrockConverse", "Groq", "HuggingFaceLLM", "LiteLLM"}
    )),
)  # fmt: skip

# langchain_core's prompts, histories and parsers are no models.
NO_MODELS = frozenset(
    {
        "ChatPromptTemplate",
        "ChatMessage",
        "ChatMessageHistory",
        "ChatMessagePromptTemplate",
        "ChatResult",
        "ChatGeneration",
        "ChatGenerationChunk",
    }
)
# Our own client: a call through it is governed by construction.
OWN_PACKAGES = ("promptstore_client", "promptstore_sdk", "promptstore.client")


def sdk_of(dotted: str) -> tuple[Sdk, str] | None:
    """The SDK that a full dotted name belongs to, and the rest of the name."""
    for sdk in SDKS:
        for package in sdk.packages:
            if package.endswith("*"):
                head, _, rest = dotted.partition(".")
                if head.startswith(package[:-1]):
                    return sdk, rest
            elif dotted == package or dotted.startswith(f"{package}."):
                return sdk, dotted[len(package) + 1 :]
    return None
