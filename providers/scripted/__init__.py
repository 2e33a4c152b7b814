"""A real HTTP server that speaks OpenAI's protocol from a script: slow, failing, truncated, changing — on
purpose.

It is for tests and drills and says so in every answer (`Server: promptstore-scripted`, `system_fingerprint:
scripted`).
"""

from __future__ import annotations

from providers.scripted.behaviour import Behaviour, Script, parse_script
from providers.scripted.server import ScriptedServer

__all__ = ["Behaviour", "Script", "ScriptedServer", "parse_script"]
