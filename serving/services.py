"""What the control plane does for serving nodes beside publishing: hand each node the credentials it may use."""

from __future__ import annotations

from django.db import transaction
from nacl.public import PublicKey, SealedBox

from promptstore.core import crypto
from registry.models import Endpoint
from serving.models import Node, NodeCredential


def seal_credentials() -> int:
    """Seal each endpoint's credential to each registered node's own key where it is missing or old; returns how many.

    A node that was set up anew has another key under the same name and gets its credentials again.
    """
    sealed = 0
    endpoints = list(Endpoint.objects.select_related("credential").filter(credential__isnull=False))
    for node in Node.objects.all():
        known = {
            row.endpoint_id: (row.revision, bytes(row.public_key))
            for row in NodeCredential.objects.filter(node=node)
        }
        for endpoint in endpoints:
            if (
                known.get(endpoint.id) == (endpoint.revision, bytes(node.public_key))
                or endpoint.credential is None
            ):
                continue
            secret = crypto.unseal(bytes(endpoint.credential.sealed)).encode()
            with transaction.atomic():
                NodeCredential.objects.update_or_create(
                    node=node,
                    endpoint_id=endpoint.id,
                    defaults={
                        "revision": endpoint.revision,
                        "public_key": bytes(node.public_key),
                        "sealed": SealedBox(PublicKey(bytes(node.public_key))).encrypt(secret),
                    },
                )
            sealed += 1
    return sealed
