"""The walk's tokens, deployments, roles and names: few, so that steps meet each other often."""

from __future__ import annotations

from typing import Any

from astro_emulator.organization import ETL_PRODUCTION_ID, ML_TRAINING_ID, ORGANIZATION_ID
from tests.walk.steps import Pair

TOKENS = ("t0", "t1")
DEPLOYMENTS = ("d0", "d1", "d2", "d3")
ROLES = ("DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR", "Release Engineer")  # the last one is a custom role
STACKS = ("ours", "theirs")

# Which bindings each stack's programs may have. Both tokens are in both, and a deployment, too.
PAIRS = {
    "ours": (*(Pair("t0", deployment) for deployment in ("d0", "d1", "d2")), Pair("t1", "d0"), Pair("t1", "d1")),
    "theirs": (Pair("t0", "d3"), Pair("t1", "d2"), Pair("t1", "d3")),
}
NAMES = {"ours": ("n0", "n1", "n2", "n3", "n4", "n5"), "theirs": ("m0", "m1", "m2", "m3")}
TABLE_NAMES = {"ours": ("x0", "x1", "x2"), "theirs": ("y0", "y1")}

_MEMBER: dict[str, Any] = {"entityType": "ORGANIZATION", "entityId": ORGANIZATION_ID, "role": "ORGANIZATION_MEMBER"}
STRANGERS: tuple[dict[str, Any], ...] = (
    {"entityType": "DEPLOYMENT", "entityId": ETL_PRODUCTION_ID, "role": "DEPLOYMENT_ACCESSOR", "note": {"by": ["Ada"]}},
    {"entityType": "DAG", "entityId": "train", "role": "DAG_AUTHOR", "deploymentId": ML_TRAINING_ID},
    {"entityType": "GALAXY", "entityId": "milky-way", "role": "PILOT", "wormholes": [1, 2.5, None, True]},
)
# What each token holds at first beside the walk's pairs: known kinds with unknown fields, and an unknown kind.
FOREIGN: dict[str, tuple[dict[str, Any], ...]] = {
    "t0": ({**_MEMBER, "since": None}, *STRANGERS),
    "t1": (_MEMBER,),
}
