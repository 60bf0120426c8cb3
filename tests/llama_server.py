"""llama.cpp's own server with one GGUF file, as a program: python -m tests.llama_server FILE ALIAS KEY WINDOW.

It prints its address and runs until its standard input ends.
"""

import sys
from importlib import import_module


def main() -> None:
    path, alias, key, window = sys.argv[1:]
    llama_cpp = import_module("xllamacpp")
    params = llama_cpp.CommonParams()
    params.model.path, params.model_alias = path, {alias}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = int(window), 1, 1
    running = llama_cpp.Server(params)
    sys.stdout.write(f"{running.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
