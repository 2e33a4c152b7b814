"""The audit bundle of a release: everything that decided about it, in one file that anybody can check without us.

`docs/bundle.md` describes the format; the verifier (`promptstore.cli.bundles`) shares no code with this package.
"""
