"""What the engines reach, each beside its limit or a peer in the same run.

    python benchmarks/engines.py [--json] [--quick] [--vllm-python PATH]

`http_*`: the engine for servers on one core, against a server that answers at once; memory with 10,000 requests in
flight; and the search for a server's best number of requests, over the best fixed setting.
`transformers_over_generate`: useful tokens per second of the transformers engine over `model.generate`, on responses as
long as real ones. `vllm_over_bare`: tokens per second of `dartune sample` over a bare load generator's on one real vLLM
server; it needs the Python of an environment with vLLM (`make test-vllm` makes `.venv-vllm`), and is null without one.
The last line is one JSON object.
"""

import argparse
import json
from pathlib import Path

from engine_parts import http, http_limit, transformers, vllm

VLLM_PYTHON = Path(__file__).parents[1] / ".venv-vllm" / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--vllm-python", type=Path, default=VLLM_PYTHON, help="default: .venv-vllm/bin/python")
    options = parser.parse_args()
    rates = http.requests_per_s(quick=options.quick)
    print(f"openai_http, one core: {rates['per_s']:,.0f} requests/s, {rates['per_cpu_s']:,.0f} per CPU second")
    memory = http.rss_mb_in_flight()
    print(f"openai_http, {memory['in_flight']:,.0f} in flight: {memory['peak_mb']:,.0f} MB")
    found = http_limit.over_best_fixed(quick=options.quick)
    print(f"openai_http, search over best fixed setting: {json.dumps(found)}")
    local = transformers.over_generate(quick=options.quick)
    print(f"transformers engine and generate(): {json.dumps(local)}")
    served: dict[str, object] = {}
    if options.vllm_python.exists():
        served = vllm.vllm_over_bare(quick=options.quick, python=str(options.vllm_python))
        print(f"dartune sample and a bare client on vLLM: {json.dumps(served)}")
    else:
        print(f"{options.vllm_python} is not there: vllm_over_bare is left out; make it with: make test-vllm")
    summary = {
        "vllm_over_bare": served.get("vllm_over_bare"),
        "http_requests_per_s": rates["per_s"],
        "http_10k_rss_mb": memory["peak_mb"],
        "transformers_over_generate": local["over_generate"],
        "search_over_best_fixed": {kind: round(one.over_best_fixed, 3) for kind, one in found.items()},
        "details": {"http": rates, "memory": memory, "transformers": local, "vllm": served},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
