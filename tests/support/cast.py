"""The tokens and deployments of the emulator's organization, by the part that they play."""

from __future__ import annotations

from astro_emulator import Emulator
from astro_emulator.organization import (
    DATA_PLATFORM_ID,
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_CLOSE_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
    entry,
)

PRODUCTION, STAGING, TRAINING, FINANCE = ETL_PRODUCTION_ID, ETL_STAGING_ID, ML_TRAINING_ID, FINANCE_CLOSE_ID

OBSERVABILITY = "clo8g1x4m000f08l6t9c3z6vl"  # holds DEPLOYMENT_ACCESSOR in PRODUCTION
DEPLOYERS = ("cln7c3v5p000d08l6q4h8w2aj", "clu2e9b6s000e08l6r1k7y5dk")  # both are named ci-deployer
EXPIRED = "clj5a7d2w000g08l6p6n4u9bm"  # airflow-1-migration
DIRECT = "clt4k6r8f000h08l6m3v1e7cn"  # snowflake-direct, of kind DIRECT_ACCESS
TRAINER = "clv9m2t3q000i08l6b8x5g4do"  # model-trainer, holds DEPLOYMENT_ACCESSOR and a role in a DAG of TRAINING
OF_WORKSPACE = "clq3p8y7h000j08l6z2s9f1ep"  # finance-workspace
OF_DEPLOYMENT = "clw1s5z9d000k08l6g7a2j3fq"  # staging-deploys

MEMBER = entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")


def time_of(astro: Emulator, token_id: str, attribute: str) -> str:
    """When something happened to a token (`createdAt`, `endAt`), as this Astro shows it: seeds hold ages."""
    return str(astro.store.token(token_id)[attribute])


__all__ = [
    "DATA_PLATFORM_ID",
    "DEPLOYERS",
    "DIRECT",
    "EXPIRED",
    "FINANCE",
    "FINANCE_ID",
    "MEMBER",
    "OBSERVABILITY",
    "OF_DEPLOYMENT",
    "OF_WORKSPACE",
    "ORGANIZATION_ID",
    "PRODUCTION",
    "STAGING",
    "TRAINER",
    "TRAINING",
    "entry",
    "time_of",
]
