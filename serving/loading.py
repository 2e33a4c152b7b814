"""From signed roots and documents to a state: verify, parse what is new, keep what is good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from promptstore.core import clock
from serving.documents import FeatureDocument, NodeDocument, parse_feature, parse_node
from serving.state import EnvironmentState, FeatureState, ServingState, Unread, assemble
from serving.verify import RefusalReason, RefusedError, Root, SignedRoot, check_document, verify_root

_log = structlog.get_logger("serving")


class Loader:
    """Builds the next state from the present one.

    Parsed documents are kept by digest while a state refers to them.
    """

    def __init__(self) -> None:
        self._features: dict[str, FeatureDocument] = {}
        self._nodes: dict[str, NodeDocument] = {}
        self.bodies: dict[str, bytes] = {}
        self.refusals: dict[RefusalReason, int] = dict.fromkeys(RefusalReason, 0)
        self._said: dict[tuple[str, str | None], str] = {}

    def missing(self, roots: Iterable[SignedRoot]) -> set[str]:
        """Digests that these roots name and the loader does not hold. Unreadable roots name nothing."""
        wanted: set[str] = set()
        for signed in roots:
            try:
                wanted |= Root.parse(signed).digests
            except RefusedError:
                continue
        return wanted - self.bodies.keys()

    def load(
        self,
        present: ServingState,
        roots: Iterable[SignedRoot],
        *,
        documents: Mapping[str, bytes],
        trusted: Mapping[str, bytes],
        credentials: Mapping[str, bytes] | None = None,
    ) -> ServingState:
        """The next state; `present` itself when nothing changed.

        A root that is refused leaves its environment as it was, marked as stale. An environment without a
        root here stays: an empty table is not a decision. A feature whose document cannot be read keeps its last good
        one. Of `trusted`, keys that are known under the same id
        stay as they were.
        """
        keys = {**trusted, **present.trusted}
        environments = dict(present.environments)
        for signed in roots:
            current = environments.get(signed.environment_id)
            try:
                environments[signed.environment_id] = self._environment(signed, current, keys, documents)
            except RefusedError as error:
                self._count(error, environment_id=signed.environment_id)
                if current is not None and (
                    current.refused is None or current.refused.reason != error.reason
                ):
                    since = current.refused_since or clock.now()
                    environments[signed.environment_id] = replace(current, refused=error, refused_since=since)
        sealed = present.credentials if credentials is None else credentials
        unchanged = all(
            environment is present.environments.get(name) for name, environment in environments.items()
        )
        if unchanged and sealed == present.credentials and keys == present.trusted:
            return present
        self._forget(environments.values())
        return assemble(environments, credentials=sealed, trusted=keys)

    def _environment(
        self,
        signed: SignedRoot,
        current: EnvironmentState | None,
        trusted: Mapping[str, bytes],
        documents: Mapping[str, bytes],
    ) -> EnvironmentState:
        root = verify_root(signed, trusted=trusted, current=current.root if current else None)
        if current is not None and root.order == current.root.order:
            return current if current.refused is None else replace(current, refused=None, refused_since=None)
        for digest in root.digests - self.bodies.keys():
            self.bodies[digest] = check_document(digest, documents.get(digest))
        features: dict[str, FeatureState] = {}
        unread: dict[str, Unread] = {}
        kept: dict[str, Root] = {}
        for name, digest in root.documents.items():
            try:
                features[name] = FeatureState(self._feature(name, digest))
            except RefusedError as error:
                # One feature that uses what only a later version knows must not hold up the others.
                unread[name] = Unread(error, self.bodies[digest])
                self._count(error, environment_id=signed.environment_id, feature=name)
                if current is not None and name in current.features:
                    features[name] = FeatureState(current.features[name].document)
                    kept[name] = current.kept.get(name, current.root)
        return EnvironmentState(
            root=root, features=features, node=self._node(root.node), unread=unread, kept=kept
        )

    def _feature(self, name: str, digest: str) -> FeatureDocument:
        document = self._features.get(digest)
        if document is None:
            document = self._features[digest] = parse_feature(self.bodies[digest])
        if document.feature != name:
            raise RefusedError(
                RefusalReason.MALFORMED, f"the document of {name!r} is about {document.feature!r}"
            )
        return document

    def _node(self, digest: str) -> NodeDocument:
        document = self._nodes.get(digest)
        if document is None:
            document = self._nodes[digest] = parse_node(self.bodies[digest])
        return document

    def _count(self, error: RefusedError, *, environment_id: str, feature: str | None = None) -> None:
        """Count every refusal; say the same one once, though it is tried again with every poll."""
        self.refusals[error.reason] += 1
        if self._said.get((environment_id, feature)) == str(error):
            return
        self._said[environment_id, feature] = str(error)
        _log.warning(
            "document.refused" if feature else "root.refused",
            environment_id=environment_id,
            reason=error.reason.value,
            detail=error.detail,
            **({"feature": feature} if feature else {}),
        )

    def _forget(self, environments: Iterable[EnvironmentState]) -> None:
        live = {
            digest for environment in environments for root in environment.roots for digest in root.digests
        }
        for kept in (self._features, self._nodes, self.bodies):
            for digest in [digest for digest in kept if digest not in live]:
                del kept[digest]
