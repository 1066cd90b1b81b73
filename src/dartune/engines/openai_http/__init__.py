"""One model behind any number of OpenAI-compatible servers.

engine      a request's attempts, until one succeeds or there were enough
wire        request -> body, reply -> response                                   (pure)
faults      what may go wrong with an attempt, and whose fault it is            (pure)
limit       how many requests a server is given at a time                       (pure)
fleet       which server is asked next; who is down, and who came back
transport   one attempt over HTTP
checks      whether a server can be asked at all, before the run starts
"""

from dartune.engines.openai_http.engine import OpenAIEngine

__all__ = ["OpenAIEngine"]
