"""Any server with OpenAI's chat completions over HTTP: llama.cpp, vLLM, Ollama, hosted ones."""
